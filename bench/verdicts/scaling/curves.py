"""From the trials of a run to the curves of its arms: points, laws, forecasts, what is needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean

from msgspec.structs import replace

from feedbench.bench.records.row import Row
from feedbench.bench.records.scaling.scaling import (
    Arm,
    Axis,
    Curve,
    FittedLaw,
    Forecast,
    Needed,
    Point,
)
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.text import counted, listed
from feedbench.bench.verdicts.rows import rates_by_block
from feedbench.bench.verdicts.scaling.forecasts import MOST_TRIED, Fit, enough, fit
from feedbench.bench.verdicts.scaling.laws import PARAMETERS, LawName, largest_error

_DOUBLINGS = 2  # of the largest measured count that are forecast
NAMES: dict[LawName, str] = {
    "USL": "the universal scalability law",
    "Amdahl": "Amdahl's law",
}
"""The laws in words, the most general first."""


def curve_of(
    axis: Axis,
    arms: Sequence[Arm],
    rows: Mapping[str, Row],
    trials: Sequence[TrialRecord],
    needed: float | None,
) -> Curve:
    """Return the curve of the arms of one axis.

    `rows` are those of the run, by label, and `needed` the images/s that a model needs; None: it is
    not known.
    """
    points = [_point(arm, rows.get(arm.label), trials) for arm in arms]
    by_label = _rates(trials)
    # Those that share cores with each other are no larger machine. No law is fitted to them.
    alone = [each for each in points if each.rate is not None and each.arm.sharing != "workers"]
    rates = {each.arm.count: by_label[each.arm.label] for each in alone}
    fits = {name: made for name in NAMES if (made := fit(name, rates)) is not None}
    curve = Curve(
        axis=axis,
        points=points,
        laws=[_law(made, alone) for made in fits.values()],
        unfitted=[*_unfitted(axis, [*rates], fits)],
    )
    best = next(iter(fits.values()), None)
    if needed is not None:
        curve = replace(curve, needed=_needed(needed, points, best))
    if best is None:
        return curve
    return replace(curve, forecasts=[*_forecasts(best, alone, curve.needed)])


def _rates(trials: Sequence[TrialRecord]) -> dict[str, dict[int, float]]:
    """Return each label's rate by block, of undisturbed trials where there are some."""
    calm = rates_by_block(trials, "main")
    measured = rates_by_block(trials, "main", with_disturbed=True)
    return {
        label: {block: each.rate for block, each in (calm.get(label) or blocks).items()}
        for label, blocks in measured.items()
    }


def _point(arm: Arm, row: Row | None, trials: Sequence[TrialRecord]) -> Point:
    """Return what was measured of an arm."""
    if row is None:
        return Point(arm=arm, why="there was no time for it")
    main = [
        trial
        for trial in trials
        if trial.label == arm.label and trial.purpose == "main" and trial.ended == "measured"
    ]
    client, workers = _cpu_seconds(main)
    shares = [share for trial in main if (share := trial.others_share) is not None]
    return Point(
        arm=arm,
        blocks=row.blocks,
        rate=row.rate,
        rate_low=row.rate_low,
        rate_high=row.rate_high,
        client_cpu_seconds=client,
        workers_cpu_seconds=workers,
        received_bytes=row.received_bytes_per_image,
        others_share=fmean(shares) if shares else None,
        why="" if row.rate is not None else next(iter(row.failures), "it was not measured"),
    )


def _cpu_seconds(main: Sequence[TrialRecord]) -> tuple[float | None, float | None]:
    """Return the CPU seconds per 1,000 images of a trial's own process, and of all others."""
    images = own = others = 0.0
    for trial in main:
        used, measured = trial.usage, trial.measured
        if used is None or measured is None or not measured.windows:
            continue
        if used.cpu_seconds is None or used.main_cpu_seconds is None:
            continue
        images += used.seconds * measured.rate
        own += used.main_cpu_seconds
        others += used.cpu_seconds - used.main_cpu_seconds
    if not images:
        return None, None
    return 1000 * own / images, 1000 * max(others, 0.0) / images


def _law(made: Fit, points: Sequence[Point]) -> FittedLaw:
    rates = {each.arm.count: each.rate for each in points if each.rate is not None}
    is_checked = len(rates) > PARAMETERS[made.law.name]
    return FittedLaw(
        name=made.law.name,
        counts=sorted(rates),
        one=made.rate(1),
        contention=made.estimate(lambda law: law.contention),
        crosstalk=made.estimate(lambda law: law.crosstalk),
        largest_error=largest_error(made.law, rates) if is_checked else None,
    )


def _unfitted(axis: Axis, counts: Sequence[int], fits: Mapping[LawName, Fit]) -> Iterator[str]:
    """Yield why a law is not fitted."""
    for name, words in NAMES.items():
        if name in fits:
            continue
        has = f"{listed([str(count) for count in sorted(counts)])}" if counts else "none"
        what = "counts of workers that share no cores" if axis == "workers" else "counts of cores"
        if len(counts) >= PARAMETERS[name]:
            yield f"No law is fitted to {axis}: no block has a rate of every count."
            return
        yield (
            f"Not fitted to {axis}: {words}. It takes {PARAMETERS[name]} {what}; measured: {has}."
        )


def _forecasts(best: Fit, points: Sequence[Point], needed: Needed | None) -> Iterator[Forecast]:
    """Yield what a law says of counts that were not measured: doublings, and what is needed."""
    measured = [each.arm.count for each in points]
    largest = max(measured)
    counts = {largest * 2**step for step in range(1, _DOUBLINGS + 1)}
    if needed is not None and needed.count is not None and not needed.is_measured:
        counts.add(needed.count)
    for count in sorted(counts - {*measured}):
        yield Forecast(
            count=count,
            rate=best.rate(count),
            law=best.law.name,
            is_beyond=count > largest,
        )


def _needed(needed: float, points: Sequence[Point], best: Fit | None) -> Needed | None:
    """Return how many are enough: a measured count if one is, else by the law."""
    if (measured := _measured_enough(needed, points)) is not None:
        return measured
    if best is None:
        return None
    has_interval = bool(best.without)
    return Needed(
        images_per_second=needed,
        count=enough(best.law.rate, needed),
        low=enough(lambda count: best.rate(count).high, needed) if has_interval else None,
        high=enough(lambda count: best.rate(count).low, needed) if has_interval else None,
        has_interval=has_interval,
        is_measured=False,
        law=best.law.name,
        most_tried=MOST_TRIED,
    )


def _measured_enough(needed: float, points: Sequence[Point]) -> Needed | None:
    """Return the least measured count that is enough; None if none is."""
    ordered = sorted(points, key=lambda each: each.arm.count)

    def first(of: str) -> int | None:
        ends = ((each.arm.count, getattr(each, of)) for each in ordered)
        return next((count for count, rate in ends if rate is not None and rate >= needed), None)

    count, sure = first("rate"), first("rate_low")
    if count is None:
        return None
    return Needed(
        images_per_second=needed,
        count=count,
        low=first("rate_high"),
        high=sure,
        has_interval=sure is not None,
        is_measured=True,
        most_tried=MOST_TRIED,
    )


def measured_counts(curve: Curve) -> str:
    """Return the counts of a curve that have a rate, such as: 1, 2 and 4 workers."""
    counts = [each.arm.count for each in curve.points if each.rate is not None]
    *others, last = counts or [0]
    noun = curve.axis.removesuffix("s")
    return listed([*map(str, others), counted(last, noun)])
