"""A neighbour for the self-test: it keeps every core busy just after a file was touched.

`python -m feedbench.bench.selftest.neighbour PARENT_PID FILE`. It is not a child of a trial, so no
trial ends it. The file holds the moment on the monotonic clock, which all processes share; setting
the system's clock would stop a neighbour, or keep it busy.
"""

from __future__ import annotations

import math
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from feedbench.bench.processes.command import command_of
from feedbench.pipelines.system.signals import signal_at_parent_death

LINGER_SECONDS = 0.125  # after the last touch: shorter than another pipeline's turn
_MOMENT = struct.Struct("d")  # one write replaces it whole
_TURN_SECONDS = 0.02


@contextmanager
def neighbours(file: Path, count: int) -> Iterator[None]:
    """Start `count` neighbours that watch the file, which is created untouched."""
    file.write_bytes(_MOMENT.pack(-math.inf))
    command = command_of("feedbench.bench.selftest.neighbour", str(os.getpid()), str(file))
    started: list[subprocess.Popen[bytes]] = []
    try:
        started.extend(subprocess.Popen(command, start_new_session=True) for _ in range(count))
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def touch(file: Path, clock: Callable[[], float] = time.monotonic) -> None:
    """Make the neighbours that watch the file busy for a moment."""
    with file.open("r+b", buffering=0) as opened:
        opened.write(_MOMENT.pack(clock()))


def is_touched(file: Path, clock: Callable[[], float] = time.monotonic) -> bool:
    """Return whether the file was touched a moment ago."""
    (moment,) = _MOMENT.unpack(file.read_bytes())
    return bool(clock() - moment <= LINGER_SECONDS)


def _burn(file: Path) -> None:
    """Keep a core busy while the file has just been touched; never returns."""
    while True:
        end = time.monotonic() + _TURN_SECONDS
        if not is_touched(file):
            time.sleep(_TURN_SECONDS)
        while time.monotonic() < end:
            pass


if __name__ == "__main__":
    signal_at_parent_death(signal.SIGKILL)
    if os.getppid() == int(sys.argv[1]):
        _burn(Path(sys.argv[2]))
