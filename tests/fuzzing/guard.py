"""What a reader of somebody else's files may do, and for how long."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

_SECONDS = 20.0  # an example takes milliseconds on an idle machine
_MOST_BYTES = 600_000_000  # that the process may grow by, in all examples of a test
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.symlink", "os.link"}
_CHANGES |= {"os.truncate", "os.chmod", "os.utime", "shutil.rmtree", "shutil.move"}
_PROGRAMS = {"subprocess.Popen", "os.exec", "os.posix_spawn", "os.system", "os.fork"}


class _Guard:
    """Notes what is done while it is on. An audit hook cannot be removed, so there is one only."""

    def __init__(self) -> None:
        self.allowed: Path | None = None  # None: it is off
        self.canary = ""
        self.wrongs: list[str] = []
        sys.addaudithook(self._hook)

    def _hook(self, event: str, given: tuple[Any, ...]) -> None:
        if self.allowed is None:
            return
        if event in _PROGRAMS:
            self.wrongs.append(f"{event} {given[:1]}")
        elif event == "open" and isinstance(given[0], (str, bytes)):
            place = os.path.abspath(os.fsdecode(given[0]))  # noqa: PTH100 - no links are followed
            if self.canary and self.canary in place:
                self.wrongs.append(f"open {place}")
            elif given[2] & _WRITING:
                self._refuse_outside(event, place)
        elif event in _CHANGES and isinstance(given[0], (str, bytes)):
            self._refuse_outside(event, os.path.abspath(os.fsdecode(given[0])))  # noqa: PTH100

    def _refuse_outside(self, event: str, place: str) -> None:
        inside = f"{self.allowed}{os.sep}"
        if not (place + os.sep).startswith((inside, "/dev/")):
            self.wrongs.append(f"{event} {place}")


_GUARD = _Guard()


@contextlib.contextmanager
def guarded(allowed: Path, canary: str = "canary") -> Iterator[None]:
    """Fail if this context writes outside a folder, opens a canary, or runs a program or too long.

    Use it in the main thread.
    """
    _GUARD.wrongs.clear()
    _GUARD.canary = canary
    before = signal.signal(signal.SIGALRM, _late)
    signal.setitimer(signal.ITIMER_REAL, _SECONDS)
    _GUARD.allowed = allowed.absolute()
    try:
        yield
    finally:
        _GUARD.allowed = None
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert not _GUARD.wrongs, _GUARD.wrongs


@contextlib.contextmanager
def bounded_memory() -> Iterator[None]:
    """Fail if the most memory that this process ever had grows by much."""
    before = _peak()
    yield
    assert _peak() - before < _MOST_BYTES


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _late(number: int, frame: FrameType | None) -> None:
    raise AssertionError(f"it took more than {_SECONDS:.0f} s")
