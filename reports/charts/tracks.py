"""Charts of tracks: one below the other, a label above each, all on one scale from left to right.

The vertical axis is in pixels, so that nothing overlaps however many tracks there are.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.cells import cell_len, chop_cells

from feedbench.reports.text.figures import is_known

logging.getLogger("matplotlib").setLevel(
    logging.ERROR
)  # it logs messages about its font cache while it loads

from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.ticker import MaxNLocator  # noqa: E402

from feedbench.reports.charts import svg  # noqa: E402
from feedbench.reports.text.escaping import visible  # noqa: E402

WIDE, NARROW = 760, 340  # pixels: a desk's screen, a telephone's
EDGE = 6  # pixels left and right of the scale
TEXT = 12  # pixels: the size of a label
LEADING = 16  # pixels from line to line

LOGARITHMIC_FROM = 10.0
"""A scale is logarithmic from this ratio of the largest value to the smallest."""

_COLUMN = 0.61 * TEXT  # pixels of a character, at most
_LEAST_COLUMNS = 12  # for a label next to a note
_ABOVE, _BELOW = 4, 11  # pixels around a track
_SCALE = 44  # pixels for the ticks and their name
_TICK_PIXELS = 75
BROKEN: dict[str, Any] = {  # a line that is a limit
    "color": svg.MUTED,
    "linewidth": 1.2,
    "linestyles": (0, (4, 3)),
    "zorder": 0.6,
}


@dataclass(frozen=True, kw_only=True)
class Scale:
    """The scale from left to right."""

    low: float
    high: float
    logarithmic: bool
    name: str
    is_whole: bool = False  # numbers between whole ones mean nothing


@dataclass(frozen=True, kw_only=True)
class Guide:
    """A vertical line through some tracks, such as a limit of the machine."""

    name: str
    value: float
    labels: Collection[str]  # of the tracks


@dataclass(frozen=True, kw_only=True)
class Track:
    """The base of all tracks; each kind draws itself."""

    height: ClassVar[int] = 30  # pixels

    label: str
    note: str  # at the right of the label
    colour: str

    def draw(self, axes: Axes, y: float, scale: Scale) -> None:
        """Draw the track around the height `y`, in pixels."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Line(Track):
    """An estimate and its interval, and a point a block."""

    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    points: Sequence[float] = ()
    is_control: bool = False

    @property
    def extent(self) -> list[float]:
        """All values that the scale must show."""
        ends = [v for v in (self.estimate, self.low, self.high) if v is not None]
        return [value for value in (*ends, *self.points) if math.isfinite(value) and value > 0]

    def draw(self, axes: Axes, y: float, scale: Scale) -> None:
        """Draw the interval, the blocks and the estimate."""
        if self.low is not None and self.high is not None and math.isfinite(self.low):
            high = min(self.high, scale.high)
            axes.plot(
                [self.low, high], [y, y], color=self.colour, linewidth=10, alpha=0.35, zorder=2,
                solid_capstyle="butt",
            )  # fmt: skip
            if high < self.high:
                axes.plot([high], [y], marker=">", markersize=9, color=self.colour, zorder=2)
        # The first block is at the top and the last at the bottom, so a drift shows as a slope.
        last = max(len(self.points) - 1, 1)
        places = [y + 9 - 18 * place / last for place in range(len(self.points))]
        places = places if len(places) > 1 else [y]
        if self.points:
            svg.dots(axes, self.points, places, 7, color=self.colour, zorder=3, alpha=0.8)
        if self.points and self.is_control:  # hollow
            svg.dots(axes, self.points, places, 4.6, color=svg.PAPER, zorder=3.5)
        if is_known(self.estimate) and self.estimate is not None:
            axes.plot([self.estimate] * 2, [y - 12, y + 12], color=svg.INK, linewidth=2, zorder=4)


def padded(low: float, high: float, name: str) -> Scale:
    """Return a logarithmic scale with some room at its ends."""
    room = max((high / low) ** 0.04, 1.01)
    return Scale(low=low / room, high=high * room, logarithmic=True, name=name)


def around_1(lines: Sequence[Line], share: float, name: str) -> Scale:
    """Return a scale of ratios that shows all these values and the margin."""
    values = [value for line in lines for value in line.extent]
    low, high = min([1 / (1 + share), *values]), max([1 + share, *values])
    return padded(low, high, name)


def description(tracks: Sequence[Track]) -> str:
    """Return a chart's content as text, for screen readers."""
    return "; ".join(f"{track.label}: {track.note}" for track in tracks)


def figure(
    tracks: Sequence[Track],
    scale: Scale,
    width: int,
    *,
    margin: float | None = None,
    guides: Sequence[Guide] = (),
) -> Figure:
    """Draw the tracks from top to bottom, `width` pixels wide, with the margin around 1."""
    notes = [_shortened(track.note, width) for track in tracks]
    texts = [_folded(track.label, width, note) for track, note in zip(tracks, notes, strict=True)]
    spaces = [
        len(text) * LEADING + _ABOVE + track.height + _BELOW
        for text, track in zip(texts, tracks, strict=True)
    ]
    above = LEADING * len(guides)
    height = above + sum(spaces) + _SCALE
    drawn = Figure(figsize=(width / 72, height / 72), dpi=72, facecolor="none")
    box = (EDGE / width, _SCALE / height, 1 - 2 * EDGE / width, 1 - _SCALE / height)
    axes = drawn.add_axes(box, facecolor="none")
    axes.set_xscale("log" if scale.logarithmic else "linear")
    axes.set_xlim(scale.low, scale.high)
    axes.set_ylim(-above - sum(spaces), 0)
    places = ticks(axes, scale, width)
    _guides(axes, guides)
    top = -float(above)
    for track, note, text, space in zip(tracks, notes, texts, spaces, strict=True):
        _label(axes, note, text, top, EDGE / (width - 2 * EDGE))
        y = top - space + _BELOW + track.height / 2
        _ground(axes, y, track.height, places, margin)
        ends = y - track.height / 2, y + track.height / 2
        axes.vlines([g.value for g in guides if track.label in g.labels], *ends, **BROKEN)
        track.draw(axes, y, scale)
        top -= space
    return drawn


