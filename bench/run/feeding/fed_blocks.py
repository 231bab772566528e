"""Blocks of trials that feed a model, one trial after the other.

They take no turns. A stopped process would sleep on, and a step of a real model may be longer than
a turn. A model also keeps its memory, on a GPU above all.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from feedbench.bench.processes.limit import Limit
from feedbench.bench.processes.progress import Listener
from feedbench.bench.records.messages import Fed, Purpose
from feedbench.bench.records.trial import TrialRecord
from feedbench.pipelines.catalog import Spec

_RESERVE = 1.05  # a further block starts if this multiple of the longest so far would fit
_LIMIT_FACTOR, _LEAST_LIMIT_SECONDS = 4.0, 60.0


class Runs(Protocol):
    """Runs one trial."""

    def run(
        self,
        spec: Spec,
        purpose: Purpose,
        workload: Path,
        limit: Limit,
        block: int = 0,
        attempt: int = 1,
        *,
        fed: Fed | None = None,
        cores: tuple[int, ...] = (),
    ) -> TrialRecord:
        """Run one trial; return its record, which is on disk by then."""
        ...


@dataclass(frozen=True, kw_only=True)
class Member:
    """A trial of each block: who feeds, and what."""

    spec: Spec
    purpose: Purpose
    fed: Callable[[], Fed]  # when it is this trial's turn
    seconds: float  # that it takes, about
    cores: Callable[[], tuple[int, ...]] = tuple  # that it may use, at its turn; (): all


@dataclass
class FedBlocks:
    """Runs blocks of trials that feed a model, until a deadline or until there are enough."""

    trials: Runs
    workload: Path
    listener: Listener
    seed: int
    deadline: float | None  # of `clock`; None: no limit
    clock: Callable[[], float]
    name: str  # of a block: the order of its trials depends on it
    whole: int = 0  # completed blocks
    failed: set[str] = field(default_factory=set)  # labels that are no longer measured
    _longest_seconds: float = 0.0

    def run(
        self, members: Sequence[Member], keep: Callable[[int], bool], blocks: int | None = None
    ) -> bool:
        """Run blocks; return whether they ended before the time was up.

        `keep` is called after each with the number of completed ones, and returns whether they are
        enough. `blocks`: exactly so many.
        """
        while blocks is None or self.whole < blocks:
            begun = self.clock()
            if self._is_over(self._needed(members)) or not self._block(members):
                return False
            self.whole += 1
            self._longest_seconds = max(self._longest_seconds, self.clock() - begun)
            if keep(self.whole) and blocks is None:
                return True
        return True

    def _needed(self, members: Sequence[Member]) -> float:
        if self._longest_seconds:
            return _RESERVE * self._longest_seconds
        return sum(member.seconds for member in members)

    def _block(self, members: Sequence[Member]) -> bool:
        """Run one block; return False if the time was up before its end."""
        block = self.whole + 1
        order = [member for member in members if member.spec.label not in self.failed]
        random.Random(f"{self.seed}/{self.name}/{block}").shuffle(order)  # noqa: S311
        for place, member in enumerate(order):
            label = member.spec.label
            self.listener.stage(f"{self.name} {block}: {label}")
            limit = self._limit(order[place:])
            record = self.trials.run(
                member.spec, member.purpose, self.workload, limit, block,
                fed=member.fed(), cores=member.cores(),
            )  # fmt: skip
            self.listener.trial_ended(record, self._seconds_left())
            if record.ended == "time up":
                return False
            if record.ended == "failed":
                self.failed.add(label)
        return True

    def _limit(self, members: Sequence[Member]) -> Limit:
        most = max(_LEAST_LIMIT_SECONDS, _LIMIT_FACTOR * members[0].seconds)
        if self.deadline is None:
            return Limit(most)
        begin_by = self.deadline - _RESERVE * sum(member.seconds for member in members)
        return Limit(most, ends_at=self.deadline, begin_by=begin_by).at(self.clock())

    def _seconds_left(self) -> float | None:
        return None if self.deadline is None else self.deadline - self.clock()

    def _is_over(self, needed_seconds: float) -> bool:
        left = self._seconds_left()
        return left is not None and left < needed_seconds
