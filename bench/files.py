"""Files: written whole or not at all, and known by size and time."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from feedbench.pipelines.errors import RequestError


def write_whole(file: Path, content: bytes | Iterable[bytes]) -> None:
    """Put the content in the place of a file in one step; it is on the disk when this returns.

    A reader finds all of the old content or all of the new. If it cannot be written, the old
    content stays and nothing else is left. Raises OSError.
    """
    new = file.with_name(f".{file.name[:60]}.{secrets.token_hex(4)}")
    try:
        with new.open("xb") as stream:
            stream.writelines([content] if isinstance(content, bytes) else content)
            stream.flush()
            os.fsync(stream.fileno())
        new.replace(file)
    except BaseException:
        with contextlib.suppress(OSError):
            new.unlink()
        raise


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
            write_whole(Path(os.path.realpath(file)), text.encode())
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
