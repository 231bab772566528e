"""The chart of how busy each pipeline keeps a model, by the images that the model takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import fmean
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from feedbench.bench.records.demand.demand import CurvePoint, DemandCurve
from feedbench.bench.records.run import RunRecord
from feedbench.reports.charts import key, svg, tracks
from feedbench.reports.charts.key import KeyLine
from feedbench.reports.charts.tracks import LEADING, WIDE, Scale

_HEIGHT = 320  # pixels of the chart itself
_BELOW, _LEFT, _RIGHT = 46, 54, 14
_APART = 16  # pixels from one mark's number to the next
_ROOM = 1.15  # times the extreme appetites
_MOST_BEYOND = 4.0  # times the largest measured appetite: a mark further right is not drawn
_ALIKE = 1.03  # points within this factor are drawn as their mean
_FAINT: dict[str, Any] = {"alpha": 0.4, "linewidth": 1.1}
_CEILINGS = {"read": "this machine reads files", "decode": "this machine reads and decodes"}
_LEVELS = (0.0, 0.25, 0.5, 0.75, 0.9, 1.0)


@dataclass(frozen=True, kw_only=True)
class Mark:
    """An appetite, or a limit of this machine, in images/s."""

    number: str
    name: str
    value: float
    source: str  # of a published appetite: in parentheses, after a space


def marks(run: RunRecord) -> list[Mark]:
    """Return the marks of the chart, from left to right: the model, accelerators, ceilings."""
    demand = run.demand
    if demand is None or not any(each.points for each in demand.curves):
        return []
    named = [
        (each.images_per_second, each.name, f" ({each.source}, {each.date})")
        for each in demand.accelerators
    ]
    if demand.model is not None and demand.model.published is None and demand.appetite is not None:
        named.append((demand.appetite.value, "your model", ""))
    ceilings = [] if run.diagnosis is None else run.diagnosis.ceilings
    named += [(each.rate, _CEILINGS[each.name], "") for each in ceilings if each.name in _CEILINGS]
    most = _MOST_BEYOND * max(p.appetite for each in demand.curves for p in each.points)
    drawn = sorted(each for each in named if each[0] <= most)
    return [
        Mark(number=str(number), name=name, value=value, source=source)
        for number, (value, name, source) in enumerate(drawn, 1)
    ]


@svg.plain_style()
def curves(run: RunRecord, width: int = WIDE) -> str | None:
    """Return the chart of utilisation against appetite; None if no curve has a point."""
    demand = run.demand
    if demand is None or not any(each.points for each in demand.curves):
        return None
    drawable = [each for each in demand.curves if each.points]
    placed = marks(run)
    lines = key.lines([row.label for row in run.rows], [each.label for each in drawable])
    columns = key.columns(lines, width)
    drawn, axes = _frame(drawable, placed, width, key.height(columns))
    for line, curve in zip(lines, drawable, strict=True):
        _curve(axes, line, curve)
    _marks(axes, placed)
    key.draw(drawn, columns, width)
    title = "Utilisation of a model against its appetite"
    text = "; ".join(_described(each) for each in drawable)
    also = "; ".join(f"{each.number}: {each.name}, {each.value:,.0f}" for each in placed)
    return svg.render(drawn, f"demand-{width}", title, f"{text}. Marks: {also or 'none'}")


def _described(curve: DemandCurve) -> str:
    fed = curve.fed_at_90
    return f"{curve.label}: {'?' if fed is None else f'{fed.value:,.0f}'} images/s at 90%"


def _frame(
    drawable: Sequence[DemandCurve], placed: Sequence[Mark], width: int, below: int
) -> tuple[Figure, Axes]:
    """Return the scales: appetites from left to right, the share of busy time upwards."""
    values = [point.appetite for each in drawable for point in each.points]
    values += [mark.value for mark in placed]
    low, high = min(values) / _ROOM, max(values) * _ROOM
    above = LEADING * 3  # for the marks' numbers
    tall = _HEIGHT + _BELOW + above + below
    drawn = Figure(figsize=(width / 72, tall / 72), dpi=72, facecolor="none")
    box = (
        _LEFT / width,
        (_BELOW + below) / tall,
        1 - (_LEFT + _RIGHT) / width,
        _HEIGHT / tall,
    )
    axes = drawn.add_axes(box, facecolor="none")
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.set_ylim(0, 1.02)
    name = "images/s that the model takes"
    name += ", on a logarithmic scale" if width >= WIDE else ""
    tracks.ticks(axes, Scale(low=low, high=high, logarithmic=True, name=name), width)
    axes.yaxis.set_visible(True)
    axes.set_yticks(_LEVELS, [f"{100 * level:.0f}%" for level in _LEVELS])
    axes.tick_params(axis="y", colors=svg.MUTED, labelsize=11, length=3, color=svg.RULE)
    axes.grid(visible=True, color=svg.RULE, linewidth=0.7)
    axes.set_axisbelow(True)
    return drawn, axes


def _curve(axes: Axes, line: KeyLine, curve: DemandCurve) -> None:
    """Draw the measured points, the line between them, and faintly what arithmetic adds."""
    colour = line.style["color"]
    means = [*_means(curve.points)]
    places, shares = [x for x, _ in means], [y for _, y in means]
    low, high = axes.get_xlim()
    axes.plot([low, places[0]], [shares[0]] * 2, color=colour, **_FAINT)
    beyond = np.geomspace(places[-1], high, 40)
    axes.plot(beyond, shares[-1] * places[-1] / beyond, color=colour, **_FAINT)
    axes.plot(places, shares, **line.style)
    x, y = [p.appetite for p in curve.points], [p.utilisation for p in curve.points]
    svg.dots(axes, x, y, 5, color=colour, zorder=3)
    axes.annotate(
        line.letter, (places[-1], shares[-1]), xytext=(7, 3), textcoords="offset pixels",
        fontsize=tracks.TEXT, color=svg.INK, family="monospace", zorder=6,
    )  # fmt: skip


def _means(points: Sequence[CurvePoint]) -> Iterator[tuple[float, float]]:
    """Yield the means of points with nearly the same appetite: each block chooses its own."""
    ordered = sorted(points, key=lambda point: point.appetite)
    numbers = [0]
    for one, other in pairwise(ordered):
        numbers.append(numbers[-1] + (other.appetite > _ALIKE * one.appetite))
    for _, group in groupby(zip(numbers, ordered, strict=True), key=lambda pair: pair[0]):
        alike = [point for _, point in group]
        yield fmean(p.appetite for p in alike), fmean(p.utilisation for p in alike)


def _marks(axes: Axes, placed: Sequence[Mark]) -> None:
    """Draw a broken line at each mark, with its number above; numbers do not overlap."""
    ends = [-float(_APART)] * 3  # of each row of numbers
    for mark in placed:
        x = axes.transData.transform((mark.value, 0))[0] - axes.bbox.x0
        row = next((row for row, end in enumerate(ends) if x - end >= _APART), 0)
        ends[row] = x
        axes.vlines([mark.value], 0, 1.02, **tracks.BROKEN)
        axes.annotate(
            mark.number, (mark.value, 1.02), xytext=(0, 4 + row * LEADING), ha="center",
            textcoords="offset pixels", fontsize=11, color=svg.MUTED, annotation_clip=False,
        )  # fmt: skip
