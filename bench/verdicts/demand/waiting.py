"""Whether a model waits for its input, by its rate and its appetite in each block. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from feedbench.bench.records.demand.demand import Estimate, Waiting
from feedbench.bench.verdicts import intervals
from feedbench.bench.verdicts.intervals import LEAST_BLOCKS, ONCE, Certainty, Interval


def waits_of(rates: Mapping[int, float], appetites: Mapping[int, float]) -> dict[int, float]:
    """Return the share of time that a model waits in each block: 1 - rate / appetite.

    `rates` are those of the model while a pipeline feeds it; `appetites` are its rates over a
    batch that is ready, in images/s; both by block. Only blocks of both count.
    """
    return {
        block: 1 - rate / appetites[block] for block, rate in rates.items() if block in appetites
    }


def estimate_of(values: Sequence[float], level: float, certainty: Certainty = ONCE) -> Estimate:
    """Return the mean of one value a block, with Student's interval from LEAST_BLOCKS on."""
    interval = intervals.by_mean(values, level, certainty.radius)
    return _estimate(interval, interval.estimate, interval.low, interval.high)


def rate_of(rates: Sequence[float], level: float, certainty: Certainty = ONCE) -> Estimate:
    """Return a rate in images/s by the mean of seconds per image, as a row has it."""
    interval = intervals.rate(rates, level, certainty.radius)
    return _estimate(interval, interval.estimate, interval.low, interval.high)


def appetite_of(appetites: Sequence[float], level: float, certainty: Certainty = ONCE) -> Estimate:
    """Return an appetite of a curve, in images/s, by the mean of logarithms."""
    logs = [math.log(appetite) for appetite in appetites]
    interval = intervals.by_mean(logs, level, certainty.radius)
    ends = (interval.estimate, interval.low, interval.high)
    estimate, low, high = (math.exp(end) if math.isfinite(end) else end for end in ends)
    return _estimate(interval, estimate, low, high)


def _estimate(interval: Interval, value: float, low: float, high: float) -> Estimate:
    if interval.n < LEAST_BLOCKS:
        return Estimate(value=value, blocks=interval.n)
    return Estimate(
        value=value,
        low=low if math.isfinite(low) else None,
        high=high if math.isfinite(high) else None,
        blocks=interval.n,
        level=interval.level,
    )


def verdict(wait: Estimate, margin: float) -> Waiting:
    """Return whether a model waits: for more than the margin, for less, or it cannot tell.

    `margin` is a share of the time. The whole interval must be on one side of it.
    """
    if wait.low is not None and wait.low > margin:
        return "waits"
    if wait.high is not None and wait.high < margin:
        return "does not wait"
    return "cannot tell"


def more_blocks(
    waits: Sequence[float], level: float, margin: float, certainty: Certainty = ONCE
) -> int | None:
    """Return about how many more blocks a verdict takes; None: too many, or there is no spread."""
    interval = intervals.by_mean(waits, level, certainty.radius)
    if not math.isfinite(interval.low):
        return max(LEAST_BLOCKS - interval.n, 1)
    return intervals.more_blocks(interval, abs(interval.estimate - margin), certainty)


def is_precise(waits: Sequence[float], level: float, margin: float, certainty: Certainty) -> bool:
    """Return whether the interval of a share is narrow enough for the margin, so that it suffices.

    It does not depend on which verdict that gives: a run never stops because of its verdict.
    """
    if len(waits) < LEAST_BLOCKS:
        return False
    interval = intervals.by_mean(waits, level, certainty.radius)
    return interval.high - interval.low <= margin
