"""The results of `feedbench train`, as text for a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from feedbench.bench.text import counted, digits
from feedbench.reports.sentences.trainings import training as sentences
from feedbench.reports.terminal.layout import (
    folded,
    put,
    put_note,
    put_path,
    set_width,
    simple_table,
)
from feedbench.reports.text.escaping import visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from feedbench.bench.records.trainings.training import Training, TrainingRecord


def show(record: TrainingRecord, console: Console, out: Path, page: Path | None = None) -> None:
    """Print a row for each training, whether they are alike, and where everything is."""
    set_width(console)
    put(console, Text(_heading(record), style="bold"))
    if record.trainings:
        put(console, _table(record), "")
    put(console, Text(visible(sentences.likeness(record))))
    for remark in sentences.remarks(record):
        put_note(console, Text(visible(remark)))
    put_path(console, Text(f"The models, the events and training.csv are in {visible(str(out))}"))
    if page is not None:
        put_path(console, Text(f"The curves are in {visible(str(page))}"))


def _heading(record: TrainingRecord) -> str:
    images = counted(record.workload.images, "image")
    validated = f", {record.validation_images:,} for validation" if record.validation_images else ""
    epochs = counted(record.epochs, "epoch")
    return f"{visible(record.model.name)}, {epochs}, {images}{validated}"


def _table(record: TrainingRecord) -> Table:
    table = simple_table()
    has_seeds, is_validated = record.repeats > 1, record.validation_images > 0
    if has_seeds:
        table.add_column("seed", justify="right", vertical="bottom")
    for name in ("epochs", "s", "images/s", "loss", "accuracy"):
        table.add_column(name, justify="right", vertical="bottom")
    for name in ("val_loss", "val_accuracy") if is_validated else ():
        table.add_column(name, justify="right", vertical="bottom")
    table.add_column("best epoch", justify="right", vertical="bottom")
    for training in record.trainings:
        seed = [str(training.seed)] if has_seeds else []
        cells = _cells(training, is_validated=is_validated)
        table.add_row(Text(folded(visible(training.label))), *map(Text, (*seed, *cells)))
    return table


def _cells(training: Training, *, is_validated: bool) -> list[str]:
    last, rate = training.last, training.rate
    if last is None or rate is None:
        return [training.status, *[""] * (7 if is_validated else 5)]
    figures = [last.loss, last.accuracy]
    if is_validated:
        figures += [last.val_loss, last.val_accuracy]
    epochs = str(len(training.epochs))
    if training.status != "trained":
        epochs += f", {training.status}"
    best = "" if training.best_epoch is None else str(training.best_epoch)
    return [
        epochs,
        digits(training.seconds),
        digits(rate),
        *("" if value is None else f"{value:.4f}" for value in figures),
        best,
    ]
