"""Regular files, opened without ever waiting: opening a pipe waits until another process writes.

A file may become a pipe at any moment, so that a check before the opening is not enough.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def open_regular(file: Path | str, flags: int = os.O_RDONLY) -> int:
    """Open a regular file and return its descriptor. Never waits, as opening a pipe would.

    A file that is written may not be a link. Raises OSError, also if it is not a regular file.
    """
    is_read = flags & os.O_ACCMODE == os.O_RDONLY
    flags |= os.O_CLOEXEC | os.O_NONBLOCK | (0 if is_read else os.O_NOFOLLOW)
    descriptor = os.open(file, flags, 0o666)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "it is not a regular file", os.fspath(file))


def read_regular(file: Path) -> bytes:
    """Return the content of a regular file. Raises OSError, also if it is not a regular file."""
    with os.fdopen(open_regular(file), "rb") as opened:
        return opened.read()
