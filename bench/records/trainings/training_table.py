"""training.csv: a row for each epoch of each training."""

from __future__ import annotations

import csv
import io

from feedbench.bench.records.trainings.training import TrainingRecord

CSV = "training.csv"
COLUMNS = (
    "pipeline",
    "seed",
    "epoch",
    "seconds",
    "images_per_second",
    "loss",
    "accuracy",
    "val_loss",
    "val_accuracy",
    "val_seconds",
)


def table(record: TrainingRecord) -> str:
    """Return one row for each epoch of each training, as CSV. A figure that is missing is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for training in record.trainings:
        for epoch in training.epochs:
            writer.writerow(
                (
                    training.label,
                    training.seed,
                    epoch.number,
                    f"{epoch.seconds:.6g}",
                    f"{epoch.rate:.6g}",
                    *map(_cell, (epoch.loss, epoch.accuracy, epoch.val_loss, epoch.val_accuracy)),
                    f"{epoch.val_seconds:.6g}",
                )
            )
    return text.getvalue()


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
