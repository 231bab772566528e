"""The tables of the page on a model and its input: cells. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from feedbench.bench.records.demand.demand import Demand, Estimate, FedRow
from feedbench.bench.records.run import RunRecord
from feedbench.bench.text import digits
from feedbench.bench.verdicts.demand.remedies import Cores, Remedy, Stored, remedies
from feedbench.reports.sentences.demand import scaling
from feedbench.reports.text.figures import MISSING, percent, shown

TITLES = (
    ("pipeline", "", True),
    ("while it feeds", "images/s", False),
    ("waits", "% of the time", False),
    ("interval", "%", False),
    ("verdict", "", True),
    ("takes from the model", "% of its appetite", False),
    ("CPU", "s per 1,000 images", False),
)
"""Each column's title and unit, and whether it holds words."""

CURVE_TITLES = (
    ("pipeline", "", True),
    ("feeds at 90%", "images/s", False),
    ("interval", "", False),
    ("feeds at 99%", "images/s", False),
    ("interval", "", False),
)

REMEDY_TITLES = (
    ("pipeline", "", True),
    ("too slow by", "times", False),
    ("cores", "extrapolated", True),
    ("stored images", "extrapolated", True),
    ("a knob", "measured", True),
)


def rows(demand: Demand) -> list[tuple[str, ...]]:
    """Return the cells of the table of TITLES, a row a pipeline."""
    return [_row(row) for row in demand.rows]


def _row(row: FedRow) -> tuple[str, ...]:
    wait = row.wait
    verdict = row.verdict or ("failed" if row.failures else "not measured")
    return (
        row.label,
        MISSING if row.rate is None else digits(row.rate.value),
        MISSING if wait is None else percent(wait.value),
        _interval(wait, percent),
        verdict,
        MISSING if row.taken is None else percent(row.taken),
        shown(row.cpu_seconds_per_1000_images),
    )


def _interval(estimate: Estimate | None, form: Callable[[float], str]) -> str:
    if estimate is None or estimate.low is None or estimate.high is None:
        return MISSING
    return f"{form(estimate.low)} to {form(estimate.high)}"


def curve_rows(demand: Demand) -> list[tuple[str, ...]]:
    """Return the cells of CURVE_TITLES: the largest appetites that a pipeline feeds."""
    return [(each.label, *_fed(each.fed_at_90), *_fed(each.fed_at_99)) for each in demand.curves]


def _fed(estimate: Estimate | None) -> tuple[str, str]:
    value = MISSING if estimate is None else digits(estimate.value)
    return value, _interval(estimate, digits)


def remedies_of(run: RunRecord) -> list[Remedy]:
    """Return what the run's pipelines would take for which its model waits."""
    if run.demand is None:
        return []
    return remedies(
        run.demand,
        {row.label: row for row in run.rows},
        run.diagnosis,
        run.environment.cores,
        margin=run.margin,
        delivered_pixels=run.workload.height * run.workload.width,
    )


def remedy_rows(remedies: Sequence[Remedy]) -> list[tuple[str, ...]]:
    """Return the cells of the table of remedies."""
    return [
        (
            each.label,
            digits(each.times, 2),
            _cores_of(each),
            MISSING if each.stored is None else stored(each.stored),
            MISSING if each.fixed is None else f"{each.fixed.spec}: {digits(each.fixed.rate)}",
        )
        for each in remedies
    ]


def _cores_of(remedy: Remedy) -> str:
    """Return how many cores would be enough: by the rates on fewer ones, if they were measured."""
    if remedy.measured is not None and remedy.measured.needed is not None:
        return scaling.needed(remedy.measured.needed)
    return remedy.no_cores if remedy.cores is None else cores(remedy.cores)


def cores(estimate: Cores) -> str:
    """Return how many cores would be enough, marked as extrapolated."""
    now = f"{estimate.now:g} now"
    if estimate.estimate is None:
        return f"\N{ALMOST EQUAL TO} no number is enough: a part of the work is not spread ({now})"
    most = "no number" if estimate.most is None else digits(estimate.most, 2)
    low, middle = digits(estimate.least, 2), digits(estimate.estimate, 2)
    return f"\N{ALMOST EQUAL TO} {middle} ({low} to {most}; {now})"


def stored(estimate: Stored) -> str:
    """Return how large stored images could be, marked as extrapolated."""
    side, now = (f"{pixels**0.5:.0f}" for pixels in (estimate.pixels, estimate.pixels_now))
    low = (
        "" if estimate.low is None else f" ({percent(estimate.low)}% to {percent(estimate.share)}%)"
    )
    share = f"\N{ALMOST EQUAL TO} {percent(estimate.share)}% of the pixels{low}"
    return f"{share}, such as {side}x{side}, not {now}x{now}"
