"""The chart of the time that a training spends on its pipeline, by its number of epochs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.cells import cell_len, chop_cells

from feedbench.bench.records.run import RunRecord
from feedbench.bench.text import digits
from feedbench.reports.charts import key, svg, tracks
from feedbench.reports.charts.key import KeyLine
from feedbench.reports.charts.tracks import LEADING, TEXT, WIDE, Scale
from feedbench.reports.sentences.costs import MOST_EPOCHS, Cost, Reign, after
from feedbench.reports.text.escaping import visible

_HEIGHT = 320  # pixels of the chart itself, at least
_BELOW = 46  # for the ticks and their name
_LEFT = 54  # for the seconds
_MOST_NAMED = 8  # lines that have their names next to them
_NAMES = 200  # pixels for these
_MOST_NAME = 26  # characters of one
_LETTERS = 30  # pixels for letters next to the lines
_APART = 14  # pixels from name to name, or from letter to letter
_SQUARE_PIXELS = 75


@dataclass(frozen=True, kw_only=True)
class _Line(KeyLine):
    """A pipeline's cost, with the name and style of its line."""

    cost: Cost

    @property
    def name(self) -> str:
        """The label, cut to the room after the line's end."""
        text = visible(self.cost.label)
        whole = cell_len(text) <= _MOST_NAME
        return text if whole else f"{chop_cells(text, _MOST_NAME - 1)[0]}…"


@svg.plain_style()
def epochs(
    run: RunRecord, spent: Sequence[Cost], reigning: Sequence[Reign], width: int = WIDE
) -> str | None:
    """Return the chart of total seconds against epochs, with the crossings. None without any.

    A line has its name at its end, or where names have no room a letter, which a key explains.
    """
    drawable = [cost for cost in spent if cost.total(1) > 0 and cost.later > 0]
    if not drawable:
        return None
    lines = _lines(run, drawable)
    names = {line.name for line in lines}
    is_named = width >= WIDE and len(lines) <= _MOST_NAMED and len(names) == len(lines)
    columns = [] if is_named else key.columns(lines, width)
    drawn, axes = _frame(lines, width, _NAMES if is_named else _LETTERS, key.height(columns))
    span = np.geomspace(1, MOST_EPOCHS, 60)
    for line in lines:
        axes.plot(span, [line.cost.total(count) for count in span], **line.style)
    _crossings(axes, drawable, reigning)
    _at_ends(axes, lines, [line.name if is_named else line.letter for line in lines])
    if columns:
        key.draw(drawn, columns, width)
    title = "Total time against the number of epochs"
    description = "; ".join(
        f"{cost.label}: {after(1, cost)} for 1 epoch, {after(MOST_EPOCHS, cost)} for"
        f" {MOST_EPOCHS:,}"
        for cost in drawable
    )
    return svg.render(drawn, f"epochs-{width}", title, description)


def _lines(run: RunRecord, spent: Sequence[Cost]) -> list[_Line]:
    drawn = key.lines([row.label for row in run.rows], [cost.label for cost in spent])
    return [
        _Line(label=line.label, letter=line.letter, style=line.style, cost=cost)
        for line, cost in zip(drawn, spent, strict=True)
    ]


def _frame(lines: Sequence[_Line], width: int, right: int, below: int) -> tuple[Figure, Axes]:
    """Return the scales, with `right` pixels to the right of them and `below` below."""
    inner = max(_HEIGHT, _APART * len(lines))
    height = inner + _BELOW + LEADING + below
    drawn = Figure(figsize=(width / 72, height / 72), dpi=72, facecolor="none")
    left, bottom = _LEFT / width, (_BELOW + below) / height
    box = (left, bottom, 1 - (_LEFT + right) / width, inner / height)
    axes = drawn.add_axes(box, facecolor="none")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(1, MOST_EPOCHS)
    low = min(line.cost.total(1) for line in lines) / 1.2
    high = 1.2 * max(line.cost.total(MOST_EPOCHS) for line in lines)
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


def _crossings(axes: Axes, spent: Sequence[Cost], reigning: Sequence[Reign]) -> None:
    """Mark the epoch from which another pipeline takes the least time."""
    by_label = {cost.label: cost for cost in spent}
    for reign in reigning[1:]:
        cost = by_label.get(reign.label)
        if cost is not None:
            axes.plot(
                [reign.epochs], [cost.total(reign.epochs)], marker="o", markersize=8,
                markerfacecolor=svg.PAPER, markeredgecolor=svg.INK, markeredgewidth=1.5, zorder=5,
            )  # fmt: skip
            is_late = 3 * reign.epochs > MOST_EPOCHS  # the lines' names are to its right
            axes.annotate(
                f"{reign.epochs:,}", (reign.epochs, cost.total(reign.epochs)),
                xytext=(-8 if is_late else 8, -12), ha="right" if is_late else "left",
                textcoords="offset pixels", fontsize=11, color=svg.INK, zorder=6,
            )  # fmt: skip


def _at_ends(axes: Axes, lines: Sequence[_Line], texts: Sequence[str]) -> None:
    """Write each text after its line's end, in the lines' order and without overlaps."""
    inner = axes.bbox.height
    ends = sorted(zip(lines, texts, strict=True), key=lambda pair: pair[0].cost.total(MOST_EPOCHS))
    wanted = [
        axes.transData.transform((MOST_EPOCHS, line.cost.total(MOST_EPOCHS)))[1] - axes.bbox.y0
        for line, _ in ends
    ]
    heights: list[float] = []
    for height in wanted:
        heights.append(max(height, heights[-1] + _APART) if heights else height)
    for place, (end, (line, text)) in enumerate(zip(wanted, ends, strict=True)):
        height = min(heights[place], inner - _APART * (len(ends) - 1 - place))
        axes.annotate(
            text, (1, 0), xycoords="axes fraction", xytext=(11, height - TEXT / 3),
            textcoords="offset pixels", fontsize=TEXT - 0.5, **key.PLAIN,
        )  # fmt: skip
        axes.plot(
            [1, 1 + 7 / axes.bbox.width], [end / inner, height / inner],
            transform=axes.transAxes, clip_on=False, **line.style | {"linestyle": "-"},
        )  # fmt: skip
