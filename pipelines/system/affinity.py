"""Which cores a process may use. Linux only."""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

CAN_PIN = hasattr(os, "sched_setaffinity")
"""Whether this system lets a process be pinned to cores."""


def pin(cores: Collection[int]) -> None:
    """Let this process, its threads and what they start run on these cores only.

    A thread that begins later inherits them. Raises OSError if none of the cores may be used.
    """
    os.sched_setaffinity(0, cores)
    for thread in Path("/proc/self/task").iterdir():  # those of libraries that are imported already
        with suppress(ProcessLookupError):  # it has just ended
            os.sched_setaffinity(int(thread.name), cores)