def _guides(axes: Axes, guides: Sequence[Guide]) -> None:
    """Write each guide's name above the tracks, from right to left."""
    for place, guide in enumerate(sorted(guides, key=lambda guide: -guide.value)):
        y = -LEADING * (place + 1)
        share = axes.transAxes.inverted().transform(axes.transData.transform((guide.value, 0)))[0]
        is_left = share > 0.5  # noqa: PLR2004 - of the middle, where there is more room
        axes.vlines([guide.value], -LEADING * len(guides), y + 12, **BROKEN)
        axes.annotate(
            guide.name, (guide.value, y + 4), xytext=(-5 if is_left else 5, 0),
            textcoords="offset pixels", ha="right" if is_left else "left", va="baseline",
            fontsize=11, color=svg.MUTED, parse_math=False,
        )  # fmt: skip


def _label(axes: Axes, note: str, text: Sequence[str], top: float, edge: float) -> None:
    """Write a track's label and note from edge to edge; `edge` is a share of the scale."""
    across = axes.get_yaxis_transform()
    style: dict[str, Any] = {
        "transform": across,
        "fontsize": TEXT,
        "va": "baseline",
        "parse_math": False,
    }
    for number, part in enumerate(text, 1):
        y = top - number * LEADING + 3
        axes.text(-edge, y, part, color=svg.INK, family="monospace", **style)
    axes.text(1 + edge, top - LEADING + 3, note, color=svg.MUTED, ha="right", **style)


def _ground(
    axes: Axes, y: float, height: float, places: Sequence[float], margin: float | None
) -> None:
    """Draw a track's guide, grid and margin around 1 below its label, not through it."""
    ends = y - height / 2, y + height / 2
    axes.vlines(places, *ends, color=svg.RULE, linewidth=0.7, zorder=0)
    axes.axhline(y, color=svg.RULE, linewidth=0.7, zorder=0)
    if margin is not None:
        axes.fill_betweenx(ends, 1 / margin, margin, color=svg.BAND, linewidth=0, zorder=0.5)
        axes.vlines([1], *ends, color=svg.MUTED, linewidth=1, zorder=1)


def ticks(axes: Axes, scale: Scale, width: int) -> list[float]:
    """Write the numbers of the scale below the tracks, and return their places."""
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(svg.RULE)
    axes.yaxis.set_visible(False)
    axes.minorticks_off()
    places = tick_places(scale, max(width // _TICK_PIXELS, 2))
    axes.set_xticks(places, [f"{place:,.10g}" for place in places])
    axes.tick_params(axis="x", colors=svg.MUTED, labelsize=11, length=3, color=svg.RULE)
    axes.set_xlabel(visible(scale.name), color=svg.MUTED, fontsize=11, parse_math=False)
    # A number at the end of the scale is aligned inwards, so that it is not cut.
    room = 0.03
    for place, text in zip(places, axes.get_xticklabels(), strict=True):
        share = axes.transAxes.inverted().transform(axes.transData.transform((place, 0)))[0]
        text.set_horizontalalignment(
            "left" if share < room else "right" if share > 1 - room else "center"
        )
    return places


def tick_places(scale: Scale, most: int) -> list[float]:
    """Return places with short numbers: 1, 2 and 5 of every power on a long scale."""
    if not scale.logarithmic or scale.high / scale.low < LOGARITHMIC_FROM:
        short = [1, 2, 5, 10] if scale.is_whole else [1, 2, 2.5, 5, 10]
        places = MaxNLocator(most, steps=short, integer=scale.is_whole)
        inside = [float(place) for place in places.tick_values(scale.low, scale.high)]
        inside = [place for place in inside if scale.low <= place <= scale.high]
        return [place for place in inside if not (scale.is_whole and place % 1)]
    powers = range(math.floor(math.log10(scale.low)), math.ceil(math.log10(scale.high)) + 1)
    for steps, every in (((1, 2, 5), 1), ((1, 3), 1), ((1,), 1), ((1,), 2), ((1,), 3)):
        candidates = [step * 10.0**power for power in powers[::every] for step in steps]
        inside = [place for place in candidates if scale.low <= place <= scale.high]
        if len(inside) <= most:
            break
    return inside


def _shortened(note: str, width: int) -> str:
    """Cut a text that does not fit in one line."""
    most = int(width / _COLUMN)
    text = visible(note)
    return text if cell_len(text) <= most else f"{chop_cells(text, most - 1)[0]}…"


def _folded(label: str, width: int, note: str) -> list[str]:
    """Break a label over lines that leave room for the note, after a : or , if it has one.

    Where a note leaves hardly any, the label begins below it.
    """
    columns = int(width / _COLUMN)
    most = columns - cell_len(note) - 3
    is_below = most < _LEAST_COLUMNS
    if is_below:
        most = columns
    lines = [""]
    for piece in re.split(r"(?<=[:,/\s])", visible(label)):
        if cell_len(lines[-1]) + cell_len(piece) > most and lines[-1]:
            lines.append("")
        *whole, rest = chop_cells(lines[-1] + piece, most) or [""]
        lines[-1:] = [*whole, rest]
    return ["", *lines] if is_below else lines
