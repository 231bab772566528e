"""Reads, between the turns of a rotation, who has used the cores meanwhile.

All pipelines are stopped while it reads, so a reading takes no time from any of them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable

import msgspec

from feedbench.bench.machine.cores import usable_cores
from feedbench.bench.machine.other_programs import user_seconds, watched_cores
from feedbench.bench.machine.process_tree import Snapshot, TreeMeter


class TurnReading(msgspec.Struct, frozen=True):
    """One reading. Seconds since boot, or since a process began."""

    at: float  # CLOCK_MONOTONIC
    user_seconds: float | None  # of all programs, on the cores that this process may use
    trees: tuple[Snapshot | None, ...]  # of each forkserver

    def outside(self, groups: Collection[int]) -> list[int]:
        """Return the processes below the forkservers that are in none of these groups."""
        return [
            pid
            for tree in self.trees
            if tree is not None
            for pid in tree.processes
            if pid != tree.root and _group(pid) not in groups
        ]

    @property
    def others_seconds(self) -> float | None:
        """The user time of all programs but the trials; None if it is not known."""
        trees = [tree.user_seconds for tree in self.trees if tree is not None]
        if self.user_seconds is None or len(trees) < len(self.trees):
            return None
        return self.user_seconds - sum(trees)


class TurnMeter:
    """Reads the trees under the forkservers that `roots` returns."""

    def __init__(self, roots: Iterable[Callable[[], int | None]]) -> None:
        self._meters = [TreeMeter(root) for root in roots]
        self._cores = watched_cores()

    def read(self) -> TurnReading:
        """Take a reading. It takes 2 to 3 ms here."""
        trees = tuple(meter.read() for meter in self._meters)
        return TurnReading(time.monotonic(), user_seconds(self._cores), trees)


def others_share(before: TurnReading, after: TurnReading) -> float | None:
    """Return the share of the cores that other programs used between two readings."""
    now, then = after.others_seconds, before.others_seconds
    if now is None or then is None:
        return None
    return max(now - then, 0.0) / (usable_cores() * (after.at - before.at))


def _group(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except OSError:
        return None
