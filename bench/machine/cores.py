"""The cores that this process, and every trial that it starts, may use."""

from __future__ import annotations

import os
from pathlib import Path

from feedbench.pipelines.system.cgroups import MEMBERSHIP, MOUNTED, cgroups_around

_FILES = {1: ("cpu.cfs_quota_us", "cpu.cfs_period_us"), 2: ("cpu.max",)}  # by cgroup version


def usable_cores(membership: Path = MEMBERSHIP, mounted: Path = MOUNTED) -> float:
    """Return how many cores this process may use at once, by its affinity and cgroup quotas.

    A whole number unless there is a quota. `membership` names the cgroups, and `mounted` is their
    file system; the kernel's cgroup-v2 and sched-bwc documents describe the files.
    """
    return min([float(_affinity()), *_quotas(membership, mounted)])


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
