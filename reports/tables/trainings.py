"""The tables of trainings: a row each, and a row an epoch."""

from __future__ import annotations

from collections.abc import Iterator

from feedbench.bench.records.trained_epoch import TrainedEpoch
from feedbench.bench.records.trainings.training import Training, TrainingRecord
from feedbench.bench.text import digits
from feedbench.reports.text.figures import MISSING, percent, seconds, shown
from feedbench.reports.text.titles import Title


def titles(record: TrainingRecord) -> list[Title]:
    """Return the titles of the table of trainings."""
    return [
        Title("pipeline", is_words=True),
        *([Title("seed")] if record.repeats > 1 else []),
        Title("epochs"),
        *_figure_titles(record),
        Title("best epoch"),
        Title("images/s"),
        Title("an epoch", "s"),
        Title("in all", "s"),
        *([Title("preparing", "s")] if _has_prepared(record) else []),
    ]


def rows(record: TrainingRecord) -> list[tuple[str, tuple[str, ...]]]:
    """Return the label and the cells of each training, after its label."""
    return [(training.label, tuple(_cells(training, record))) for training in record.trainings]


def _cells(training: Training, record: TrainingRecord) -> Iterator[str]:
    if record.repeats > 1:
        yield str(training.seed)
    epochs = f"{len(training.epochs):,}"
    yield epochs if training.status == "trained" else f"{epochs}, {training.status}"
    if training.last is None:
        yield from [MISSING] * len(_figure_titles(record))
    else:
        yield from _figures(training.last, record)
    yield MISSING if training.best_epoch is None else f"{training.best_epoch:,}"
    yield shown(training.rate)
    images = training.last.images if training.last is not None else None
    yield shown(images / training.rate if images and training.rate else None, seconds)
    yield shown(training.seconds if training.epochs else None, seconds)
    if _has_prepared(record):
        yield shown(training.prepare_seconds, seconds)


def _has_prepared(record: TrainingRecord) -> bool:
    return any(training.prepare_seconds is not None for training in record.trainings)


def epoch_titles(record: TrainingRecord) -> list[Title]:
    """Return the titles of the table of epochs."""
    return [
        Title("epoch"),
        *_figure_titles(record),
        Title("training", "s"),
        *([Title("validation", "s")] if record.validation_images else []),
        Title("images/s"),
    ]


def epochs(record: TrainingRecord) -> list[tuple[str, str, list[tuple[str, ...]]]]:
    """Return each training with an epoch: its label, its seed in words, and a row an epoch."""
    return [
        (
            training.label,
            f", seed {training.seed}" if record.repeats > 1 else "",
            [tuple(_epoch(epoch, record)) for epoch in training.epochs],
        )
        for training in record.trainings
        if training.epochs
    ]


def _epoch(epoch: TrainedEpoch, record: TrainingRecord) -> Iterator[str]:
    yield f"{epoch.number:,}"
    yield from _figures(epoch, record)
    yield seconds(epoch.seconds)
    if record.validation_images:
        yield seconds(epoch.val_seconds)
    yield digits(epoch.rate)


def _figure_titles(record: TrainingRecord) -> list[Title]:
    validated = [Title("validation accuracy", "%"), Title("validation loss")]
    training = [Title("training accuracy", "%"), Title("training loss")]
    return [*(validated if record.validation_images else []), *training]


def _figures(epoch: TrainedEpoch, record: TrainingRecord) -> Iterator[str]:
    if record.validation_images:
        yield shown(epoch.val_accuracy, percent)
        yield shown(epoch.val_loss, _loss)
    yield shown(epoch.accuracy, percent)
    yield shown(epoch.loss, _loss)


def _loss(value: float) -> str:
    return f"{value:.4f}" if value < 1000 else digits(value)  # noqa: PLR2004 - losses of a few digits
