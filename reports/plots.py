"""A run's charts, one function each, as SVG text. A line a pipeline, in the run's order."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from rich.cells import cell_len, chop_cells

from feedbench.bench.comparison import Comparison
from feedbench.bench.results import RunRecord
from feedbench.reports.figures import is_known, no_rate, percent, shown, spread

logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it tells of its font cache as it loads

from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.ticker import MaxNLocator  # noqa: E402

from feedbench.reports import svg  # noqa: E402
from feedbench.reports.visible import visible  # noqa: E402

WIDE, NARROW = 760, 340  # pixels: a desk's screen, a telephone's
# Told apart with any colour vision, and by at least 3:1 from a white and from a dark page.
_BASELINE = "#7a8088"
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#b5618f", "#a67c00", "#5d7fd6")
_LOGARITHMIC_FROM = 10.0  # the largest rate over the smallest

_EDGE = 6  # pixels left and right of the scale
_TEXT = 12  # pixels: the size of a label
_COLUMN = 0.61 * _TEXT  # pixels of a character of it, at most
_LEADING = 16  # pixels from line to line
_TRACK = 30  # pixels for the dots below a label
_ABOVE, _BELOW = 4, 11  # pixels around the dots
_SCALE = 44  # pixels for the ticks and their name
_TICK_PIXELS = 75


@dataclass(frozen=True, kw_only=True)
class _Line:
    """A pipeline's line: its estimate and interval, and a point a block."""

    label: str
    note: str  # at the right of the label
    colour: str
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    points: Sequence[float] = ()
    is_control: bool = False

    @property
    def known(self) -> list[float]:
        """All that must have its place on the scale."""
        ends = [v for v in (self.estimate, self.low, self.high) if v is not None]
        return [value for value in (*ends, *self.points) if math.isfinite(value) and value > 0]


@dataclass(frozen=True, kw_only=True)
class _Scale:
    low: float
    high: float
    logarithmic: bool
    name: str


def colours(run: RunRecord) -> dict[str, str]:
    """Return each label's colour, the same in all charts and tables; the baseline's is grey."""
    labels = [row.label for row in run.rows]
    others = {label: _COLOURS[place % len(_COLOURS)] for place, label in enumerate(labels[1:])}
    return dict.fromkeys(labels[:1], _BASELINE) | others


@svg.plain_style()
def rates(run: RunRecord, blocks: pd.DataFrame, width: int = WIDE) -> str | None:
    """Return the chart of images/s: a dot a block, the interval, the estimate. None without any.

    `blocks` is `table.blocks` of the run, `width` in pixels.
    """
    lines = list(_rate_lines(run, blocks))
    known = [value for line in lines for value in line.known]
    if not known:
        return None
    low, high = min(known), max(known)
    if high / low > _LOGARITHMIC_FROM:
        scale = _padded(low, high, "images/s, on a logarithmic scale")
    else:
        scale = _Scale(low=0.0, high=1.05 * high, logarithmic=False, name="images/s")
    figure = _figure(lines, scale, width)
    said = _said([line for line in lines if not line.is_control])
    return svg.render(figure, f"rates-{width}", "Images a second of each pipeline", said)


@svg.plain_style()
def ratios(run: RunRecord, blocks: pd.DataFrame, width: int = WIDE) -> str | None:
    """Return the chart of ratios to the baseline, with the margin and the verdicts.

    None where there is nothing to compare. `blocks` is `table.blocks` of the run.
    """
    lines = list(_ratio_lines(run, blocks))
    if all(line.is_control for line in lines):
        return None
    scale = _around_1(lines, run.margin, "times the rate of the baseline, on a logarithmic scale")
    figure = _figure(lines, scale, width, margin=1 + run.margin)
    title = "Ratio of each pipeline to the baseline"
    return svg.render(figure, f"ratios-{width}", title, _said(lines))


@svg.plain_style()
def compared(found: Comparison, width: int = WIDE) -> str | None:
    """Return the chart of two runs' ratios, with the tolerance and the verdicts. None without any.

    `width` in pixels.
    """
    lines = [
        _Line(
            label=one.label,
            note=f"{shown(one.ratio)}, {one.word}",
            colour=_COLOURS[place % len(_COLOURS)],
            estimate=one.ratio,
            low=one.ratio_low,
            high=one.ratio_high,
        )
        for place, one in enumerate(found.pipelines)
        if is_known(one.ratio)
    ]
    if not lines:
        return None
    scale = _around_1(lines, found.tolerance, "new rate over base rate, on a logarithmic scale")
    figure = _figure(lines, scale, width, margin=1 + found.tolerance)
    return svg.render(figure, f"compared-{width}", "Ratio of the new run to the base", _said(lines))


