"""One block in which all trials are open at once, and take turns.

Each trial runs alone up to its steady rate, one after the other. Then all are stopped but one, for
turns of half a second in random order, round after round. Neighbours in time see the same machine.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec.structs import replace

from feedbench.bench.machine.turn_meter import TurnMeter, TurnReading, others_share
from feedbench.bench.processes.limit import Limit
from feedbench.bench.processes.open_trial import OpenTrial
from feedbench.bench.processes.trials import Trials
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.run.measuring.schedule import Turn
from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.system.memory import available_bytes

_UNKNOWN_BYTES = 1 << 30  # of a trial, before any has shown its memory
_MEMORY_RESERVE = 1.25
_TURN_FACTOR, _TURN_LEAST_SECONDS = 10.0, 20.0  # a turn's limit


def lacks_memory(records: Sequence[TrialRecord], label: str) -> bool:
    """Return whether one more trial, of this label, may need more memory than is available.

    Judged by the most that a trial of the label has used; if none has ended, by any pipeline's.
    """
    peaks = [
        (record.label == label, record.measured.peak_memory_bytes)
        for record in records
        if record.measured is not None and record.measured.peak_memory_bytes is not None
    ]
    of_label = [peak for is_its, peak in peaks if is_its]
    needed = max(of_label or [peak for _, peak in peaks], default=_UNKNOWN_BYTES)
    return available_bytes() < _MEMORY_RESERVE * needed


class Rotation:
    """The open trials of one block. `close` or `drop` must be called at its end."""

    def __init__(self, trials: Trials, *, seed: int, block: int) -> None:
        self._trials = trials
        self._meter = TurnMeter(trials.forkservers)
        self._seed = seed
        self.block = block
        self._open: dict[Turn, OpenTrial] = {}
        self._limits: dict[Turn, Limit] = {}

    def open(
        self, turn: Turn, spec: Spec, workload: Path, limit: Limit, *, is_repeated: bool = False
    ) -> TrialRecord | None:
        """Open a trial. Return its record if it takes no turns: it failed, or cannot be stopped.

        It is repeated once if the run's own folders were removed during it.
        """
        trial = self._trials.open(spec, turn[1], workload, limit, self.block)
        if not trial.is_ready:
            record = self._trials.close(trial, limit, None)
            if record.ended != "interrupted" or is_repeated:
                return record
            return self.open(turn, spec, workload, limit, is_repeated=True)
        self._open[turn], self._limits[turn] = trial, limit
        self._stop_outside(trial, self._meter.read())
        return None

    @property
    def ready(self) -> list[Turn]:
        """The trials that are ready for a turn."""
        return [turn for turn, trial in self._open.items() if trial.is_ready]

    def rotate(
        self,
        rounds: int,
        is_over: Callable[[float], bool],
        on_round: Callable[[int], object],
        least: int,
    ) -> float:
        """Let the trials take turns; return how many seconds the longest round took.

        `is_over` says whether a time in seconds is not left; then fewer rounds are made, but
        `least` at least. `on_round` is called before each, with its number.
        """
        longest, before = 0.0, self._meter.read()
        for number in range(1, rounds + 1):
            if number > least and is_over(longest):
                break
            on_round(number)
            begun = time.monotonic()
            for turn in self._order(number):
                before = self._take(self._open[turn], number, before)
            longest = max(longest, time.monotonic() - begun)
        return longest

    def close(self) -> list[TrialRecord]:
        """Let all trials end, and return their records; the machine is probed first."""
        around = self._trials.around()
        records = []
        while self._open:
            turn = next(iter(self._open))
            trial = self._open.pop(turn)  # first: an interruption would record it twice
            records.append(self._trials.close(trial, self._limits[turn], around))
        return records

    def end_now(self) -> None:
        """End and record all trials, of a block that cannot be completed."""
        for trial in self._open.values():
            trial.kill()
        self.drop()

    def drop(self) -> None:
        """Record all trials, of a run that was interrupted; their processes end with it."""
        for trial in self._open.values():
            self._trials.drop(trial)
        self._open.clear()

    def _order(self, number: int) -> Sequence[Turn]:
        """Return a round's order, which depends only on the seed, the block and the round."""
        order = self.ready
        random.Random(f"{self._seed}/{self.block}/{number}").shuffle(order)  # noqa: S311
        return order

    def _take(self, trial: OpenTrial, number: int, before: TurnReading) -> TurnReading:
        """Let a trial take its turn; return the reading after it."""
        expected = max((turn.awake_seconds for turn in trial.turns), default=0.0)
        turn = trial.take(number, max(_TURN_FACTOR * expected, _TURN_LEAST_SECONDS))
        after = self._meter.read()
        if turn is not None:
            trial.turns[-1] = replace(turn, others_share=others_share(before, after))
        self._stop_outside(trial, after)
        return after

    def _stop_outside(self, trial: OpenTrial, reading: TurnReading) -> None:
        """Stop what left the groups while this trial ran: it can only be its own."""
        groups = {other.pid for other in self._open.values() if other.pid is not None}
        for pid in reading.outside(groups):
            trial.stop_outside(pid)
