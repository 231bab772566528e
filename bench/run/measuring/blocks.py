"""The main blocks: trials until the time is up, or the blocks or their precision suffice."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from feedbench.bench.processes.limit import Limit
from feedbench.bench.processes.progress import Listener
from feedbench.bench.processes.trials import Trials
from feedbench.bench.records.messages import FEEDING
from feedbench.bench.records.pace import USUAL, Pace
from feedbench.bench.records.run import Stopped
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.run.budget import Budget
from feedbench.bench.run.forecast.progress import to_come
from feedbench.bench.run.measuring.rotation import Rotation, lacks_memory
from feedbench.bench.run.measuring.schedule import Lineup, Turn, block_order
from feedbench.bench.verdicts.intervals import LEAST_BLOCKS, LEVEL, student
from feedbench.bench.verdicts.turns.variances import (
    ASSUMED,
    best_turns,
    mean_variances,
    pairs_with,
    turns_within,
)

_LIMIT_FACTOR, _LEAST_LIMIT_SECONDS = 3.0, 30.0  # a trial's limit, as a multiple of its estimate
_BETWEEN_WINDOWS_SECONDS = 0.15  # of two turns, about, before a block has shown it
_REPEATED_SHARE = 0.5  # of a block's trials, at most, are repeated: it may be no use
_BLOCK_RESERVE = 1.05  # a further block starts if this multiple of the longest so far would fit


class Keeps(Protocol):
    """Saves the run after each block, and decides whether there are enough."""

    def so_far(self) -> str:
        """Return the answer after the completed blocks, in a few words; "" if there is none."""
        ...

    def save(self, *, blocks: int) -> object:
        """Save the run with this number of completed blocks."""

    def take_no_turns(self, why: str) -> None:
        """Set why the trials take no turns, as a clause."""

    def reason_to_stop(self, labels: tuple[str, ...]) -> Stopped | None:
        """Return why these pipelines need no further block; None if they need one."""
        ...


def longest_block_seconds(records: Sequence[TrialRecord]) -> float:
    """Return how long the longest block's trials took, in seconds; 0 without a block."""
    seconds: defaultdict[int, float] = defaultdict(float)
    for record in records:
        if record.purpose not in FEEDING:
            seconds[record.block] += record.seconds
    return max((seconds[block] for block in seconds if block), default=0.0)


