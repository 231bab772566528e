"""Trials in real processes, for several tests."""

from __future__ import annotations

import time
from pathlib import Path

from feedbench.bench.processes.client import Processes, what_went_wrong
from feedbench.bench.processes.underway import Outcome
from feedbench.bench.records.measurement import Measurement
from feedbench.bench.records.messages import Event, Measured, Purpose, Request, Start
from feedbench.bench.records.pace import USUAL, Pace
from tests.support.pipelines import loaders


class Runner:
    """Runs trials over the tests' photos, at a pace."""

    def __init__(
        self, processes: Processes, workload: Path, folder: Path, pace: Pace = USUAL
    ) -> None:
        self._processes = processes
        self._pace = pace
        self._workload = workload
        self._folder = folder
        self.events: list[Event] = []

    def run(
        self,
        spec: str,
        purpose: Purpose = "pilot",
        *,
        limit: float = 60.0,
        fresh_interpreter: bool = False,
    ) -> Outcome:
        scratch = self._folder / f"scratch-{time.monotonic_ns()}"
        scratch.mkdir()
        request = Request(
            label=spec,
            spec=spec,
            purpose=purpose,
            workload=str(self._workload),
            prepared=str(scratch),
            scratch=str(scratch),
            pace=self._pace,
        )
        start = Start(
            request=request,
            log=str(self._folder / "log"),
            fresh_interpreter=fresh_interpreter,
        )
        return self._processes.run(start, limit, self.events.append)

    def run_loader(self, text: str, purpose: Purpose = "pilot", *, limit: float = 60.0) -> Outcome:
        file = loaders.write_loader(self._folder, text)
        return self.run(f"{file}:photos", purpose, limit=limit)


def measured_of(outcome: Outcome) -> Measurement:
    """Return what a trial measured, which must have gone well."""
    assert isinstance(outcome.result, Measured), what_went_wrong(outcome)
    return outcome.result.measurement
