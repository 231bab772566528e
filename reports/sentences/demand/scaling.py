"""Pipelines that are not enough, on fewer cores and on all: what was measured, and what follows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from feedbench.bench.text import counted, digits, listed
from feedbench.reports.text.figures import MISSING, percent

if TYPE_CHECKING:
    from feedbench.bench.records.demand.demand import (
        CorePoint,
        CoreScaling,
        CoresNeeded,
        Demand,
        Estimate,
    )

ABOUT = "\N{ALMOST EQUAL TO}"
LAW = "Amdahl's law"


def sentences(demand: Demand) -> list[str]:
    """Return what was measured of each pipeline on fewer cores, and how many would be enough."""
    return [sentence(each) for each in demand.cores]


def sentence(scaling: CoreScaling) -> str:
    """Return what was measured of one pipeline, and what was extrapolated from it."""
    if not scaling.points:
        why = f": {scaling.failures[0]}" if scaling.failures else ""
        return f"{scaling.label} was not measured on fewer cores{why}."
    parts = [
        f"{digits(point.rate.value)} images/s on {counted(point.cores, 'core')}{_waits(point)}"
        for point in scaling.points
    ]
    return f"{scaling.label}, measured: {listed(parts)}. {_conclusion(scaling)}".strip()


def _waits(point: CorePoint) -> str:
    return "" if point.wait is None else f" (waits {100 * max(point.wait, 0.0):.0f}%)"


def _conclusion(scaling: CoreScaling) -> str:
    """Return how many cores would be enough, or why that is not extrapolated."""
    if scaling.needed is None:
        return f"Nothing is extrapolated: {scaling.why_not}." if scaling.why_not else ""
    rate = digits(scaling.needed.rate)
    if scaling.needed.value is None:
        least = _least(scaling.needed)
        return f"Extrapolated by {LAW}: no number of cores gives {rate} images/s{least}."
    return f"Extrapolated by {LAW}: {needed(scaling.needed)} cores for {rate} images/s."


def _least(needed: CoresNeeded) -> str:
    """Return the low end of an interval in which no number is the estimate; "" without one."""
    if needed.low is None:
        return ""
    return f" (at the low end of the interval: {ABOUT} {digits(needed.low, 2)})"


def needed(estimate: CoresNeeded) -> str:
    """Return how many cores would be enough with the interval, marked as extrapolated."""
    if estimate.value is None:
        return f"{ABOUT} no number is enough{_least(estimate)}"
    return f"{ABOUT} {digits(estimate.value, 2)}{_interval(estimate)}"


def _interval(estimate: CoresNeeded) -> str:
    if estimate.level is None or estimate.low is None:
        return f" ({counted(estimate.blocks, 'block')}, so no interval)"
    high = "no number" if estimate.high is None else digits(estimate.high, 2)
    return f" ({digits(estimate.low, 2)} to {high})"


def titles(scalings: Sequence[CoreScaling]) -> tuple[tuple[str, str, bool], ...]:
    """Return the columns of the table: title, unit, and whether it holds words."""
    return (
        ("pipeline", "", True),
        *((f"on {counted(cores, 'core')}", "images/s, measured", True) for cores in _all(scalings)),
        ("in sequence", "% on one core, fitted", False),
        *([("law misses by", "%, at most", False)] if has_misfit(scalings) else []),
        ("cores that are enough", "extrapolated", True),
    )


def has_misfit(scalings: Sequence[CoreScaling]) -> bool:
    """Return whether there are enough numbers of cores to show how well the law holds."""
    return any(each.needed is not None and each.needed.misfit is not None for each in scalings)


def rows(scalings: Sequence[CoreScaling]) -> list[tuple[str, ...]]:
    """Return the cells of the table, a row a pipeline."""
    return [_row(each, scalings) for each in scalings]


def _all(scalings: Sequence[CoreScaling]) -> list[int]:
    """Return the numbers of cores that were measured."""
    return sorted({point.cores for each in scalings for point in each.points})


def _row(scaling: CoreScaling, scalings: Sequence[CoreScaling]) -> tuple[str, ...]:
    points = {point.cores: point for point in scaling.points}
    measured = (_measured(points.get(cores)) for cores in _all(scalings))
    estimate = scaling.needed
    if estimate is None:
        fitted = [MISSING, *([MISSING] if has_misfit(scalings) else [])]
        return (scaling.label, *measured, *fitted, scaling.why_not or MISSING)
    misfit = MISSING if estimate.misfit is None else percent(estimate.misfit)
    fitted = [percent(_in_sequence(estimate)), *([misfit] if has_misfit(scalings) else [])]
    return (scaling.label, *measured, *fitted, needed(estimate))


def _in_sequence(estimate: CoresNeeded) -> float:
    """Return the share of an image's time on one core that no further core shortens."""
    serial = max(estimate.serial_seconds, 0.0)
    return serial / (serial + estimate.spread_seconds)


def _measured(point: CorePoint | None) -> str:
    if point is None:
        return MISSING
    wait = "" if point.wait is None else f"; waits {percent(max(point.wait, 0.0))}%"
    return f"{digits(point.rate.value)}{_ends(point.rate)}{wait}"


def _ends(rate: Estimate) -> str:
    if rate.low is None or rate.high is None:
        return ""
    return f" ({digits(rate.low)} to {digits(rate.high)})"
