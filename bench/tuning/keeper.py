"""tuning.json as it grows: replaced in one step after each rung."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from feedbench.bench.records.tuning.tuning import Result, Rung, TuningRecord, write_tuning
from feedbench.bench.tuning.halving import staying


class Keeper:
    """Keeps the record on disk; it is whole at every moment."""

    def __init__(self, record: TuningRecord, folder: Path, begun: float) -> None:
        self.record = record
        self._folder = folder
        self._begun = begun  # CLOCK_MONOTONIC

    def add(self, rung: Rung) -> None:
        """Add a rung. Its best is the winner so far."""
        self.record = replace(self.record, rungs=[*self.record.rungs, rung])
        if rung.best is not None:
            self.choose(rung, rung.best)
            equals = [label for label in staying(rung) if self._is_equal(rung, label)]
            self.put(equals=equals)
        self.put(run=rung.folder)

    def choose(self, rung: Rung, label: str) -> None:
        """Set the winner, with its figures and those of the default in a rung."""
        results = {each.label: each for each in rung.results}
        winner, default = results[label], results.get(self.record.default)
        self.put(
            winner=winner.label,
            winner_spec=winner.spec,
            winner_total=winner.total,
            winner_rate=winner.rate,
            default_total=None if default is None else default.total,
            default_rate=None if default is None else default.rate,
        )

    def put(self, **changes: Any) -> None:
        """Replace fields of the record, and write it."""
        seconds = time.monotonic() - self._begun
        self.record = replace(self.record, **changes, seconds=seconds)
        write_tuning(self._folder, self.record)

    def _is_equal(self, rung: Rung, label: str) -> bool:
        """Return whether a candidate is neither the best nor shown slower than it."""
        gain = _result(rung, label).against_best
        return label != rung.best and not (gain and gain.high is not None and gain.high < 1)


def _result(rung: Rung, label: str) -> Result:
    return next(each for each in rung.results if each.label == label)