def _rate_lines(run: RunRecord, blocks: pd.DataFrame) -> Iterator[_Line]:
    for place, row in enumerate(run.rows):
        colour = colours(run)[row.label]
        half = spread(row)
        note = shown(row.rate) + (f" ± {percent(half)}%" if half is not None else "")
        if not is_known(row.rate):
            note = no_rate(row)
        points = _points(blocks, row.label, "images_per_second")
        yield _Line(
            label=row.label,
            note=note,
            colour=colour,
            estimate=row.rate,
            low=row.rate_low,
            high=_open_end(row.rate_low, row.rate_high),
            points=points,
        )
        control = _points(blocks, row.label, "images_per_second", control=True)
        if place == 0 and control:
            label = f"{row.label}, its second copy"
            yield _Line(label=label, note="control", colour=colour, points=control, is_control=True)


def _ratio_lines(run: RunRecord, blocks: pd.DataFrame) -> Iterator[_Line]:
    control = _points(blocks, run.rows[0].label, "ratio", control=True) if run.rows else []
    if control:
        estimate, low, high = run.control or (math.nan,) * 3
        yield _Line(
            label=f"{run.rows[0].label}, its second copy",
            note=f"{shown(estimate)}, control" if run.control else "control",
            colour=_BASELINE,
            estimate=estimate,
            low=low,
            high=high,
            points=control,
            is_control=True,
        )
    for row in run.rows[1:]:
        if is_known(row.ratio):
            yield _Line(
                label=row.label,
                note=f"{shown(row.ratio)}, {row.verdict or 'no verdict'}",
                colour=colours(run)[row.label],
                estimate=row.ratio,
                low=row.ratio_low,
                high=row.ratio_high,
                points=_points(blocks, row.label, "ratio"),
            )


def _points(blocks: pd.DataFrame, label: str, column: str, *, control: bool = False) -> list[float]:
    """Return a figure of each block, in the blocks' order."""
    found = blocks[(blocks["label"] == label) & (blocks["control"] == control)]
    return [float(value) for value in found.sort_values("block")[column] if is_known(value)]


def _open_end(low: float | None, high: float | None) -> float | None:
    """Return the upper end; infinite where there is a lower end only."""
    return math.inf if high is None and low is not None else high


def _padded(low: float, high: float, name: str) -> _Scale:
    """Return a logarithmic scale with some room at its ends."""
    room = max((high / low) ** 0.04, 1.01)
    return _Scale(low=low / room, high=high * room, logarithmic=True, name=name)


def _around_1(lines: Sequence[_Line], share: float, name: str) -> _Scale:
    """Return a scale of ratios that has all of these on it, and the margin of this share."""
    known = [value for line in lines for value in line.known]
    low, high = min([1 / (1 + share), *known]), max([1 + share, *known])
    return _padded(low, high, name)


def _said(lines: Sequence[_Line]) -> str:
    """Return what a chart shows, for those who hear it."""
    return "; ".join(f"{line.label}: {line.note}" for line in lines)


def _figure(
    lines: Sequence[_Line], scale: _Scale, width: int, margin: float | None = None
) -> Figure:
    """Draw the lines from top to bottom. The vertical axis is in pixels, so nothing overlaps."""
    texts = [_folded(line.label, width, line.note) for line in lines]
    heights = [len(text) * _LEADING + _ABOVE + _TRACK + _BELOW for text in texts]
    height = sum(heights) + _SCALE
    figure = Figure(figsize=(width / 72, height / 72), dpi=72, facecolor="none")
    box = (_EDGE / width, _SCALE / height, 1 - 2 * _EDGE / width, 1 - _SCALE / height)
    axes = figure.add_axes(box, facecolor="none")
    axes.set_xscale("log" if scale.logarithmic else "linear")
    axes.set_xlim(scale.low, scale.high)
    axes.set_ylim(-sum(heights), 0)
    places = _ticks(axes, scale, width)
    top = 0.0
    for line, text, space in zip(lines, texts, heights, strict=True):
        _label(axes, line, text, top, _EDGE / (width - 2 * _EDGE))
        y = top - space + _BELOW + _TRACK / 2
        _ground(axes, y, places, margin)
        _track(axes, line, y, scale)
        top -= space
    return figure


