"""The cgroups around this process: cgroups(7)."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

MEMBERSHIP = Path("/proc/self/cgroup")
MOUNTED = Path("/sys/fs/cgroup")


class Cgroup(NamedTuple):
    """A cgroup's folder with its limits and counters. The version decides their names."""

    folder: Path
    version: int  # 1 or 2


def cgroups_around(
    controller: str, membership: Path = MEMBERSHIP, mounted: Path = MOUNTED
) -> list[Cgroup]:
    """Return the cgroups that control this process's "cpu" or "memory", up to the root.

    `membership` names the process's cgroups, `mounted` is their file system. A container may name
    its cgroup as the host sees it, but mount it as the root. So some folders may not exist. The
    list is empty without cgroups.
    """
    try:
        lines = membership.read_text().splitlines()
    except OSError:  # not Linux
        return []
    cgroups = []
    for line in lines:
        _, controllers, group = line.split(":", 2)
        for around in (Path(group), *Path(group).parents):
            inner = around.relative_to("/")
            if not controllers:
                cgroups.append(Cgroup(mounted / inner, 2))
            elif controller in controllers.split(","):
                cgroups.append(Cgroup(mounted / controller / inner, 1))
    return cgroups
