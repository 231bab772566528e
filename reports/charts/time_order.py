"""Charts of a run's blocks in the order of time: for each pipeline, and for the machine."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import ClassVar

from matplotlib.axes import Axes

from feedbench.bench.records.conditions.calm import BlockCalm
from feedbench.bench.records.row import Row
from feedbench.bench.records.run import RunRecord
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.text import counted
from feedbench.bench.verdicts.control import control_ratios
from feedbench.bench.verdicts.rows import of_whole_blocks
from feedbench.reports.charts import svg, tracks
from feedbench.reports.charts.tracks import WIDE, Scale, Track
from feedbench.reports.text import palette
from feedbench.reports.text.figures import is_known, percent, shown

_LEAST_REACH = math.log(1.05)  # so that a calm run looks calm
_MOST_REACH = math.log(2.0)  # points farther away are drawn at the edge


@dataclass(frozen=True, kw_only=True)
class Point:
    """A value of a block; its place is the block's number, or shortly before or after."""

    place: float
    value: float  # as a share of the value at the track's middle
    is_left_out: bool = False


@dataclass(frozen=True, kw_only=True)
class Series(Track):
    """Points from block to block around 1, on a logarithmic scale; `reach` is half of it."""

    height: ClassVar[int] = 46

    points: Sequence[Point]
    reach: float  # a log
    is_joined: bool = True
    limit: float | None = None  # under which a value is low

    def draw(self, axes: Axes, y: float, scale: Scale) -> None:
        """Draw the points, excluded ones hollow, and a line through the others."""
        half = self.height / 2 - 4
        if self.limit and math.exp(-self.reach) <= self.limit < 1:
            low = y + half * math.log(self.limit) / self.reach
            axes.hlines([low], scale.low, scale.high, **tracks.BROKEN)
        for out, group in ((False, self._of(out=False)), (True, self._of(out=True))):
            if not group:
                continue
            logs = [math.log(point.value) / self.reach for point in group]
            heights = [y + half * min(max(log, -1.0), 1.0) for log in logs]
            places = [point.place for point in group]
            if self.is_joined and not out:
                axes.plot(places, heights, color=self.colour, linewidth=1, alpha=0.6, zorder=2)
            svg.dots(axes, places, heights, 6, color=self.colour, zorder=3, alpha=0.9)
            if out:  # hollow
                svg.dots(axes, places, heights, 3.6, color=svg.PAPER, zorder=3.5)

    def _of(self, *, out: bool) -> list[Point]:
        return [point for point in self.points if point.is_left_out == out]


@svg.plain_style()
def blocks(run: RunRecord, trials: Sequence[TrialRecord], width: int = WIDE) -> str | None:
    """Return the chart of each pipeline's trials in time order; None if there are none.

    What was measured again, or left out, is there too.
    """
    points_of = {row.label: _of_trials(row, run, trials) for row in run.rows}
    lines = _series(run, {label: points for label, points in points_of.items() if points})
    if not lines:
        return None
    figure = tracks.figure(lines, _of_blocks(run, points_of.values()), width)
    title = "Each pipeline's rate from block to block"
    return svg.render(figure, f"time-{width}", title, tracks.description(lines))


@svg.plain_style()
def calm(run: RunRecord, trials: Sequence[TrialRecord], width: int = WIDE) -> str | None:
    """Return the chart of the probes and of the baseline's second copy; None without a probe."""
    if run.calm is None or not run.calm.blocks:
        return None
    machine = {
        "the probe's hashing": [*_probes(run.calm.blocks, "hashed")],
        "the probe's copying": [*_probes(run.calm.blocks, "copied")],
        "the baseline's second copy": [*_control(run, trials)],
    }
    limits = dict(zip(machine, (run.calm.low.hashed, run.calm.low.copied, None), strict=True))
    measured = {name: points for name, points in machine.items() if points}
    reach = _reach(measured.values())
    lines = [
        Series(
            label=name,
            note=_between(points),
            colour=palette.BASELINE,
            points=points,
            reach=reach,
            is_joined=name.startswith("the baseline"),
            limit=limits[name],
        )
        for name, points in measured.items()
    ]
    figure = tracks.figure(lines, _of_blocks(run, measured.values()), width)
    title = "The machine from block to block"
    return svg.render(figure, f"calm-{width}", title, tracks.description(lines))


