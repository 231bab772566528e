"""Whose turn it is on this machine: of tests that share it, or of one that needs it alone.

Tests run in several processes (pytest -n 2), and a test that looks at CPU time, or at what other
programs use, would see its neighbour. Files are locked, so that it holds between processes.
"""

from __future__ import annotations

import fcntl
from pathlib import Path


class Turns:
    """Lets many tests run at once, or a single one."""

    def __init__(self, folder: Path) -> None:
        """Take turns with all processes that name the same folder."""
        # Whoever waits for the machine waits at the door, so that nobody enters before it.
        self._door = (folder / "door").open("w")
        self._machine = (folder / "machine").open("w")
        self._is_kept = False

    def begin(self, *, alone: bool) -> None:
        """Wait until no test is there that needs the machine alone; or until none is there."""
        if self._is_kept and alone:
            return
        fcntl.flock(self._door, fcntl.LOCK_EX)
        fcntl.flock(self._machine, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(self._door, fcntl.LOCK_UN)

    def end(self, *, keep: bool = False) -> None:
        """Let others have the machine; or keep it for the next, which needs it alone as well."""
        self._is_kept = keep
        if not keep:
            fcntl.flock(self._machine, fcntl.LOCK_UN)

    def close(self) -> None:
        """End, and give back the files."""
        self._door.close()
        self._machine.close()
