"""The record of trainings as it grows: training.json and training.csv, replaced in one step."""

from __future__ import annotations

import time
from pathlib import Path

from msgspec.structs import replace

from feedbench.bench.files import write_whole
from feedbench.bench.records.trainings.training import Training, TrainingRecord, write_training
from feedbench.bench.records.trainings.training_table import CSV, table
from feedbench.bench.training.likeness import likeness_of


class Keeper:
    """Keeps the record and its table on disk; both are whole at every moment."""

    def __init__(self, record: TrainingRecord, folder: Path, begun: float) -> None:
        self.record = record
        self._folder = folder
        self._begun = begun  # CLOCK_MONOTONIC
        self._save()

    def put(self, training: Training) -> None:
        """Add a training, or replace what is known of it so far."""
        same = (training.label, training.seed)
        others = [each for each in self.record.trainings if (each.label, each.seed) != same]
        self.record = replace(self.record, trainings=[*others, training])
        self._save()

    def change(self, clause: str) -> None:
        """Record that photos changed: the training in which they did so is not complete."""
        last = self.record.trainings[-1]
        self.record = replace(self.record, changed=clause)
        self.put(replace(last, status="interrupted", why=clause, hint=""))

    def end(self, *, is_interrupted: bool) -> TrainingRecord:
        """Record the end, and whether the pipelines trained alike."""
        trainings = [_ended(each) for each in self.record.trainings]
        record = replace(self.record, trainings=trainings)
        self.record = replace(
            record,
            status="interrupted" if is_interrupted else "complete",
            likeness=likeness_of(record),
        )
        self._save()
        return self.record

    def _save(self) -> None:
        self.record = replace(self.record, seconds=time.monotonic() - self._begun)
        self._folder.mkdir(parents=True, exist_ok=True)  # another program may have removed it
        write_training(self._folder, self.record)
        write_whole(self._folder / CSV, table(self.record).encode())


def _ended(training: Training) -> Training:
    return replace(training, status="interrupted") if training.status == "running" else training