def _label(axes: Axes, line: _Line, text: Sequence[str], top: float, edge: float) -> None:
    """Write a line's label and note from edge to edge; `edge` is a share of the scale."""
    across = axes.get_yaxis_transform()
    style: dict[str, Any] = {
        "transform": across,
        "fontsize": _TEXT,
        "va": "baseline",
        "parse_math": False,
    }
    for number, part in enumerate(text, 1):
        y = top - number * _LEADING + 3
        axes.text(-edge, y, part, color=svg.INK, family="monospace", **style)
    axes.text(1 + edge, top - _LEADING + 3, line.note, color=svg.MUTED, ha="right", **style)


def _ground(axes: Axes, y: float, places: Sequence[float], margin: float | None) -> None:
    """Draw a line's guide and grid, and the margin around 1: below its label, not through it."""
    ends = y - _TRACK / 2, y + _TRACK / 2
    axes.vlines(places, *ends, color=svg.RULE, linewidth=0.7, zorder=0)
    axes.axhline(y, color=svg.RULE, linewidth=0.7, zorder=0)
    if margin is not None:
        axes.fill_betweenx(ends, 1 / margin, margin, color=svg.BAND, linewidth=0, zorder=0.5)
        axes.vlines([1], *ends, color=svg.MUTED, linewidth=1, zorder=1)


def _track(axes: Axes, line: _Line, y: float, scale: _Scale) -> None:
    """Draw a line's interval, blocks and estimate."""
    if line.low is not None and line.high is not None and math.isfinite(line.low):
        high = min(line.high, scale.high)
        axes.plot(
            [line.low, high], [y, y], color=line.colour, linewidth=10, alpha=0.35, zorder=2,
            solid_capstyle="butt",
        )  # fmt: skip
        if high < line.high:
            axes.plot([high], [y], marker=">", markersize=9, color=line.colour, zorder=2)
    # The first block stands highest and the last lowest, so that a drift shows as a slope.
    places = y + np.linspace(9, -9, len(line.points)) if len(line.points) > 1 else [y]
    face = svg.PAPER if line.is_control else line.colour
    if line.points:
        axes.plot(
            line.points, places, linestyle="none", marker="o", markersize=5.5, zorder=3,
            markerfacecolor=face, markeredgecolor=line.colour, markeredgewidth=1.2, alpha=0.8,
        )  # fmt: skip
    if is_known(line.estimate) and line.estimate is not None:
        axes.plot([line.estimate] * 2, [y - 12, y + 12], color=svg.INK, linewidth=2, zorder=4)


def _ticks(axes: Axes, scale: _Scale, width: int) -> list[float]:
    """Put numbers on the scale, and return their places."""
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(svg.RULE)
    axes.yaxis.set_visible(False)
    axes.minorticks_off()
    places = _tick_places(scale, max(width // _TICK_PIXELS, 2))
    axes.set_xticks(places, [f"{place:,.10g}" for place in places])
    axes.tick_params(axis="x", colors=svg.MUTED, labelsize=11, length=3, color=svg.RULE)
    axes.set_xlabel(scale.name, color=svg.MUTED, fontsize=11)
    # A number at the very end of the scale is turned inwards, where it is not cut.
    room = 0.03
    for place, text in zip(places, axes.get_xticklabels(), strict=True):
        share = axes.transAxes.inverted().transform(axes.transData.transform((place, 0)))[0]
        text.set_horizontalalignment(
            "left" if share < room else "right" if share > 1 - room else "center"
        )
    return places


def _tick_places(scale: _Scale, most: int) -> list[float]:
    """Return places with short numbers: 1, 2, 5 of every power where the scale is long."""
    if not scale.logarithmic or scale.high / scale.low < _LOGARITHMIC_FROM:
        found = MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]).tick_values(scale.low, scale.high)
        return [float(place) for place in found if scale.low <= place <= scale.high]
    powers = range(math.floor(math.log10(scale.low)), math.ceil(math.log10(scale.high)) + 1)
    for steps, every in (((1, 2, 5), 1), ((1, 3), 1), ((1,), 1), ((1,), 2), ((1,), 3)):
        found = [step * 10.0**power for power in powers[::every] for step in steps]
        inside = [place for place in found if scale.low <= place <= scale.high]
        if len(inside) <= most:
            break
    return inside


def _folded(label: str, width: int, note: str) -> list[str]:
    """Break a label over lines that leave room for the note: behind a : or , where there is one."""
    most = int(width / _COLUMN) - cell_len(note) - 3
    lines = [""]
    for piece in re.split(r"(?<=[:,/\s])", visible(label)):
        if cell_len(lines[-1]) + cell_len(piece) > most and lines[-1]:
            lines.append("")
        *whole, rest = chop_cells(lines[-1] + piece, most) or [""]
        lines[-1:] = [*whole, rest]
    return lines
