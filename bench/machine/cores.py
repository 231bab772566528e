"""The cores that this process, and every trial that it starts, may use, and a trial on fewer."""

from __future__ import annotations

import os
from pathlib import Path

from feedbench.pipelines.system.cgroups import MEMBERSHIP, MOUNTED, cgroups_around

_TOPOLOGY = Path("/sys/devices/system/cpu")
_FILES = {1: ("cpu.cfs_quota_us", "cpu.cfs_period_us"), 2: ("cpu.max",)}  # by cgroup version


def usable_cores(membership: Path = MEMBERSHIP, mounted: Path = MOUNTED) -> float:
    """Return how many cores this process may use at once, by its affinity and cgroup quotas.

    A whole number unless there is a quota. `membership` names the cgroups, and `mounted` is their
    file system; the kernel's cgroup-v2 and sched-bwc documents describe the files.
    """
    return min([float(_affinity()), *_quotas(membership, mounted)])


def core_counts(usable: float) -> tuple[int, ...]:
    """Return the numbers of cores to measure: 1, 2, 4, ... up to all whole ones that are usable."""
    most = int(usable)
    return tuple(sorted({1 << power for power in range(most.bit_length())} | {most} - {0}))


def some_cores(count: int, turn: int, topology: Path = _TOPOLOGY) -> tuple[int, ...]:
    """Return `count` of the cores that this process may use, others at each turn.

    A core that runs two threads at once appears as two; its second comes after all first ones.
    Raises AttributeError if the system cannot pin processes.
    """
    firsts, seconds = _threads(topology)
    begin = turn % len(firsts)
    return tuple(sorted([*firsts[begin:], *firsts[:begin], *seconds][:count]))


def whole_cores_first(topology: Path = _TOPOLOGY) -> tuple[int, ...]:
    """Return the cores that this process may use, the second thread of each one last."""
    firsts, seconds = _threads(topology)
    return (*firsts, *seconds)


def _threads(topology: Path) -> tuple[list[int], list[int]]:
    """Return the first thread of each core that this process may use, and the others."""
    firsts: dict[str, int] = {}
    seconds = []
    for core in sorted(os.sched_getaffinity(0)):
        siblings = _siblings(core, topology)
        if siblings in firsts:
            seconds.append(core)
        else:
            firsts[siblings] = core
    return [*firsts.values()], seconds


def _siblings(core: int, topology: Path) -> str:
    """Return which threads share a core, as the kernel writes it; the core alone if it does not."""
    try:
        return (topology / f"cpu{core}" / "topology" / "thread_siblings_list").read_text()
    except OSError:
        return str(core)


def _affinity() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1


def _quotas(membership: Path, mounted: Path) -> list[float]:
    """Return the quotas of the cgroups around this process, in cores."""
    quotas = [
        _share(*(group.folder / file for file in _FILES[group.version]))
        for group in cgroups_around("cpu", membership, mounted)
    ]
    return [quota for quota in quotas if quota is not None]


def _share(*files: Path) -> float | None:
    """Return quota / period, both in microseconds; None if there is no limit or no file."""
    try:
        quota, period = map(int, " ".join(file.read_text() for file in files).split())
    except (OSError, ValueError):  # no such file, or "max"
        return None
    return quota / period if quota > 0 and period > 0 else None
