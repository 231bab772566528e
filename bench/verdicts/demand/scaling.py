"""Pipelines that are not enough, on fewer cores and on all, and how many cores would be. Pure.

The scaling is measured: all processes of a trial are pinned to some of the cores. How many cores
would be enough is extrapolated from it by Amdahl's law, block by block.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
import numpy.typing as npt

from feedbench.bench.records.demand.demand import (
    CorePoint,
    CoreScaling,
    CoresNeeded,
    FedRow,
    ModelRecord,
)
from feedbench.bench.records.demand.feeding import Feeding
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.verdicts.demand.waiting import rate_of, waits_of
from feedbench.bench.verdicts.intervals import LEAST_BLOCKS, Certainty
from feedbench.bench.verdicts.scaling.amdahl import LEAST_POINTS, amdahl

READY = "ready batch"
"""The label of the trials of a model over a batch that is ready."""

_CANDIDATES = np.geomspace(1, 1_000_000, 4001)  # 0.35 % apart; more cores than these are no number
NO_SPREAD = "on more cores it is not faster"
SHARED = "the model runs on the same cores, and would be faster too"

Rates = Mapping[int, Mapping[int, float]]
"""Images/s by the number of cores and the block."""


@dataclass(frozen=True, kw_only=True)
class Enough:
    """What is enough, and for which model."""

    appetite: float  # images/s of the model on all cores
    rate: float  # images/s that are enough
    is_shared: bool  # the model runs on the same cores


def is_shared(model: ModelRecord, fed: Sequence[FedRow]) -> bool:
    """Return whether a model runs on the cores of its pipelines: a real one that has no GPU."""
    return not (model.is_emulated or any(isinstance(row.gpus, list) for row in fed))


def is_too_slow(row: FedRow, margin: float) -> bool:
    """Return whether a pipeline is measured on fewer cores: the model waits more than the margin.

    By its estimate, since a verdict may need more blocks.
    """
    return row.wait is not None and row.wait.value > margin


def scaling_of(
    label: str,
    trials: Sequence[TrialRecord],
    enough: Enough,
    level: float,
    certainty: Certainty,
) -> CoreScaling:
    """Return what the trials of one pipeline on some of the cores show, in completed blocks.

    Where a model shares the cores, its appetite on as many is measured as well.
    """
    rates, appetites = rates_of(trials, label), rates_of(trials, READY)
    points = []
    for cores, of_block in sorted(rates.items()):
        usual = {} if enough.is_shared else dict.fromkeys(of_block, enough.appetite)
        waits = waits_of(of_block, appetites.get(cores, usual))
        rate = rate_of([*of_block.values()], level, certainty)
        wait = fmean(waits.values()) if waits else None
        points.append(CorePoint(cores=cores, rate=rate, wait=wait))
    failures = [
        trial.why or ""
        for trial in trials
        if trial.label == label and trial.purpose == "cores" and trial.is_failure
    ]
    needed, why_not = None, ""
    if enough.is_shared:
        why_not = SHARED
    elif len(points) >= LEAST_POINTS:
        needed = needed_of(rates, enough.rate, level, certainty)
        why_not = "" if needed is not None else NO_SPREAD
    return CoreScaling(
        label=label, points=points, needed=needed, why_not=why_not, failures=failures
    )


def rates_of(trials: Sequence[TrialRecord], label: str) -> Rates:
    """Return a label's rates on some of the cores; disturbed trials count only if all are."""
    by_cores: defaultdict[int, list[tuple[TrialRecord, Feeding]]] = defaultdict(list)
    for trial in trials:
        if trial.purpose == "cores" and trial.label == label and trial.measured is not None:
            for feeding in trial.measured.feedings:
                by_cores[feeding.cores].append((trial, feeding))
    return {
        cores: {trial.block: feeding.rate for trial, feeding in _calm(fed)}
        for cores, fed in by_cores.items()
    }


def _calm(fed: list[tuple[TrialRecord, Feeding]]) -> list[tuple[TrialRecord, Feeding]]:
    return [each for each in fed if not each[0].is_disturbed] or fed


def needed_of(rates: Rates, rate: float, level: float, certainty: Certainty) -> CoresNeeded | None:
    """Return how many cores give a rate, in images/s; None if more cores are not faster.

    Amdahl's law is fitted in each block that has all numbers of cores. For each candidate it
    predicts the seconds for an image. Their mean over blocks, and the ends of its interval, must
    be short enough. Work is not spread better than in proportion to the cores that were measured.
    """
    most = max(rates)
    blocks = sorted(set.intersection(*(set(of_block) for of_block in rates.values())))
    if not blocks:
        return None
    measured = [{n: 1 / rates[n][block] for n in sorted(rates)} for block in blocks]
    laws = [amdahl(seconds) for seconds in measured]
    means = {n: float(np.mean([seconds[n] for seconds in measured])) for n in sorted(rates)}
    law = amdahl(means)
    if law.spread <= 0:
        return None
    predicted = np.array([[each.seconds(n) for n in _CANDIDATES] for each in laws])
    at_most = np.array([each.seconds(most) for each in laws])
    low, middle, high = (
        _first(np.maximum(ends, now * most / _CANDIDATES), 1 / rate)
        for ends, now in zip(
            _interval(predicted, level, certainty),
            _interval(at_most[:, np.newaxis], level, certainty),
            strict=True,
        )
    )
    has_interval = len(blocks) >= LEAST_BLOCKS
    return CoresNeeded(
        rate=rate,
        serial_seconds=law.serial,
        spread_seconds=law.spread,
        value=middle,
        low=low if has_interval else None,
        high=high if has_interval else None,
        level=level if has_interval else None,
        blocks=len(blocks),
        misfit=law.misfit(means),
    )


_Ends = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]


def _interval(values: npt.NDArray[np.float64], level: float, certainty: Certainty) -> _Ends:
    """Return the low end, the mean and the high end over blocks, `[blocks, candidates]`."""
    mean = values.mean(axis=0)
    errors = certainty.radius(len(values), level)
    if not math.isfinite(errors):
        return mean, mean, mean
    half = errors * values.std(axis=0, ddof=1) / math.sqrt(len(values))
    return mean - half, mean, mean + half


def _first(seconds: npt.NDArray[np.float64], enough: float) -> float | None:
    """Return the first candidate with few enough seconds; None if there is none."""
    fast = np.flatnonzero(seconds <= enough)
    return float(_CANDIDATES[fast[0]]) if len(fast) else None
