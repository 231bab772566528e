"""A run's charts, one function each, as SVG text. A track a pipeline, in the run's order."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure

from feedbench.bench.records.diagnosis import Ceiling
from feedbench.bench.records.run import RunRecord
from feedbench.bench.verdicts.ceilings import binding
from feedbench.bench.verdicts.comparison import Comparison
from feedbench.reports.charts import svg, tracks
from feedbench.reports.charts.tracks import NARROW, WIDE, Guide, Line, Scale
from feedbench.reports.text import palette
from feedbench.reports.text.figures import is_known, no_rate, percent, shown, spread

__all__ = [
    "NARROW",
    "WIDE",
    "colours",
    "compared",
    "rates",
    "rates_side_by_side",
    "ratios",
    "ratios_figure",
    "side_by_side",
]

_CEILINGS = {
    "read": "reading only",
    "decode": "reading and decoding",
    "scaled decode": "decoding at a reduced scale",
    "ready": "a ready batch",
}
_RATIO = "times the rate of the baseline, on a logarithmic scale"
_MOST_NAMED = 50  # characters of a label that fits below the scale
_MOST_BEYOND = 10.0  # times the fastest rate: a higher ceiling limits no pipeline


def colours(run: RunRecord) -> dict[str, str]:
    """Return each label's colour, the same in all charts and tables; the baseline's is grey."""
    return palette.colours([row.label for row in run.rows])


@svg.plain_style()
def rates(run: RunRecord, blocks: pd.DataFrame, width: int = WIDE) -> str | None:
    """Return the chart of images/s: a dot a block, the interval, the estimate. None without any.

    `blocks` is `table.blocks` of the run, `width` in pixels.
    """
    lines = list(_rate_lines(run, blocks, colours(run)))
    values = _values(lines)
    if not values:
        return None
    guides = _ceilings(run, max(values))
    scale = _of_rates([*values, *(guide.value for guide in guides)])
    return _rates(lines, scale, width, f"rates-{width}", guides)


@svg.plain_style()
def rates_side_by_side(runs: Sequence[tuple[RunRecord, pd.DataFrame]]) -> list[str | None]:
    """Return each run's chart of images/s, all on one scale, narrow.

    A pipeline has one colour in all of them. None in the place of a run without a rate.
    """
    seen = _shared_colours(runs)
    drawn = [list(_rate_lines(run, blocks, seen)) for run, blocks in runs]
    values = [_values(lines) for lines in drawn]
    return [
        _rates(lines, _of_rates([value for each in values for value in each]), NARROW, name)
        if shown
        else None
        for name, lines, shown in zip(_names("rates-of-run", runs), drawn, values, strict=True)
    ]


def _rates(
    lines: Sequence[Line], scale: Scale, width: int, name: str, guides: Sequence[Guide] = ()
) -> str:
    figure = tracks.figure(lines, scale, width, guides=guides)
    description = tracks.description([line for line in lines if not line.is_control])
    best = "".join(f"; ceiling of {guide.name}" for guide in guides)
    return svg.render(figure, name, "Images a second of each pipeline", description + best)


def _of_rates(values: Sequence[float]) -> Scale:
    """Return the scale of these rates."""
    low, high = min(values), max(values)
    if high / low > tracks.LOGARITHMIC_FROM:
        return tracks.padded(low, high, "images/s, on a logarithmic scale")
    return Scale(low=0.0, high=1.05 * high, logarithmic=False, name="images/s")


def _values(lines: Sequence[Line]) -> list[float]:
    return [value for line in lines for value in line.extent]


def _shared_colours(runs: Sequence[tuple[RunRecord, pd.DataFrame]]) -> dict[str, str]:
    return palette.colours(list(dict.fromkeys(row.label for run, _ in runs for row in run.rows)))


def _names(chart: str, runs: Sequence[object]) -> list[str]:
    """Return a name for each run's chart."""
    return [f"{chart}-{place}" for place in range(1, len(runs) + 1)]


def _ceilings(run: RunRecord, fastest: float) -> list[Guide]:
    """Return the ceilings that limit a pipeline, except those far above every rate."""
    if run.diagnosis is None:
        return []
    labels: dict[str, list[str]] = {}  # by the name of the ceiling
    ceilings: dict[str, Ceiling] = {}
    for row in run.rows:
        ceiling = binding(row, run.diagnosis)
        if ceiling is not None and is_known(ceiling.rate):
            ceilings[ceiling.name] = ceiling
            labels.setdefault(ceiling.name, []).append(row.label)
    return [
        Guide(
            name=f"{_CEILINGS[name]}: {shown(ceiling.rate)}",
            value=ceiling.rate,
            labels=labels[name],
        )
        for name, ceiling in ceilings.items()
        if 0 < ceiling.rate <= _MOST_BEYOND * fastest
    ]


