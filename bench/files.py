"""Files: written whole or not at all, and known by size and time."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path
from typing import NamedTuple

from feedbench.pipelines.errors import RequestError

_MODE = 0o644


def replace(file: Path, text: str, option: str = "--out") -> Path:
    """Put `text` in the place of `file`, and return it; a reader always finds a whole one.

    A link stays one, and the file that it leads to is replaced. What is no regular file, such as
    a pipe or /dev/stdout, cannot be replaced, and is written to. Raises RequestError where it
    cannot be written; `option` is what another file can be named by.
    """
    try:
        if _is_special(file):
            with file.open("w", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
        else:
            _replace(Path(os.path.realpath(file)), text)
    except OSError as error:
        raise RequestError(
            f"{file} cannot be written ({error.strerror}); name another file by {option}"
        ) from error
    return file


def _is_special(file: Path) -> bool:
    """Tell whether there is something that is no regular file."""
    try:
        return not stat.S_ISREG(file.stat().st_mode)
    except FileNotFoundError:
        return False


def _replace(file: Path, text: str) -> None:
    new: str | None = None
    try:
        handle, new = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name[:60]}.")
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        Path(new).chmod(_MODE)  # mkstemp's own is for nobody else to read
        Path(new).replace(file)
    except OSError:
        if new is not None:
            with contextlib.suppress(OSError):
                Path(new).unlink()
        raise


class Stamp(NamedTuple):
    """A file's content, as far as the system tells without reading it."""

    size: int  # bytes
    changed: int  # ns


def stamp_of(path: str) -> Stamp | None:
    """Return a file's stamp; None where it cannot be told."""
    with contextlib.suppress(OSError):
        status = os.stat(path)  # noqa: PTH116 - a million times
        return Stamp(status.st_size, status.st_mtime_ns)
    return None
