"""Files: atomic writes, and stamps of size and modification time."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path

import msgspec

from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.remote.reading import Stamp, stamp
from feedbench.pipelines.system.regular_files import open_regular

DAMAGED = (msgspec.MsgspecError, UnicodeError, RecursionError)
"""What msgspec raises for damaged JSON or MessagePack: for its form, its text, or its depth."""


def write_whole(file: Path, content: bytes | Iterable[bytes]) -> None:
    """Replace a file's content in one step; it is on the disk when this returns.

    A reader finds all of the old content or all of the new. If writing fails, the old content
    stays and no other file is left. Raises OSError.
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


def replace(
    file: Path, content: str | bytes, option: str = "--out", *, through_link: bool = True
) -> Path:
    """Replace the content of `file` in one step, and return the file.

    For a link, replaces the file that it points to. A pipe or /dev/stdout cannot be replaced, so
    it is written to. Without `through_link`, replaces the link or the pipe itself: a run folder
    may come from another user, and a link in it may point to any file of this one.
    Raises RequestError if writing fails; its hint names `option`.
    """
    data = content.encode() if isinstance(content, str) else content
    try:
        if not through_link:
            write_whole(file, data)
        elif _is_special(file):
            with file.open("wb") as stream:
                stream.write(data)
        else:
            write_whole(Path(os.path.realpath(file)), data)
    except OSError as error:
        raise RequestError(
            f"cannot write {file}: {error.strerror}", hint=f"name another file with {option}"
        ) from error
    return file


def add_lines(file: Path, lines: bytes) -> None:
    """Add to the end of a regular file; it is on the disk when this returns.

    Raises OSError, also for a link or a pipe.
    """
    with os.fdopen(open_regular(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT), "ab") as opened:
        opened.write(lines)
        opened.flush()
        os.fsync(opened.fileno())


def _is_special(file: Path) -> bool:
    """Return whether the file exists and is not a regular file."""
    try:
        return not stat.S_ISREG(file.stat().st_mode)
    except FileNotFoundError:
        return False


def stamp_of(path: str) -> Stamp | None:
    """Return a file's stamp; None if the file cannot be accessed."""
    with contextlib.suppress(OSError):
        return stamp(path)
    return None
