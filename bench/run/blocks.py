"""The main blocks: trial after trial until the time, the blocks or the intervals say enough."""

from __future__ import annotations

import math
import signal
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from feedbench.bench.processes.progress import Listener
from feedbench.bench.processes.trials import Limit, Trials
from feedbench.bench.records.pace import USUAL, Pace
from feedbench.bench.records.run import Stopped
from feedbench.bench.records.trial import Fault, TrialRecord
from feedbench.bench.run.budget import Budget, Cost, trial_seconds
from feedbench.bench.run.schedule import Turn, block_order
from feedbench.pipelines.catalog import Spec

_STRIKES = 2  # failed trials after which a pipeline is left out of the blocks that follow
_LIMIT_FACTOR, _LEAST_LIMIT_SECONDS = 3.0, 30.0  # a trial may take so much of what it should
_RETAKEN_SHARE = 0.5  # of a block's trials, at most, are taken again: it may be no use
_BLOCK_RESERVE = 1.05  # a further block is begun if the longest so far, and this, would fit


class Keeps(Protocol):
    """What is told of each block, and asked whether there are enough."""

    def save(self, *, blocks: int) -> object:
        """Take the number of whole blocks."""

    def is_precise(self, labels: tuple[str, ...]) -> bool:
        """Tell whether more blocks would add little to what is known of these."""
        ...


def longest_block_seconds(records: Sequence[TrialRecord]) -> float:
    """Return what the trials of the longest block took; 0 without a block."""
    seconds: defaultdict[int, float] = defaultdict(float)
    for record in records:
        seconds[record.block] += record.seconds
    return max((seconds[block] for block in seconds if block), default=0.0)


class Blocks:
    """Runs blocks of all pipelines that have not failed too often."""

    def __init__(
        self,
        trials: Trials,
        specs: Mapping[str, Spec],
        costs: Mapping[str, Cost],
        workload: Path,
        budget: Budget,
        *,
        images: int,
        batch_size: int,
        seed: int,
        pace: Pace = USUAL,
    ) -> None:
        self.whole = 0  # blocks that came to their end
        self._trials = trials
        self._specs = specs  # the baseline first
        self._workload = workload
        self._budget = budget
        self._seed = seed
        self._expected = {
            label: trial_seconds(cost, images, batch_size, pace) for label, cost in costs.items()
        }
        self._strikes: Counter[str] = Counter()
        self._longest = 0.0  # block, in seconds

    def strike(self, record: TrialRecord) -> None:
        """Count a failed trial; a process that was killed may have been somebody's accident."""
        if record.ended == "failed":
            accident = record.signal == signal.SIGKILL or record.fault is Fault.FORKSERVER_DIED
            self._strikes[record.label] += 1 if accident else _STRIKES

    def expected(self, label: str) -> float:
        """Return about how many seconds a trial of this pipeline takes."""
        return self._expected[label]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the pipelines that still run."""
        return tuple(label for label in self._specs if self._strikes[label] < _STRIKES)

    @property
    def seconds(self) -> float:
        """About how long the next block takes; the baseline runs twice."""
        each = [self._expected[label] for label in self.labels]
        return sum(each) + (each[0] if each else 0.0)

    def go_on(self, whole: int, records: Sequence[TrialRecord]) -> None:
        """Take what an earlier process has measured, so that the block after it comes next."""
        self.whole = whole
        self._longest = longest_block_seconds(records)
        for record in records:
            self.strike(record)
            if record.ended == "measured" and record.label in self._expected and record.block:
                self._expected[record.label] = max(self._expected[record.label], record.seconds)

    def run(self, listener: Listener, keeper: Keeps) -> Stopped:
        """Run blocks until something says enough, and return what did."""
        while (why := self._enough(keeper)) is None:
            begun = self._budget.clock()
            if not self._block(self.whole + 1, listener):
                return Stopped.TIME
            self.whole += 1
            self._longest = max(self._longest, self._budget.clock() - begun)
            keeper.save(blocks=self.whole)
        return why

    def _enough(self, keeper: Keeps) -> Stopped | None:
        """Return why there is to be no further block, if so."""
        if not self.labels:
            return Stopped.FAILED
        if not self.whole:
            return None
        blocks = self._budget.blocks
        if blocks is not None and self.whole >= blocks:
            return Stopped.BLOCKS
        if blocks is None and keeper.is_precise(self.labels):
            return Stopped.PRECISE
        left = self._budget.seconds_left(self.whole)
        if left is not None and left < self._longest * _BLOCK_RESERVE:
            return Stopped.TIME
        return None

    def _block(self, block: int, listener: Listener) -> bool:
        """Run one block; False where the time was up before its end."""
        disturbed: list[Turn] = []
        turns = block_order(tuple(self._specs), self._seed, block)
        for place, turn in enumerate(turns):
            left = self._budget.seconds_left(self.whole)
            if left is not None and left <= 0:
                return False
            limit = self._limit(turns[place:])
            record = self._trial(turn, block, 1, limit, listener)
            if record is not None and record.ended == "time up":
                return False
            if record is not None and record.ended == "measured" and record.is_disturbed:
                disturbed.append(turn)
        # The block is whole. What the machine disturbed is taken again at its end, within limits.
        for turn in disturbed[: math.ceil(len(turns) * _RETAKEN_SHARE)]:
            left = self._budget.seconds_left(self.whole)
            if left is not None and left < _BLOCK_RESERVE * self._expected[turn[0]]:
                break
            self._trial(turn, block, 2, self._limit([turn]), listener)
        return True

    def _trial(
        self,
        turn: Turn,
        block: int,
        attempt: int,
        limit: Limit,
        listener: Listener,
    ) -> TrialRecord | None:
        """Run a turn's trial; None where the pipeline is measured no more."""
        label, purpose = turn
        if label not in self.labels:
            return None
        listener.trial_begins(block, label, self._budget.seconds_left(self.whole))
        record = self._trials.run(
            self._specs[label], purpose, self._workload, limit, block, attempt
        )
        listener.trial_ended(record, self._budget.seconds_left(self.whole))
        self.strike(record)
        if record.ended == "measured":
            self._expected[label] = max(self._expected[label], record.seconds)
        return record

    def _limit(self, turns: Sequence[Turn]) -> Limit:
        """Return the limit of the first of these trials, which are all that the block still needs.

        For a calm machine it is waited only as long as there is time for all of them.
        """
        own = max(_LEAST_LIMIT_SECONDS, _LIMIT_FACTOR * self._expected[turns[0][0]])
        ends_at = self._budget.deadline_after(self.whole)
        if ends_at is None:
            return Limit(own)
        needed = sum(self._expected[label] for label, _ in turns if label in self.labels)
        begin_by = ends_at - _BLOCK_RESERVE * needed
        return Limit(own, ends_at=ends_at, begin_by=begin_by).at(self._budget.clock())
