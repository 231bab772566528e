"""The chart of a rate against the number of workers or cores."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from feedbench.bench.records.scaling.scaling import Curve, FittedLaw, Point, ScalingRecord
from feedbench.bench.verdicts.scaling.laws import Law
from feedbench.reports.charts import svg, tracks
from feedbench.reports.charts.tracks import WIDE, Scale
from feedbench.reports.text.figures import shown
from feedbench.reports.text.palette import COLOURS

_HEIGHT = 300  # pixels of the chart itself
_BELOW, _LEFT, _RIGHT, _ABOVE = 46, 62, 14, 20
_ROOM = 1.08  # times the largest count and rate
_STEPS = 80  # points of a law's line
_MOST_BEYOND = 2.0  # times the fastest rate that is drawn: a limit further up is not drawn
_DASHED: dict[str, Any] = {"linestyle": (0, (5, 4)), "linewidth": 1.6}


@svg.plain_style()
def curve_chart(record: ScalingRecord, curve: Curve, width: int = WIDE) -> str | None:
    """Return the chart of one curve; None without a measured point.

    Dots, their intervals and a whole line are measured. A broken line is a law. Hollow dots share
    cores with each other.
    """
    measured = [point for point in curve.points if point.rate is not None]
    if not measured:
        return None
    law = _first(curve)
    drawn, axes = _frame(record, curve, measured, width)
    colour = COLOURS[0]
    if law is not None:
        _law(axes, law, colour)
    _points(axes, measured, colour)
    _limits(axes, record, curve)
    title = f"Images/s against {curve.axis}"
    return svg.render(drawn, f"scaling-{curve.axis}-{width}", title, _described(curve))


def _first(curve: Curve) -> Law | None:
    """Return the most general law that was fitted."""
    fitted = curve.laws[0] if curve.laws else None
    return None if fitted is None else _as_law(fitted)


def _as_law(fitted: FittedLaw) -> Law:
    return Law(
        name=fitted.name,
        one=fitted.one.value,
        contention=fitted.contention.value,
        crosstalk=fitted.crosstalk.value,
    )


def _described(curve: Curve) -> str:
    parts = [f"{p.arm.label}: {shown(p.rate)} images/s, measured" for p in curve.points]
    parts += [
        f"{each.count} {curve.axis}: about {shown(each.rate.value)}, computed by {each.law}"
        for each in curve.forecasts
    ]
    return "; ".join(parts)


def _frame(
    record: ScalingRecord, curve: Curve, measured: list[Point], width: int
) -> tuple[Figure, Axes]:
    """Return the scales: the count from left to right, images/s upwards."""
    counts = [p.arm.count for p in measured] + [each.count for each in curve.forecasts]
    rates = [p.rate_high or p.rate or 0.0 for p in measured]
    rates += [each.rate.value for each in curve.forecasts]
    fastest = max(rates)
    limits = [value for value in _values(record, curve) if value <= _MOST_BEYOND * fastest]
    tall = _HEIGHT + _BELOW + _ABOVE
    drawn = Figure(figsize=(width / 72, tall / 72), dpi=72, facecolor="none")
    box = (_LEFT / width, _BELOW / tall, 1 - (_LEFT + _RIGHT) / width, _HEIGHT / tall)
    axes = drawn.add_axes(box, facecolor="none")
    high = max(counts) * _ROOM
    axes.set_xlim(0, high)
    axes.set_ylim(0, max([fastest, *limits]) * _ROOM)
    tracks.ticks(
        axes, Scale(low=0, high=high, logarithmic=False, name=curve.axis, is_whole=True), width
    )
    axes.yaxis.set_visible(True)
    axes.set_ylabel("images/s", color=svg.MUTED, fontsize=11)
    axes.tick_params(axis="y", colors=svg.MUTED, labelsize=11, length=3, color=svg.RULE)
    axes.grid(visible=True, color=svg.RULE, linewidth=0.7)
    axes.set_axisbelow(True)
    return drawn, axes


def _law(axes: Axes, law: Law, colour: str) -> None:
    """Draw a law as a broken line from one to the end of the scale."""
    counts = np.linspace(1, axes.get_xlim()[1], _STEPS)
    lost = law.contention * (counts - 1) + law.crosstalk * counts * (counts - 1)
    axes.plot(counts, law.one * counts / (1 + lost), color=colour, alpha=0.7, **_DASHED)


def _points(axes: Axes, measured: list[Point], colour: str) -> None:
    """Draw what was measured: intervals, a whole line, and dots."""
    ordered = sorted(measured, key=lambda point: point.arm.count)
    counts = [float(point.arm.count) for point in ordered]
    rates = [point.rate or 0.0 for point in ordered]
    for point in ordered:
        if point.rate_low is not None and point.rate_high is not None:
            ends = [point.rate_low, point.rate_high]
            axes.plot([point.arm.count] * 2, ends, color=colour, linewidth=9, alpha=0.35)
    axes.plot(counts, rates, color=colour, linewidth=1.8)
    svg.dots(axes, counts, rates, 8, color=colour, zorder=3)
    shared = [(float(p.arm.count), p.rate or 0.0) for p in ordered if p.arm.sharing == "workers"]
    if shared:  # hollow
        svg.dots(
            axes, [x for x, _ in shared], [y for _, y in shared], 5, color=svg.PAPER, zorder=3.5
        )


def _values(record: ScalingRecord, curve: Curve) -> list[float]:
    """Return the horizontal limits: the appetite, and what the client takes."""
    values = [] if record.appetite is None else [record.appetite.value]
    if curve.axis == "workers" and record.client_rate is not None:
        values.append(record.client_rate)
    return values


def _limits(axes: Axes, record: ScalingRecord, curve: Curve) -> None:
    """Draw the appetite of the model, and what the client takes, as horizontal lines."""
    named = []
    if record.appetite is not None:
        named.append((record.appetite.value, "the model's appetite"))
    if curve.axis == "workers" and record.client_rate is not None:
        named.append((record.client_rate, "what the client took at most"))
    low, high = axes.get_xlim()
    for value, name in named:
        if value > axes.get_ylim()[1]:
            continue
        axes.hlines([value], low, high, **tracks.BROKEN)
        axes.annotate(
            f"{name}: {shown(value)}", (low, value), xytext=(5, 4), textcoords="offset pixels",
            fontsize=11, color=svg.MUTED, parse_math=False,
        )  # fmt: skip