class Blocks:
    """Runs blocks of all pipelines that have not failed too often.

    In a block, the trials take turns, unless there is a reason that they run `one_at_a_time`: a
    clause. A resumed run has `whole` completed blocks already; the longest took `longest_seconds`.
    """

    def __init__(
        self,
        trials: Trials,
        lineup: Lineup,
        workload: Path,
        budget: Budget,
        *,
        seed: int,
        whole: int = 0,
        longest_seconds: float = 0.0,
        one_at_a_time: str = "",
        pace: Pace = USUAL,
    ) -> None:
        self.whole = whole  # completed blocks
        self.lineup = lineup
        self.one_at_a_time = one_at_a_time
        self._pace = pace
        self._opening_seconds: float | None = None  # of the trials of a block; None: not known yet
        self._round_seconds = 0.0
        self._trials = trials
        self._workload = workload
        self._budget = budget
        self._seed = seed
        self._longest_seconds = longest_seconds
        self._seconds: list[float] = []  # of each block that this process has measured

    def run(self, listener: Listener, keeper: Keeps) -> Stopped:
        """Run blocks until there is a reason to stop, and return the reason."""
        while (stopped := self._enough(keeper)) is None:
            begun = self._budget.clock()
            if not self._block(self.whole + 1, listener, keeper):
                return Stopped.TIME
            self.whole += 1
            self._longest_seconds = max(self._longest_seconds, self._budget.clock() - begun)
            self._seconds.append(self._budget.clock() - begun)
            keeper.save(blocks=self.whole)
            listener.block_ended(keeper.so_far(), self._to_come())
        return stopped

    def _enough(self, keeper: Keeps) -> Stopped | None:
        """Return the reason to stop; None if a further block should run."""
        if not self.lineup.labels:
            return Stopped.FAILED
        if not self.whole:
            return None
        blocks, spare = self._budget.blocks, self._budget.spare_blocks
        if blocks is not None and self.whole >= blocks + spare:
            return Stopped.SPARE if spare else Stopped.BLOCKS
        if (reason := keeper.reason_to_stop(self.lineup.labels)) is not None:
            return Stopped.SPARE if reason is Stopped.BLOCKS and self.whole != blocks else reason
        if self._is_over(self._longest_seconds * _BLOCK_RESERVE):
            return Stopped.TIME
        return None

    def _block(self, block: int, listener: Listener, keeper: Keeps) -> bool:
        """Run one block; return False if the time was up before its end."""
        turns = block_order(tuple(self.lineup.specs), self._seed, block)
        if self.one_at_a_time:
            return self._one_at_a_time(turns, block, listener)
        rotation = Rotation(self._trials, seed=self._seed, block=block)
        try:
            return self._in_rotation(rotation, turns, listener, keeper)
        except BaseException:
            rotation.drop()
            raise

    def _in_rotation(
        self, rotation: Rotation, turns: Sequence[Turn], listener: Listener, keeper: Keeps
    ) -> bool:
        """Run one block in which the trials take turns."""
        block, begun = rotation.block, self._budget.clock()
        self._trials.expect()
        for place, turn in enumerate(turns):
            if turn[0] not in self.lineup.labels:
                continue
            if self._is_over(0.0):
                rotation.end_now()
                return False
            if lacks_memory(self._trials.records, turn[0]):
                self.one_at_a_time = "all pipelines at once need more memory than is available"
                keeper.take_no_turns(self.one_at_a_time)
                self._ended(rotation.close(), listener)
                return self._one_at_a_time(turns[place:], block, listener)
            listener.trial_started(block, turn[0], self._budget.seconds_left(self.whole))
            spec, limit = self.lineup.specs[turn[0]], self._limit(turns[place:])
            record = rotation.open(turn, spec, self._workload, limit)
            if record is not None and not self._ended([record], listener):
                rotation.end_now()
                return False
        self._opening_seconds = self._budget.clock() - begun
        self._round_seconds = rotation.rotate(
            self._rounds(len(rotation.ready)),
            self._is_over,
            lambda number: listener.stage(f"block {block}: round {number} of turns"),
            self._pace.least_rounds,
        )
        return self._ended(rotation.close(), listener)

    def _ended(self, records: Sequence[TrialRecord], listener: Listener) -> bool:
        """Show how trials ended; return False if the time of one was up."""
        for record in records:
            listener.trial_ended(record, self._budget.seconds_left(self.whole))
        self.lineup = self.lineup.after(records)
        return not any(record.ended == "time up" for record in records)

    def _rounds(self, trials: int) -> int:
        """Return how many rounds of turns this block may have.

        As many as the variances so far say, unless they would take the time of the blocks that
        verdicts need.
        """
        usual_seconds = trials * (self._pace.turn_seconds + _BETWEEN_WINDOWS_SECONDS)
        round_seconds = self._round_seconds or usual_seconds
        seconds_left = self._budget.seconds_left(self.whole)
        wanted = self._best_rounds(round_seconds, seconds_left)
        blocks = (self._budget.blocks or LEAST_BLOCKS) - self.whole
        if seconds_left is None or blocks < 1 or not trials:
            return wanted
        opening = (blocks - 1) * (self._opening_seconds or 0.0)
        fitting = int((seconds_left / _BLOCK_RESERVE - opening) / blocks / round_seconds)
        return min(max(fitting, self._pace.least_rounds), wanted)

    def _best_rounds(self, round_seconds: float, seconds_left: float | None) -> int:
        """Return how many rounds give the narrowest intervals, by the blocks so far."""
        records = [record for record in self._trials.records if record.block <= self.whole]
        pairs = pairs_with(next(iter(self.lineup.specs)), records)
        opening = self._opening_seconds or 0.0
        best = best_turns(pairs, opening, round_seconds)
        rounds = self._pace.rounds if best is None else best
        if seconds_left is not None and self._budget.blocks is None:
            known = mean_variances(pairs) or ASSUMED
            # The processes of this block are open already.
            in_time = turns_within(
                seconds_left + opening,
                [len(rounds) for rounds in pairs[0]] if pairs else [],
                known,
                (opening, round_seconds),
                lambda blocks: student(blocks, LEVEL),
            )
            rounds = min(rounds, in_time)
        return min(max(rounds, self._pace.least_rounds), self._pace.most_rounds)

    def _one_at_a_time(self, turns: Sequence[Turn], block: int, listener: Listener) -> bool:
        """Run one block of trials that run from beginning to end, one after the other."""
        disturbed: list[Turn] = []
        for place, turn in enumerate(turns):
            seconds_left = self._budget.seconds_left(self.whole)
            if seconds_left is not None and seconds_left <= 0:
                return False
            record = self._trial(turn, block, 1, self._limit(turns[place:]), listener)
            if record is not None and record.ended == "time up":
                return False
            if record is not None and record.ended == "measured" and record.is_disturbed:
                disturbed.append(turn)
        # The block is complete. Disturbed trials are repeated at its end, within limits.
        for turn in disturbed[: math.ceil(len(turns) * _REPEATED_SHARE)]:
            if self._is_over(_BLOCK_RESERVE * self.lineup.trial_seconds[turn[0]]):
                break
            self._trial(turn, block, 2, self._limit([turn]), listener)
        return True

    def _to_come(self) -> str:
        """Return what is still to come, by the blocks measured so far, in words."""
        budget = self._budget
        return to_come(
            self._seconds,
            budget.blocks,
            budget.seconds_left(self.whole),
            whole=self.whole,
            spare=budget.spare_blocks,
        )

    def _is_over(self, needed_seconds: float) -> bool:
        """Return whether less time is left than is needed."""
        seconds_left = self._budget.seconds_left(self.whole)
        return seconds_left is not None and seconds_left < needed_seconds

    def _trial(
        self, turn: Turn, block: int, attempt: int, limit: Limit, listener: Listener
    ) -> TrialRecord | None:
        """Run a turn's trial; return None if the pipeline is no longer measured."""
        label, purpose = turn
        if label not in self.lineup.labels:
            return None
        listener.trial_started(block, label, self._budget.seconds_left(self.whole))
        spec = self.lineup.specs[label]
        record = self._trials.run(spec, purpose, self._workload, limit, block, attempt)
        listener.trial_ended(record, self._budget.seconds_left(self.whole))
        self.lineup = self.lineup.after([record])
        return record

    def _limit(self, turns: Sequence[Turn]) -> Limit:
        """Return the limit of the first of these trials, the ones that the block still needs.

        A trial waits for a calm machine only as long as there is time for all of them.
        """
        trial_seconds = self.lineup.trial_seconds
        most = max(_LEAST_LIMIT_SECONDS, _LIMIT_FACTOR * trial_seconds[turns[0][0]])
        ends_at = self._budget.deadline_after(self.whole)
        if ends_at is None:
            return Limit(most)
        needed = sum(trial_seconds[label] for label, _ in turns if label in self.lineup.labels)
        begin_by = ends_at - _BLOCK_RESERVE * needed
        return Limit(most, ends_at=ends_at, begin_by=begin_by).at(self._budget.clock())
