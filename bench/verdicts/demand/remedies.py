"""What it would take until a model no longer waits. Pure; all of it is extrapolated.

Cores: Amdahl's law, fitted to the rates on fewer cores and on all, if those were measured. If not:
a pipeline takes c CPU seconds for an image, of which s are in sequence. So n cores take
s + (c - s) / n seconds. Its measured rate on this machine's cores gives s. Perfect scaling, c / n
seconds on n cores, is the lower limit.

Stored images: decoding takes time in proportion to the pixels of a file. All other work stays.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from feedbench.bench.records.demand.demand import CoreScaling, Demand
from feedbench.bench.records.diagnosis import Diagnosis, Fixed
from feedbench.bench.records.row import Row
from feedbench.bench.verdicts.demand.scaling import SHARED, is_shared

LEAST_BUSY = 0.75
"""The share of the cores that a pipeline keeps busy if the cores are what limits it."""


@dataclass(frozen=True, kw_only=True)
class Cores:
    """How many cores would be enough, by Amdahl's law."""

    now: float
    least: float
    """If all work of an image could be spread."""
    estimate: float | None
    """None: no number of cores is enough, because of the part in sequence."""
    most: float | None
    """The estimate at the low end of the rate's interval. None: no number, or no interval."""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """How large stored images could be, as a share of the pixels that they have now."""

    share: float
    low: float | None
    """At the low end of the rate's interval. None: no size is enough there, or no interval."""
    pixels: float
    """Of an average image, stored so."""
    pixels_now: float


@dataclass(frozen=True, kw_only=True)
class Remedy:
    """What one pipeline would take, for which the model waits."""

    label: str
    needed: float
    """Images/s that are enough: the appetite less the margin."""
    rate: float
    cores: Cores | None
    measured: CoreScaling | None
    """The pipeline on fewer cores and on all, if that was measured: `cores` is less certain."""
    no_cores: str
    """Why more cores are not the remedy, a clause; "" if they are."""
    stored: Stored | None
    fixed: Fixed | None
    """The pipeline with fixed values instead of AUTOTUNE, if that was measured as fast enough."""

    @property
    def times(self) -> float:
        """By what factor the pipeline is too slow."""
        return self.needed / self.rate


def remedies(
    demand: Demand, rows: Mapping[str, Row], diagnosis: Diagnosis | None, cores: float, *,
    margin: float, delivered_pixels: int,
) -> list[Remedy]:  # fmt: skip
    """Return what each pipeline would take for which the model waits, the fastest first.

    `rows` are those of the run, by label. `cores` are those that it could use.
    """
    if demand.appetite is None:
        return []
    needed = demand.appetite.value * (1 - margin)
    slow = [rows[fed.label] for fed in demand.rows if fed.verdict == "waits"]
    remedies = [
        _remedy(row, needed, demand, diagnosis, cores, delivered_pixels)
        for row in slow
        if row.rate and row.rate < needed
    ]
    return sorted(remedies, key=lambda each: -each.rate)


def _remedy(
    row: Row, needed: float, demand: Demand, diagnosis: Diagnosis | None, cores: float, pixels: int
) -> Remedy:
    assert row.rate is not None
    why = _no_cores(row, demand)
    fixed = [each for each in diagnosis.fixed if each.label == row.label] if diagnosis else []
    return Remedy(
        label=row.label,
        needed=needed,
        rate=row.rate,
        cores=None if why else cores_for(row, needed, cores),
        measured=next((each for each in demand.cores if each.label == row.label), None),
        no_cores=why,
        stored=None if why else _stored(row, needed, diagnosis, pixels),
        fixed=next((each for each in fixed if each.rate >= needed), None),
    )


def _no_cores(row: Row, demand: Demand) -> str:
    """Return why more cores are not the remedy, or why that is not known; "" if they are."""
    fed = next(each for each in demand.rows if each.label == row.label)
    if demand.model is not None and is_shared(demand.model, [fed]):
        return SHARED
    if row.cpu_seconds_per_1000_images is None or row.cpu_utilisation is None:
        return "its CPU time is not known"
    if row.cpu_utilisation < LEAST_BUSY:
        return f"it keeps only {100 * row.cpu_utilisation:.0f}% of the cores busy"
    return ""


def cores_for(row: Row, needed: float, cores: float) -> Cores:
    """Return how many cores a pipeline would take for `needed` images/s; it has `cores` now."""
    assert row.cpu_seconds_per_1000_images is not None
    assert row.rate is not None
    spent = row.cpu_seconds_per_1000_images / 1000
    low = None if row.rate_low is None else _amdahl(spent, row.rate_low, needed, cores)
    return Cores(
        now=cores,
        least=max(spent * needed, cores),
        estimate=_amdahl(spent, row.rate, needed, cores),
        most=low,
    )


def _amdahl(spent: float, rate: float, needed: float, cores: float) -> float | None:
    """Return the cores at which s + (spent - s) / n is 1 / needed; None if s alone is longer."""
    if cores <= 1:
        return max(spent * needed, cores)  # one core shows no part in sequence
    serial = min(max((cores / rate - spent) / (cores - 1), 0.0), 1 / rate)
    spread = (1 / rate - serial) * cores
    room = 1 / needed - serial
    return max(spread / room, cores) if room > 0 else None


def _stored(
    row: Row, needed: float, diagnosis: Diagnosis | None, delivered_pixels: int
) -> Stored | None:
    if diagnosis is None or not diagnosis.source_pixels:
        return None
    decoding = decode_seconds(row, diagnosis)
    assert row.cpu_seconds_per_1000_images is not None
    assert row.rate is not None
    spent = row.cpu_seconds_per_1000_images / 1000
    if decoding is None:
        return None
    least = delivered_pixels / diagnosis.source_pixels
    share = _share(spent, decoding, row.rate / needed)
    if share <= least:  # it would be smaller than what is delivered
        return None
    low = None if row.rate_low is None else _share(spent, decoding, row.rate_low / needed)
    return Stored(
        share=share,
        low=low if low is not None and low > least else None,
        pixels=share * diagnosis.source_pixels,
        pixels_now=diagnosis.source_pixels,
    )


def _share(spent: float, decoding: float, times: float) -> float:
    """Return the share of the pixels at which CPU time falls to `times` of what it is."""
    return 1 - spent * (1 - times) / decoding


def decode_seconds(row: Row, diagnosis: Diagnosis) -> float | None:
    """Return the CPU seconds for decoding an image; None if they were not measured.

    By the pipeline that ends after decoding, or else by the share of the stages of a trace.
    """
    for waterfall in diagnosis.waterfalls:
        if waterfall.label == row.label:
            added = waterfall.added_ms().get("decode", 0.0)
            if added > 0:
                return added / 1000
    trace = diagnosis.traces.get(row.label)
    spent = row.cpu_seconds_per_1000_images
    if trace is None or spent is None or trace.why_not is not None:
        return None
    share = trace.share("decode")
    return share * spent / 1000 if share > 0 and math.isfinite(share) else None
