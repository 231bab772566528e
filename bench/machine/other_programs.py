"""What other programs take of the cores, while a trial is measured.

The probe cannot see it: it is short, and a scheduler lets who has slept go first. Beside a program
that used half of two cores, and halved every rate, probes hashed at 0.96 of the good level, which
had been calibrated beside it.
"""

from __future__ import annotations

import os
from pathlib import Path

from feedbench.bench.machine.cores import usable_cores

_STAT = Path("/proc/stat")


def watched_cores() -> frozenset[int]:
    """Return the cores that this process may use: none where a quota leaves fewer than there are.

    What others take is no loss of ours then. None either where the system does not tell.
    """
    try:
        cores = frozenset(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return frozenset()
    return cores if usable_cores() >= len(cores) else frozenset()


def user_seconds(cores: frozenset[int], stat: Path = _STAT) -> float | None:
    """Return the CPU time of all programs on these cores, since boot; None: not available.

    Time in the kernel is left out: some of that is its own threads', at work for the trial.
    proc_stat(5): the fields user and nice of a core's line.
    """
    try:
        lines = (line.split() for line in stat.read_text().splitlines())
        ticks = [int(f[1]) + int(f[2]) for f in lines if f and _core(f[0]) in cores]
    except (OSError, ValueError, IndexError):  # not Linux, or of another make
        return None
    if not cores or len(ticks) != len(cores):
        return None
    return sum(ticks) / os.sysconf("SC_CLK_TCK")


def _core(name: str) -> int | None:
    number = name.removeprefix("cpu")
    return int(number) if number != name and number.isdigit() else None
