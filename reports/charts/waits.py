"""The chart of a watched training: each step's wait within its whole duration."""

from __future__ import annotations

from matplotlib.figure import Figure

from feedbench.bench.records.trainings.watch import WatchRecord
from feedbench.bench.text import digits
from feedbench.reports.charts import svg, tracks
from feedbench.reports.charts.tracks import WIDE, Scale
from feedbench.reports.text import palette

_HEIGHT = 240  # pixels of the chart itself
_BELOW, _ABOVE, _LEFT = 46, 22, 54
_MOST_TICKS = 5
WORK, WAIT = palette.BASELINE, palette.COLOURS[1]


@svg.plain_style()
def waits(record: WatchRecord, width: int = WIDE) -> str | None:
    """Return the chart of milliseconds against steps; None without a step."""
    if not record.stretches:
        return None
    places, waited, whole = _corners(record)
    height = _HEIGHT + _BELOW + _ABOVE
    drawn = Figure(figsize=(width / 72, height / 72), dpi=72, facecolor="none")
    box = (_LEFT / width, _BELOW / height, 1 - (_LEFT + 10) / width, _HEIGHT / height)
    axes = drawn.add_axes(box, facecolor="none")
    most = 1.05 * max(whole) or 1.0
    axes.set_xlim(0, places[-1])
    axes.set_ylim(0, most)
    name = "steps of all epochs"
    across = Scale(low=0, high=places[-1], logarithmic=False, name=name, is_whole=True)
    tracks.ticks(axes, across, width)
    axes.yaxis.set_visible(True)
    up = Scale(low=0, high=most, logarithmic=False, name="")
    marks = tracks.tick_places(up, _MOST_TICKS)
    axes.set_yticks(marks, [digits(mark, 2) if mark else "0" for mark in marks])
    axes.tick_params(axis="y", colors=svg.MUTED, labelsize=11, length=3, color=svg.RULE)
    axes.grid(visible=True, axis="y", color=svg.RULE, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.text(0, 1.02, "ms", transform=axes.transAxes, ha="right", fontsize=11, color=svg.MUTED)
    axes.fill_between(places, waited, whole, color=WORK, alpha=0.35, linewidth=0)
    axes.fill_between(places, 0, waited, color=WAIT, alpha=0.75, linewidth=0)
    axes.plot(places, whole, color=WORK, linewidth=1)
    title = "Wait and whole duration of each step"
    text = f"{len(record.stretches)} parts of {record.steps} steps; {_described(record)}"
    return svg.render(drawn, f"waits-{width}", title, text)


def _corners(record: WatchRecord) -> tuple[list[float], list[float], list[float]]:
    """Return the outline of the steps: each stretch is level from its first step to its last."""
    places: list[float] = []
    waited: list[float] = []
    whole: list[float] = []
    for each in record.stretches:
        places += [each.first_step, each.first_step + each.steps]
        waited += [1000 * each.wait_seconds] * 2
        whole += [1000 * each.step_seconds] * 2
    return places, waited, whole


def _described(record: WatchRecord) -> str:
    longest = max(each.wait_seconds for each in record.stretches)
    return f"the longest mean wait of a part is {digits(1000 * longest)} ms"
