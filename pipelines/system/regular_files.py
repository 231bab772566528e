"""Regular files, opened without ever waiting: opening a pipe waits until another process writes.

A file may become a pipe at any moment, so that a check before the opening is not enough.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

_PAUSE_SECONDS = 1.0


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


@contextmanager
def pipes_released(awaited: Callable[[], Sequence[str]]) -> Iterator[None]:
    """Release each caller that waits to open a file that became a pipe; it reads no content.

    For files that a library opens itself, as TensorFlow does. `awaited` returns the files that
    may be waited for now. Each second, those are checked. Nothing is written into them.
    """
    is_over = Event()

    def look() -> None:
        while not is_over.wait(_PAUSE_SECONDS):
            for file in awaited():
                with suppress(OSError):  # also if nobody waits for this pipe
                    if Path(file).is_fifo():
                        os.close(os.open(file, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC))

    thread = Thread(target=look, name="pipes", daemon=True)
    with suppress(RuntimeError):  # no memory for a thread: the files are read all the same
        thread.start()
    try:
        yield
    finally:
        is_over.set()
