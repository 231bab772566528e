"""The time that a training spends on its pipeline: preparation and every epoch. Pure.

Everything is for the whole folder: a preparation or an epoch of a part is extrapolated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from feedbench.bench.records.row import Row
from feedbench.bench.records.run import RunRecord
from feedbench.bench.text import counted, duration, listed
from feedbench.bench.verdicts.intervals import LEAST_BLOCKS
from feedbench.reports.sentences import equal_work
from feedbench.reports.text.figures import is_known, seconds

MOST_EPOCHS = 1000
"""The most epochs that are considered: hardly any training is longer."""

_MINUTE = 60  # seconds


@dataclass(frozen=True, kw_only=True)
class Cost:
    """A pipeline's time over the whole folder. Seconds."""

    label: str
    prepared: float  # 0 where it writes nothing in advance
    first: float  # epoch, from the opening of the pipeline
    later: float  # each epoch, restarted

    def total(self, epochs: float) -> float:
        """Return the seconds that so many epochs take, from 1 on."""
        return self.prepared + self.first + (epochs - 1) * self.later


@dataclass(frozen=True, kw_only=True)
class Reign:
    """From which epoch on a pipeline takes the least time of all."""

    epochs: int
    label: str


def costs(run: RunRecord) -> list[Cost]:
    """Return each pipeline's cost, in the run's order, if all three parts of it are known."""
    candidates = [_cost(row, run) for row in run.rows]
    return [cost for cost in candidates if cost is not None]


def reigns(run: RunRecord, spent: Sequence[Cost]) -> list[Reign]:
    """Return which pipeline takes the least time, from 1 epoch to 1,000, and where that changes.

    By the estimates alone, without their intervals. Pipelines whose work is not proven equal are
    left out. Empty if only one pipeline remains, if one has no known cost, or if there are too few
    blocks for a verdict.
    """
    unequal = equal_work.unequal(run)
    here = [cost for cost in spent if cost.label not in unequal]
    known = {cost.label for cost in spent}
    lacking = [row for row in run.rows if row.rate is not None and row.label not in unequal | known]
    is_told = len(here) > 1 and not lacking and run.blocks >= LEAST_BLOCKS
    reigning: list[Reign] = []
    for epochs in range(1, MOST_EPOCHS + 1) if is_told else ():
        least = min(cost.total(epochs) for cost in here)
        names = [cost.label for cost in here if cost.total(epochs) <= least]
        if not reigning or reigning[-1].label not in names:
            reigning.append(Reign(epochs=epochs, label=names[0]))
    return reigning


def sentence(reigning: Sequence[Reign], spent: Sequence[Cost], margin: float) -> str | None:
    """Return which pipeline takes the least time over how many epochs; None if none does.

    A pipeline that takes at most the `margin` longer, a share, is named as well.
    """
    if not reigning:
        return None
    first, *later = reigning
    close = _close(first, spent, margin)
    if not later:
        return (
            f"{first.label} takes the least time for any number of epochs from 1 to"
            f" {MOST_EPOCHS:,}, preparation included{close}."
        )
    parts = [
        f" From epoch {reign.epochs:,} on, {reign.label} does{_close(reign, spent, margin)}."
        for reign in later
    ]
    return (
        f"With preparation included, {first.label} takes the least time for"
        f" {_up_to(later[0].epochs - 1)}{close}.{''.join(parts)}"
    )


def _close(reign: Reign, spent: Sequence[Cost], margin: float) -> str:
    """Return which pipelines take nearly as little time where a reign begins."""
    least = min(cost.total(reign.epochs) for cost in spent if cost.label == reign.label)
    names = [
        cost.label
        for cost in spent
        if cost.label != reign.label and least <= cost.total(reign.epochs) <= (1 + margin) * least
    ]
    if not names:
        return ""
    return (
        f" ({listed(names)} {'is' if len(names) == 1 else 'are'} within {100 * margin:.4g}% of it)"
    )


def after(epochs: int, cost: Cost) -> str:
    """Return a total time as text: 0.512 s, 4 min 5 s, 10 h 11 min."""
    value = cost.total(epochs)
    if value < _MINUTE:
        return f"{seconds(value)} s"
    return duration(value)


def _up_to(epochs: int) -> str:
    return "1 epoch" if epochs == 1 else f"1 to {counted(epochs, 'epoch')}"


def _cost(row: Row, run: RunRecord) -> Cost | None:
    part = run.workload.images / max(run.workload.folder_images, 1)
    is_part = run.workload.is_part
    first = row.folder_first_epoch_seconds if is_part else row.first_epoch_seconds
    later = row.folder_epoch_seconds
    if first is None or later is None or not (is_known(first) and is_known(later)) or part <= 0:
        return None
    prepared = row.preparation.seconds if row.preparation is not None else 0.0
    if not is_known(prepared):
        return None
    return Cost(label=row.label, prepared=prepared / part, first=first, later=later)


def unpriced(run: RunRecord, spent: Sequence[Cost]) -> str | None:
    """Return a sentence on pipelines whose first epoch of the whole folder is not known."""
    known = {cost.label for cost in spent}
    labels = [
        row.label
        for row in run.rows
        if row.first_epoch_seconds is not None and row.label not in known
    ]
    if not run.workload.is_part or not labels:
        return None
    images = counted(run.workload.images, "image")
    return (
        f"The total time of {listed(labels)} is not known. From {images} alone, what an epoch takes"
        " to begin cannot be separated from what each image takes. --limit all measures it."
    )