@svg.plain_style()
def ratios(run: RunRecord, blocks: pd.DataFrame, width: int = WIDE) -> str | None:
    """Return the chart of ratios to the baseline, with the margin and the verdicts.

    None if there is nothing to compare. `blocks` is `table.blocks` of the run.
    """
    lines = list(_ratio_lines(run, blocks, colours(run)))
    if all(line.is_control for line in lines):
        return None
    scale = tracks.around_1(lines, run.margin, _RATIO)
    return _ratios(lines, scale, run.margin, width, f"ratios-{width}")


def ratios_figure(run: RunRecord, blocks: pd.DataFrame) -> Figure | None:
    """Return the same chart as a figure that stands alone: its scale names the baseline.

    To be drawn and saved in the plain style.
    """
    lines = list(_ratio_lines(run, blocks, colours(run)))
    if all(line.is_control for line in lines):
        return None
    baseline = run.rows[0].label
    name = _RATIO.replace("the baseline", baseline) if len(baseline) <= _MOST_NAMED else _RATIO
    scale = tracks.around_1(lines, run.margin, name)
    return tracks.figure(lines, scale, WIDE, margin=1 + run.margin)


@svg.plain_style()
def side_by_side(runs: Sequence[tuple[RunRecord, pd.DataFrame]]) -> list[str | None]:
    """Return each run's chart of ratios to its own baseline, all on one scale, narrow.

    A pipeline has one colour in all of them. None in the place of a run without a ratio.
    """
    seen = _shared_colours(runs)
    drawn = [list(_ratio_lines(run, blocks, seen)) for run, blocks in runs]
    margin = max((run.margin for run, _ in runs), default=0.0)
    scale = tracks.around_1([line for lines in drawn for line in lines], margin, _RATIO)
    return [
        None
        if all(line.is_control for line in lines)
        else _ratios(lines, scale, run.margin, NARROW, name)
        for name, (run, _), lines in zip(_names("run", runs), runs, drawn, strict=True)
    ]


def _ratios(lines: Sequence[Line], scale: Scale, margin: float, width: int, name: str) -> str:
    figure = tracks.figure(lines, scale, width, margin=1 + margin)
    return svg.render(
        figure, name, "Ratio of each pipeline to the baseline", tracks.description(lines)
    )


@svg.plain_style()
def compared(comparison: Comparison, colours: Mapping[str, str], width: int = WIDE) -> str | None:
    """Return the chart of two runs' ratios, with the tolerance and the verdicts. None without any.

    `colours` by label, `width` in pixels.
    """
    lines = [
        Line(
            label=pipeline.label,
            note=f"{shown(pipeline.ratio)}, {pipeline.word}",
            colour=colours[pipeline.label],
            estimate=pipeline.ratio,
            low=pipeline.ratio_low,
            high=pipeline.ratio_high,
        )
        for pipeline in comparison.pipelines
        if is_known(pipeline.ratio)
    ]
    if not lines:
        return None
    scale = tracks.around_1(
        lines, comparison.tolerance, "new rate over base rate, on a logarithmic scale"
    )
    figure = tracks.figure(lines, scale, width, margin=1 + comparison.tolerance)
    return svg.render(
        figure, f"compared-{width}", "Ratio of the new run to the base", tracks.description(lines)
    )


def _rate_lines(run: RunRecord, blocks: pd.DataFrame, colours: Mapping[str, str]) -> Iterator[Line]:
    for place, row in enumerate(run.rows):
        colour = colours[row.label]
        half = spread(row)
        note = shown(row.rate) + (f" ± {percent(half)}%" if half is not None else "")
        if not is_known(row.rate):
            note = no_rate(row)
        points = _points(blocks, row.label, "images_per_second")
        yield Line(
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
            yield Line(label=label, note="control", colour=colour, points=control, is_control=True)


def _ratio_lines(
    run: RunRecord, blocks: pd.DataFrame, colours: Mapping[str, str]
) -> Iterator[Line]:
    control = _points(blocks, run.rows[0].label, "ratio", control=True) if run.rows else []
    if control:
        estimate, low, high = run.control or (math.nan,) * 3
        yield Line(
            label=f"{run.rows[0].label}, its second copy",
            note=f"{shown(estimate)}, control" if run.control else "control",
            colour=colours[run.rows[0].label],
            estimate=estimate,
            low=low,
            high=high,
            points=control,
            is_control=True,
        )
    for row in run.rows[1:]:
        if is_known(row.ratio):
            yield Line(
                label=row.label,
                note=f"{shown(row.ratio)}, {row.verdict or 'no verdict'}",
                colour=colours[row.label],
                estimate=row.ratio,
                low=row.ratio_low,
                high=row.ratio_high,
                points=_points(blocks, row.label, "ratio"),
            )


def _points(blocks: pd.DataFrame, label: str, column: str, *, control: bool = False) -> list[float]:
    """Return one figure a block, in the blocks' order."""
    of_label = blocks[(blocks["label"] == label) & (blocks["control"] == control)]
    return [float(value) for value in of_label.sort_values("block")[column] if is_known(value)]


def _open_end(low: float | None, high: float | None) -> float | None:
    """Return the upper end; infinite if there is only a lower end."""
    return math.inf if high is None and low is not None else high
