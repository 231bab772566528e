"""The cores that this process, and every trial that it starts, may use."""

from __future__ import annotations

import os
from pathlib import Path

_MEMBERSHIP = Path("/proc/self/cgroup")
_MOUNTED = Path("/sys/fs/cgroup")


def usable_cores(membership: Path = _MEMBERSHIP, mounted: Path = _MOUNTED) -> float:
    """Return how many cores it may use at once: by its affinity and the quotas of its cgroups.

    Where no quota stands, a whole number. `membership` tells the cgroups, `mounted` is their
    file system: cgroups(7), and for the files the kernel's cgroup-v2 and sched-bwc documents.
    """
    return min([float(_affinity()), *_quotas(membership, mounted)])


def _affinity() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1


def _quotas(membership: Path, mounted: Path) -> list[float]:
    """Return the quotas of the cgroups around this process, in cores.

    A container may name its cgroup as the host sees it and yet mount it as the root: a folder
    that is not there has no quota, and the root is always looked at.
    """
    try:
        lines = membership.read_text().splitlines()
    except OSError:  # not Linux
        return []
    quotas = []
    for line in lines:
        _, controllers, group = line.split(":", 2)
        for around in (Path(group), *Path(group).parents):
            inner = around.relative_to("/")
            if not controllers:
                quotas.append(_share(mounted / inner / "cpu.max"))
            elif "cpu" in controllers.split(","):
                folder = mounted / "cpu" / inner
                quotas.append(_share(folder / "cpu.cfs_quota_us", folder / "cpu.cfs_period_us"))
    return [quota for quota in quotas if quota is not None]


def _share(*files: Path) -> float | None:
    """Return quota / period, both in microseconds; None where there is no limit, or no file."""
    try:
        quota, period = map(int, " ".join(file.read_text() for file in files).split())
    except (OSError, ValueError):  # no such file, or "max"
        return None
    return quota / period if quota > 0 and period > 0 else None
