"""The CPU time of other programs during a trial.

The probe cannot detect it: it is so short that the scheduler runs it ahead of other programs. In a
test, another program used half of two cores and halved every rate. Yet probes hashed at 0.96 of the
reference speed, calibrated next to the same program.
"""

from __future__ import annotations

import os
from pathlib import Path

from feedbench.bench.machine.cores import usable_cores

_STAT = Path("/proc/stat")


def watched_cores() -> frozenset[int]:
    """Return the cores that this process may use; none if a quota leaves it fewer than there are.

    Under such a quota, other programs' CPU time costs this process nothing. Also none if the
    system does not report the cores.
    """
    try:
        cores = frozenset(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return frozenset()
    return cores if usable_cores() >= len(cores) else frozenset()


def user_seconds(cores: frozenset[int], stat: Path = _STAT) -> float | None:
    """Return the CPU seconds of all programs on these cores since boot; None: not available.

    Leaves out time in the kernel, whose own threads may work for the trial. proc_stat(5): the
    fields user and nice of a core's line.
    """
    try:
        lines = (line.split() for line in stat.read_text().splitlines())
        ticks = [int(f[1]) + int(f[2]) for f in lines if f and _core(f[0]) in cores]
    except (OSError, ValueError, IndexError):  # not Linux, or another format
        return None
    if not cores or len(ticks) != len(cores):
        return None
    return sum(ticks) / os.sysconf("SC_CLK_TCK")


def _core(name: str) -> int | None:
    number = name.removeprefix("cpu")
    return int(number) if number != name and number.isdigit() else None
