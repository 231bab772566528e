"""A gate's runs, claimed: what `perform` leaves on disk, without measuring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.processes.progress import Listener
from feedbench.bench.records.row import Row
from feedbench.bench.records.run import RunRecord, Stopped
from feedbench.pipelines.catalog import parse
from tests.support.builders import a_proof, a_row, a_run, a_run_folder, trials_of

CALM = [1000, 1004, 998, 1001, 1003, 999, 1002, 997]
NOISY = [1000, 1300, 800, 1100, 900, 1200, 850, 1050]


@dataclass
class Performs:
    """Stands in for `perform`: each of its runs has the next of these rates for the new loader."""

    rates: list[Sequence[int]]
    given: dict[str, Any] = field(default_factory=dict)  # of each run's record
    failure: str = ""  # of the new loader
    asked: list[RunOptions] = field(default_factory=list)

    def __call__(self, options: RunOptions, listener: Listener) -> RunRecord:
        """Write the run folder of a gate, and return its record."""
        self.asked.append(options)
        rates = {"base": CALM, "new": self.rates[len(self.asked) - 1]}
        rows = [self._row(text) for text in options.specs]
        run = a_run(*rows, sequential=True, stopped_because=Stopped.DECIDED, **self.given)
        options.out.mkdir(parents=True, exist_ok=True)
        a_run_folder(options.out, run, trials_of(rates))
        return run

    def _row(self, text: str) -> Row:
        spec = parse(text)
        row = replace(a_row(spec.label), spec=spec.text, proof=a_proof("same"))
        if self.failure and spec.label == "new":
            return replace(row, rate=None, failures=[self.failure], proof=None)
        return row
