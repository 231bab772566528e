"""A neighbour that takes every core while a file was touched a moment ago: for the self-test.

`python -m feedbench.bench.neighbour PARENT_PID FILE`. No child of a trial, so that none ends it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from feedbench.pipelines.system import signal_at_parent_death

LINGER_SECONDS = 1.5  # after the file was touched last: longer than a trial takes to be gone
_LONG_AGO = 0.0  # seconds since the epoch
_TURN_SECONDS = 0.02


@contextmanager
def neighbours(file: Path, count: int) -> Iterator[None]:
    """Have so many of them look at the file, which is made here, and not be touched yet."""
    file.touch()
    os.utime(file, (_LONG_AGO, _LONG_AGO))
    command = [sys.executable, "-m", "feedbench.bench.neighbour", str(os.getpid()), str(file)]
    started: list[subprocess.Popen[bytes]] = []
    try:
        started.extend(subprocess.Popen(command, start_new_session=True) for _ in range(count))
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def _burn(file: Path) -> None:
    """Take a core for as long as the file has just been touched; never returns."""
    while True:
        end = time.monotonic() + _TURN_SECONDS
        if time.time() - file.stat().st_mtime > LINGER_SECONDS:
            time.sleep(_TURN_SECONDS)
        while time.monotonic() < end:
            pass


if __name__ == "__main__":
    signal_at_parent_death(signal.SIGKILL)
    if os.getppid() == int(sys.argv[1]):
        _burn(Path(sys.argv[2]))
