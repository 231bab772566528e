"""The charts of trainings: accuracy and loss by epoch, a panel for each pipeline, and rates."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from feedbench.bench.records.trained_epoch import TrainedEpoch
from feedbench.bench.records.trainings.training import Training, TrainingRecord
from feedbench.bench.text import counted, digits
from feedbench.reports.charts import svg, tracks
from feedbench.reports.charts.tracks import NARROW, WIDE, Line, Scale
from feedbench.reports.text import palette
from feedbench.reports.text.figures import MISSING, is_known, percent

_HEIGHT = 190  # pixels of a panel itself
_BELOW, _ABOVE, _LEFT, _RIGHT = 42, 16, 44, 10
_MOST_TICKS = 5
_MOST_MARKED = 12  # epochs: of more, only the lines are drawn
_ROOM = 0.06  # of the scale, above and below all values

_Figure = Callable[[TrainedEpoch], float | None]


@svg.plain_style()
def accuracies(record: TrainingRecord) -> dict[str, str]:
    """Return a chart of accuracy against epochs for each pipeline; none if there is no accuracy."""
    return _panels(
        record, "accuracy", _percent_of("accuracy"), _percent_of("val_accuracy"), unit="%"
    )


@svg.plain_style()
def losses(record: TrainingRecord) -> dict[str, str]:
    """Return a chart of loss against epochs for each pipeline; none without a finite loss."""
    return _panels(record, "loss", lambda epoch: epoch.loss, lambda epoch: epoch.val_loss, unit="")


@svg.plain_style()
def rates(record: TrainingRecord, width: int = WIDE) -> str | None:
    """Return the chart of images/s in training: a dot an epoch. None without an epoch."""
    colours = palette.colours(record.labels)
    lines = [
        _rate_line(label, record.of(label), colours[label])
        for label in record.labels
        if any(training.epochs for training in record.of(label))
    ]
    values = [value for line in lines for value in line.extent]
    if not values:
        return None
    low, high = min(values), max(values)
    is_long = high / low >= tracks.LOGARITHMIC_FROM
    name = "images/s in training" + (", on a logarithmic scale" if is_long else "")
    scale = Scale(low=0.0, high=1.05 * high, logarithmic=False, name=name)
    if is_long:
        scale = tracks.padded(low, high, name)
    drawn = tracks.figure(lines, scale, width)
    return svg.render(drawn, f"rates-{width}", "Images/s in training", tracks.description(lines))


def _rate_line(label: str, trainings: Sequence[Training], colour: str) -> Line:
    points = [epoch.rate for training in trainings for epoch in training.epochs]
    medians = [training.rate for training in trainings if training.rate is not None]
    rate = fmean(medians) if medians else None
    note = MISSING if rate is None else f"{digits(rate)} images/s"
    return Line(label=label, note=note, colour=colour, estimate=rate, points=points)


def _percent_of(name: str) -> _Figure:
    def figure(epoch: TrainedEpoch) -> float | None:
        share: float | None = getattr(epoch, name)
        return None if share is None else 100 * share

    return figure


def _panels(
    record: TrainingRecord, name: str, training: _Figure, validation: _Figure, *, unit: str
) -> dict[str, str]:
    """Return the panels, all on the same scales."""
    values = [
        value
        for each in record.trainings
        for epoch in each.epochs
        for value in (training(epoch), validation(epoch))
        if value is not None and math.isfinite(value)
    ]
    if not values:
        return {}
    room = _ROOM * ((max(values) - min(values)) or 1.0)
    low, high = min(values) - room, max(values) + room
    if unit == "%":
        low, high = max(low, -1.0), min(high, 101.0)
    colours = palette.colours(record.labels)
    return {
        label: svg.render(
            _panel(record, label, (training, validation), (low, high), unit, colours[label]),
            f"{name}-{place}",
            f"{name.capitalize()} of {label} by epoch",
            _described(record.of(label), (training, validation), unit),
        )
        for place, label in enumerate(record.labels)
        if any(each.epochs for each in record.of(label))
    }


def _panel(
    record: TrainingRecord,
    label: str,
    figures: tuple[_Figure, _Figure],
    span: tuple[float, float],
    unit: str,
    colour: str,
) -> Figure:
    training, validation = figures
    main = validation if record.validation_images else training
    drawn, axes = _frame(record, span, unit)
    for other in record.trainings:
        if other.label != label:
            _curve(
                axes, other, main, color=svg.MUTED, linewidth=0.8, alpha=0.6, zorder=2, markersize=0
            )
    for each in record.of(label):
        if record.validation_images:
            _curve(axes, each, training, color=colour, linewidth=1.6, linestyle=(0, (4, 2)))
        _curve(axes, each, main, color=colour, linewidth=2.2, zorder=4)
        _best(axes, each, main, colour)
    return drawn


def _frame(record: TrainingRecord, span: tuple[float, float], unit: str) -> tuple[Figure, Axes]:
    """Return the scales of a panel: epochs to the right, values up."""
    height = _HEIGHT + _BELOW + _ABOVE
    drawn = Figure(figsize=(NARROW / 72, height / 72), dpi=72, facecolor="none")
    box = (
        _LEFT / NARROW,
        _BELOW / height,
        1 - (_LEFT + _RIGHT) / NARROW,
        _HEIGHT / height,
    )
    axes = drawn.add_axes(box, facecolor="none")
    last = max((len(each.epochs) for each in record.trainings), default=1)
    beside = 0.5 if last == 1 else 0.02 * (last - 1)
    axes.set_xlim(1 - beside, last + beside)
    axes.set_ylim(*span)
    across = Scale(low=1, high=last, logarithmic=False, name="epoch", is_whole=True)
    tracks.ticks(axes, across, NARROW)
    axes.yaxis.set_visible(True)
    up = Scale(low=span[0], high=span[1], logarithmic=False, name="")
    marks = tracks.tick_places(up, _MOST_TICKS)
    axes.set_yticks(marks, [f"{mark:,.10g}" for mark in marks])
    axes.tick_params(axis="y", colors=svg.MUTED, labelsize=11, length=3, color=svg.RULE)
    axes.grid(visible=True, axis="y", color=svg.RULE, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.text(0, 1.02, unit, transform=axes.transAxes, ha="right", fontsize=11, color=svg.MUTED)
    return drawn, axes


def _curve(axes: Axes, training: Training, figure: _Figure, **style: Any) -> None:
    """Draw a figure of each epoch, with a gap where there is none."""
    values = [figure(epoch) for epoch in training.epochs]
    if not any(map(is_known, values)):
        return
    known = [math.nan if value is None else value for value in values]
    places = [epoch.number for epoch in training.epochs]
    marker = "o" if len(places) <= _MOST_MARKED else "None"
    axes.plot(places, known, marker=marker, **{"markersize": 3.5} | style)


def _best(axes: Axes, training: Training, figure: _Figure, colour: str) -> None:
    """Draw a circle at the epoch whose weights were saved."""
    for epoch in training.epochs:
        value = figure(epoch)
        if epoch.number == training.best_epoch and value is not None:
            axes.plot(
                [epoch.number], [value], marker="o", markersize=9, markerfacecolor=svg.PAPER,
                markeredgecolor=colour, markeredgewidth=2, zorder=5,
            )  # fmt: skip


def _described(trainings: Sequence[Training], figures: tuple[_Figure, _Figure], unit: str) -> str:
    """Return the last epoch of each training in words, for screen readers."""
    texts = []
    for training in trainings:
        if training.last is None:
            continue
        values = [figure(training.last) for figure in figures]
        parts = [
            f"{name} {percent(value / 100) if unit else digits(value)}{unit}"
            for name, value in zip(("training", "validation"), values, strict=True)
            if value is not None
        ]
        texts.append(f"after {counted(training.last.number, 'epoch')}: {', '.join(parts)}")
    return "; ".join(texts) or "no epoch"
