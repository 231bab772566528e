"""Records of trainings, for tests of what is made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from feedbench.bench.records.trained_epoch import TrainedEpoch
from feedbench.bench.records.trainings.training import ModelRecord, Training, TrainingRecord
from feedbench.bench.training.likeness import likeness_of
from tests.support.builders import a_run

IMAGES = 80  # for training
VALIDATION = 20


def an_epoch(number: int = 1, **given: Any) -> TrainedEpoch:
    fields: dict[str, Any] = {
        "number": number,
        "seconds": 2.0,
        "images": IMAGES,
        "loss": 1.5 / number,
        "accuracy": 0.5,
        "val_loss": 1.6 / number,
        "val_accuracy": 0.45,
        "val_seconds": 0.5,
    }
    return TrainedEpoch(**fields | given)


def a_training(label: str, accuracies: Sequence[float] = (0.5,), **given: Any) -> Training:
    """A training with these validation accuracies, one an epoch."""
    epochs = [
        an_epoch(number, val_accuracy=accuracy) for number, accuracy in enumerate(accuracies, 1)
    ]
    fields: dict[str, Any] = {
        "label": label,
        "spec": label,
        "seed": 0,
        "status": "trained",
        "initial_weights": "same",
        "epochs": epochs,
        "best_epoch": 1,
        "model": f"models/{label}.keras",
    }
    return Training(**fields | given)


def a_record(*trainings: Training, **given: Any) -> TrainingRecord:
    run = a_run()
    workload = run.workload.__class__(
        **{name: getattr(run.workload, name) for name in run.workload.__struct_fields__}
        | {"images": IMAGES}
    )
    fields: dict[str, Any] = {
        "status": "complete",
        "command": ["feedbench", "train"],
        "started_at": "2026-01-31T12:00:00+00:00",
        "workload": workload,
        "validation_images": VALIDATION,
        "model": ModelRecord(spec="flowers_cnn", name="flowers_cnn", parameters=12345),
        "epochs": 2,
        "trainings": list(trainings),
        "environment": run.environment,
    }
    return TrainingRecord(**fields | given)


def compared(*labels: str, **given: Any) -> TrainingRecord:
    """Trainings of three epochs that are alike."""
    record = a_record(
        *(a_training(label, [0.3, 0.5, 0.6], best_epoch=2) for label in labels), epochs=3, **given
    )
    return replace(record, likeness=likeness_of(record))