def reach(run: RunRecord, trials: Sequence[TrialRecord]) -> float:
    """Return the upper edge of a pipeline's track in `blocks`, as a multiple of its middle."""
    tracks = [_of_trials(row, run, trials) for row in run.rows]
    return math.exp(_reach(tracks))


def machine_reach(run: RunRecord, trials: Sequence[TrialRecord]) -> float:
    """Return the upper edge of a track in `calm`, as a multiple of its middle."""
    blocks = run.calm.blocks if run.calm else []
    both = [[*_probes(blocks, "hashed")], [*_probes(blocks, "copied")], [*_control(run, trials)]]
    return math.exp(_reach(both))


def _series(run: RunRecord, points_of: Mapping[str, Sequence[Point]]) -> list[Series]:
    colours = palette.colours([row.label for row in run.rows])
    reach = _reach(points_of.values())
    return [
        Series(label=label, note=_spread(points), colour=colours[label], points=points, reach=reach)
        for label, points in points_of.items()
    ]


def _of_trials(row: Row, run: RunRecord, trials: Sequence[TrialRecord]) -> list[Point]:
    """Return one point a trial of the blocks, as shares of the median of the counted trials."""
    mine = [
        trial
        for trial in of_whole_blocks(trials, run.blocks)
        if trial.label == row.label and trial.purpose == "main" and trial.ended == "measured"
    ]
    rates = [(trial, rate) for trial in mine if is_known(rate := trial.rate) and rate]
    counting = [rate for trial, rate in rates if not trial.is_disturbed]
    if not rates:
        return []
    middle = median(counting or [rate for _, rate in rates])
    return [
        Point(place=trial.block, value=rate / middle, is_left_out=trial.is_disturbed)
        for trial, rate in sorted(rates, key=lambda timed: (timed[0].block, timed[0].attempt))
    ]


def _probes(blocks: Sequence[BlockCalm], kind: str) -> Iterator[Point]:
    """Yield the probes as shares of the reference speed, spread over the width of their block.

    A probe between two trials is a single point.
    """
    before: float | None = None
    for block in blocks:
        for place, share in enumerate(block.probes):
            value = getattr(share, kind)
            if is_known(value) and value > 0 and value != before:
                offset = (place + 0.5) / len(block.probes) - 0.5
                yield Point(place=block.block + 0.8 * offset, value=value)
            before = value


def _control(run: RunRecord, trials: Sequence[TrialRecord]) -> Iterator[Point]:
    """Yield the ratio of the baseline's second copy to the baseline, block by block."""
    for block, ratio in control_ratios(run, trials).items():
        yield Point(place=block, value=ratio)


def _reach(tracks: Iterable[Sequence[Point]]) -> float:
    farthest = [abs(math.log(point.value)) for points in tracks for point in points]
    return min(max([_LEAST_REACH, *farthest]), _MOST_REACH)


def _of_blocks(run: RunRecord, tracks: Iterable[Sequence[Point]]) -> Scale:
    last = max([run.blocks, 1, *(point.place for points in tracks for point in points)])
    name = "block, in the order of time"
    return Scale(low=0.4, high=round(last) + 0.6, logarithmic=False, name=name, is_whole=True)


def _between(points: Sequence[Point]) -> str:
    values = [point.value for point in points]
    return f"{shown(min(values))} to {shown(max(values))}"


def _spread(points: Sequence[Point]) -> str:
    counting = [point.value for point in points if not point.is_left_out]
    out = len(points) - len(counting)
    remark = f", {counted(out, 'disturbed trial')}" if out else ""
    if not counting:
        return remark.removeprefix(", ")
    low, high = (round(end - 1, 4) + 0.0 for end in (min(counting), max(counting)))  # never -0.0
    return f"{percent(low)}% to +{percent(high)}%{remark}"
