"""The time that a training pays for its pipeline, by its number of epochs, as a chart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from feedbench.bench.results import RunRecord
from feedbench.bench.say import digits
from feedbench.reports import palette, svg, tracks
from feedbench.reports.costs import MOST_EPOCHS, Cost, Reign, after
from feedbench.reports.tracks import EDGE, LEADING, TEXT, WIDE, Scale
from feedbench.reports.visible import visible

_HEIGHT = 320  # pixels of the chart itself
_BELOW = 46  # for the ticks and their name
_LEFT = 54  # for the seconds
_MOST_NAMED = 8  # lines that have their names beside them
_NAMES = 200  # pixels for these
_MOST_NAME = 26  # characters of one
_DASHES = ("-", (0, (6, 2)), (0, (2, 2)), (0, (6, 2, 2, 2)))  # where colours come again
_SQUARE_PIXELS = 75


@svg.plain_style()
def epochs(
    run: RunRecord, found: Sequence[Cost], reigning: Sequence[Reign], width: int = WIDE
) -> str | None:
    """Return the chart of total seconds against epochs, with the crossings. None without any."""
    known = [cost for cost in found if cost.total(1) > 0 and cost.later > 0]
    if not known:
        return None
    is_named = width >= WIDE and len(known) <= _MOST_NAMED
    drawn, axes = _frame(known, width, _NAMES if is_named else EDGE)
    colours = palette.colours([row.label for row in run.rows])
    places = {row.label: place for place, row in enumerate(run.rows)}
    span = np.geomspace(1, MOST_EPOCHS, 60)
    for cost in known:
        dash: Any = _DASHES[places[cost.label] // (len(palette.COLOURS) + 1) % len(_DASHES)]
        seconds = [cost.total(count) for count in span]
        axes.plot(span, seconds, color=colours[cost.label], linewidth=1.8, linestyle=dash)
    _crossings(axes, known, reigning)
    if is_named:
        _names(axes, known, colours)
    title = "Total time against the number of epochs"
    said = "; ".join(
        f"{cost.label}: {after(1, cost)} for 1 epoch, {after(MOST_EPOCHS, cost)} for"
        f" {MOST_EPOCHS:,}"
        for cost in known
    )
    return svg.render(drawn, f"epochs-{width}", title, said)


def _frame(known: Sequence[Cost], width: int, right: int) -> tuple[Figure, Axes]:
    height = _HEIGHT + _BELOW + LEADING
    drawn = Figure(figsize=(width / 72, height / 72), dpi=72, facecolor="none")
    box = (_LEFT / width, _BELOW / height, 1 - (_LEFT + right) / width, _HEIGHT / height)
    axes = drawn.add_axes(box, facecolor="none")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(1, MOST_EPOCHS)
    low = min(cost.total(1) for cost in known) / 1.2
    high = 1.2 * max(cost.total(MOST_EPOCHS) for cost in known)
    axes.set_ylim(low, high)
    name = "epochs of the whole folder, on logarithmic scales"
    tracks.ticks(axes, Scale(low=1, high=MOST_EPOCHS, logarithmic=True, name=name), width - right)
    axes.yaxis.set_visible(True)
    axes.minorticks_off()
    across = Scale(low=low, high=high, logarithmic=True, name="")
    places = tracks.tick_places(across, _HEIGHT // _SQUARE_PIXELS * 2)
    axes.set_yticks(places, [digits(place, 1) for place in places])
    axes.tick_params(axis="y", colors=svg.MUTED, labelsize=11, length=3, color=svg.RULE)
    axes.grid(visible=True, color=svg.RULE, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.text(
        0, 1, "seconds", transform=axes.transAxes, ha="right", va="bottom", fontsize=11,
        color=svg.MUTED,
    )  # fmt: skip
    return drawn, axes


def _crossings(axes: Axes, known: Sequence[Cost], reigning: Sequence[Reign]) -> None:
    """Mark from which epoch on another one takes the least time."""
    by_label = {cost.label: cost for cost in known}
    for reign in reigning[1:]:
        cost = by_label.get(reign.label)
        if cost is not None:
            axes.plot(
                [reign.epochs], [cost.total(reign.epochs)], marker="o", markersize=8,
                markerfacecolor=svg.PAPER, markeredgecolor=svg.INK, markeredgewidth=1.5, zorder=5,
            )  # fmt: skip
            axes.annotate(
                f"{reign.epochs:,}", (reign.epochs, cost.total(reign.epochs)), xytext=(8, -12),
                textcoords="offset pixels", fontsize=11, color=svg.INK, zorder=6,
            )  # fmt: skip


def _names(axes: Axes, known: Sequence[Cost], colours: dict[str, str]) -> None:
    """Write each name behind its line's end, the lines' order kept and none over another."""
    ends = sorted(known, key=lambda cost: cost.total(MOST_EPOCHS))
    to_pixels = axes.transData.transform
    bottom = axes.bbox.y0
    heights: list[float] = []
    for cost in ends:
        wanted = to_pixels((MOST_EPOCHS, cost.total(MOST_EPOCHS)))[1] - bottom
        heights.append(max(wanted, heights[-1] + LEADING) if heights else wanted)
    over = max(heights[-1] - _HEIGHT, 0.0)
    for cost, height in zip(ends, heights, strict=True):
        name = visible(cost.label)
        short = name if len(name) <= _MOST_NAME else f"{name[: _MOST_NAME - 1]}…"
        axes.annotate(
            short, (1, 0), xycoords="axes fraction", xytext=(9, height - over - TEXT / 3),
            textcoords="offset pixels", fontsize=TEXT - 0.5, color=svg.INK, family="monospace",
            va="baseline", parse_math=False,
        )  # fmt: skip
        end = to_pixels((MOST_EPOCHS, cost.total(MOST_EPOCHS)))[1] - bottom
        share = axes.bbox.width
        axes.plot(
            [1, 1 + 7 / share], [end / _HEIGHT, (height - over) / _HEIGHT],
            transform=axes.transAxes, color=colours[cost.label], linewidth=1.8, clip_on=False,
        )  # fmt: skip
