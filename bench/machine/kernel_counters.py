"""What the kernel says of the machine around a trial: time stolen, throttled, and under pressure.

Recorded beside the probe, which sees what these do not. What a system does not tell is None.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from feedbench.bench.records.calm import Counters

_PROC = Path("/proc")
_CGROUPS = Path("/sys/fs/cgroup")
_MICROSECOND, _NANOSECOND = 1e-6, 1e-9
_STEAL = 8  # the field of /proc/stat's first line, its name counted: proc_stat(5)


def read_counters(proc: Path = _PROC, cgroups: Path = _CGROUPS) -> Counters:
    """Read the counters as they are now."""
    return Counters(
        stolen=_stolen(proc / "stat"),
        throttled=_throttled(proc / "self" / "cgroup", cgroups),
        cpu_pressure=_pressure(proc / "pressure" / "cpu"),
        io_pressure=_pressure(proc / "pressure" / "io"),
        memory_pressure=_pressure(proc / "pressure" / "memory"),
    )


def run_delay(tasks: Path = _PROC / "self" / "task") -> float | None:
    """Return the seconds that this process's threads were ready and had no core.

    Of those that live: the second field of /proc/PID/task/TID/schedstat, in nanoseconds
    (Documentation/scheduler/sched-stats.rst).
    """
    found = [line.split() for file in _schedstats(tasks) if (line := _text(file))]
    delays = [int(fields[1]) for fields in found if len(fields) > 1 and fields[1].isdigit()]
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


def _throttled(membership: Path, cgroups: Path) -> float | None:
    """Return what the quotas of all the cgroups (version 2) around this process took."""
    group = next(
        (line[3:] for line in (_text(membership) or "").splitlines() if line.startswith("0::")), ""
    )
    if not group:
        return None
    folders = [cgroups / around.relative_to("/") for around in (Path(group), *Path(group).parents)]
    found = [_field(_text(folder / "cpu.stat"), "throttled_usec") for folder in folders]
    known = [value for value in found if value is not None]
    return sum(known) * _MICROSECOND if known else None


def _pressure(file: Path) -> float | None:
    for line in (_text(file) or "").splitlines():
        if line.startswith("some "):
            total = line.rpartition("total=")[2]
            return int(total) * _MICROSECOND if total.isdigit() else None
    return None


def _field(text: str | None, name: str) -> int | None:
    for line in (text or "").splitlines():
        found, _, value = line.partition(" ")
        if found == name and value.isdigit():
            return int(value)
    return None


def _text(file: Path) -> str | None:
    try:
        return file.read_text()
    except OSError:
        return None
