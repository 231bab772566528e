"""The kernel's counters around a trial: time stolen, throttled, and under pressure.

Recorded in addition to the probe, which detects what these miss. None: not available.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from feedbench.bench.records.conditions.calm import Counters
from feedbench.pipelines.system.cgroups import MOUNTED, cgroups_around

_PROC = Path("/proc")
_MICROSECOND, _NANOSECOND = 1e-6, 1e-9
_STEAL = 8  # the field of /proc/stat's first line, its name counted: proc_stat(5)


def read_counters(proc: Path = _PROC, mounted: Path = MOUNTED) -> Counters:
    """Read the counters as they are now."""
    return Counters(
        stolen=_stolen(proc / "stat"),
        throttled=_throttled(proc / "self" / "cgroup", mounted),
        cpu_pressure=_pressure(proc / "pressure" / "cpu"),
        io_pressure=_pressure(proc / "pressure" / "io"),
        memory_pressure=_pressure(proc / "pressure" / "memory"),
    )


def run_delay(tasks: Path = _PROC / "self" / "task") -> float | None:
    """Return the seconds that this process's living threads were ready and had no core.

    This is the second field of /proc/PID/task/TID/schedstat, in nanoseconds
    (Documentation/scheduler/sched-stats.rst).
    """
    lines = [line.split() for file in _schedstats(tasks) if (line := _text(file))]
    delays = [int(fields[1]) for fields in lines if len(fields) > 1 and fields[1].isdigit()]
    return sum(delays) * _NANOSECOND if delays else None


def _schedstats(tasks: Path) -> Iterable[Path]:
    try:
        return [task / "schedstat" for task in tasks.iterdir()]
    except OSError:  # not Linux
        return []


def _stolen(stat: Path) -> float | None:
    fields = (_text(stat) or "").split("\n", 1)[0].split()
    if len(fields) <= _STEAL or not fields[_STEAL].isdigit():
        return None
    return int(fields[_STEAL]) / os.sysconf("SC_CLK_TCK")


def _throttled(membership: Path, mounted: Path) -> float | None:
    """Return the seconds for which cgroups (version 2) around this process throttled it."""
    groups = cgroups_around("cpu", membership, mounted)
    folders = [group.folder for group in groups if group.version == 2]  # noqa: PLR2004
    counts = [_field(_text(folder / "cpu.stat"), "throttled_usec") for folder in folders]
    microseconds = [count for count in counts if count is not None]
    return sum(microseconds) * _MICROSECOND if microseconds else None


def _pressure(file: Path) -> float | None:
    for line in (_text(file) or "").splitlines():
        if line.startswith("some "):
            total = line.rpartition("total=")[2]
            return int(total) * _MICROSECOND if total.isdigit() else None
    return None


def _field(text: str | None, name: str) -> int | None:
    for line in (text or "").splitlines():
        field, _, value = line.partition(" ")
        if field == name and value.isdigit():
            return int(value)
    return None


def _text(file: Path) -> str | None:
    try:
        return file.read_text()
    except OSError:
        return None
