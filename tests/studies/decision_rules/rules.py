"""Rules of decision over many simulated sittings at once: ours, and those that people use.

Each says of every sitting whether the other pipeline was called faster (1), slower (-1) or neither
(0), and whether the two were called equal: within the margin or, by a rule that has no such word,
just not different.

The rules by p-value take p < 0.01 as ours takes 99 %, so that they differ by what they do and not
by the level they are asked for.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from feedbench.bench.verdicts.intervals import (
    CONTROL_TOLERANCE,
    LEAST_BLOCKS,
    _signed_rank_place,
    level_of,
)
from tests.studies.decision_rules.machines import BASELINE, CONTROL, OTHER, Array, Flags, Sittings

MARGIN = 0.05
LEVEL = level_of(1)
TRIMMED = 0.2  # of the blocks at either end


@dataclass(frozen=True)
class Called:
    """What a rule said of each sitting."""

    sign: npt.NDArray[np.int_]
    equal: Flags
    inside: Flags  # the interval lies inside the margin, whatever else is said
    withheld: Flags


@dataclass(frozen=True)
class Intervals:
    """Intervals of many sittings; NaN where there are too few blocks."""

    estimate: Array
    low: Array
    high: Array


Rule = Callable[[Sittings], Called]


def ours(sittings: Sittings) -> Called:
    """bench/verdicts/intervals.py, all sittings at once."""
    return decided(sittings.rates, by_students_t)


def trimmed(sittings: Sittings) -> Called:
    """The same rule with a trimmed mean's interval in place of Student's t."""
    return decided(sittings.rates, by_trimmed_mean)


def ranked(sittings: Sittings) -> Called:
    """The same rule with the signed ranks' interval, which runs show as a check."""
    return decided(sittings.rates, by_signed_ranks)


def decided(
    rates: Array, by: Callable[[Array], Intervals], *, has_threshold: bool = True
) -> Called:
    """The verdicts of bench/verdicts/intervals.py from the intervals of ratio and control."""
    logs = np.log(rates)
    ratio = by(logs[..., OTHER] - logs[..., BASELINE])
    control = by(logs[..., CONTROL] - logs[..., BASELINE])
    # A comparison with NaN is false: without enough blocks nothing is said of that sitting.
    withheld = np.fmax(control.low, -control.high) > CONTROL_TOLERANCE
    off = np.nan_to_num(np.abs(control.estimate))
    threshold = np.where((off > CONTROL_TOLERANCE) & has_threshold, off, 0.0)
    faster = (ratio.low > threshold) & ~withheld
    slower = (ratio.high < -threshold) & ~withheld
    inside = (np.maximum(ratio.high, -ratio.low) < math.log1p(MARGIN)) & ~withheld
    sign = faster.astype(int) - slower.astype(int)
    return Called(sign, inside & (sign == 0), inside, withheld & ~np.isnan(ratio.low))


def by_students_t(d: Array) -> Intervals:
    """Student's t over the blocks that were kept, from four of them."""
    n = np.count_nonzero(~np.isnan(d), axis=-1)
    enough = n >= LEAST_BLOCKS
    count = np.where(enough, n, LEAST_BLOCKS)
    mean = np.nansum(d, axis=-1) / count
    squares = np.nansum((d - mean[:, np.newaxis]) ** 2, axis=-1)
    half = _quantiles(count - 1) * np.sqrt(squares / (count - 1) / count)
    return _where(enough, mean, half)


def by_trimmed_mean(d: Array) -> Intervals:
    """Tukey and McLaughlin (1963), Sankhya A 25(3): a mean without the outer blocks."""
    n = np.count_nonzero(~np.isnan(d), axis=-1)
    enough = n >= LEAST_BLOCKS
    count = np.where(enough, n, LEAST_BLOCKS)
    out = (TRIMMED * count).astype(int)
    left = count - 2 * out
    ordered = np.nan_to_num(np.sort(d, axis=-1))  # NaN come last
    place = np.arange(d.shape[-1])
    first, last = out[:, np.newaxis], (count - out - 1)[:, np.newaxis]
    inner = (place >= first) & (place <= last)
    mean = np.where(inner, ordered, 0.0).sum(axis=-1) / left
    # Winsorised: the outer blocks stand where the outermost inner ones do.
    stood = np.take_along_axis(ordered, np.clip(place, first, last), -1)
    stood = np.where(place < count[:, np.newaxis], stood, np.nan)
    deviation = np.nansum((stood - np.nanmean(stood, axis=-1, keepdims=True)) ** 2, axis=-1)
    half = _quantiles(left - 1) * np.sqrt(deviation / (count - 1) * count) / left
    return _where(enough, mean, half)


def by_signed_ranks(d: Array) -> Intervals:
    """The middle of the means of all pairs of blocks, and the ends of its exact interval."""
    n = np.count_nonzero(~np.isnan(d), axis=-1)
    ours, theirs = np.triu_indices(d.shape[-1])
    means = np.sort((d[:, ours] + d[:, theirs]) / 2, axis=-1)  # NaN come last
    count = n * (n + 1) // 2
    place = np.array([_signed_rank_place(each, LEVEL) for each in range(d.shape[-1] + 1)])[n]
    enough = place > 0
    first = np.where(enough, place - 1, 0)
    low, high = (
        np.take_along_axis(means, at[:, np.newaxis], -1)[:, 0]
        for at in (first, np.where(enough, count - place, 0))
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of sittings without any block
        middle = np.nanmedian(means, axis=-1)
    found = (np.where(enough, value, np.nan) for value in (middle, low, high))
    return Intervals(*found)


def pooled_t_of_windows(sittings: Sittings) -> Called:
    """Two-sample t over all windows, as if each were a sample of its own, which it is not."""
    return _by_p(*_pooled_t(*_both(np.exp(sittings.kept))))


def pooled_t_of_trials(sittings: Sittings) -> Called:
    """Two-sample t over all trials: their blocks, and so the machine's drift, are not told."""
    return _by_p(*_pooled_t(*_both(sittings.rates)))


def mann_whitney(sittings: Sittings) -> Called:
    """Mann-Whitney over all windows, as if each were a sample of its own."""
    return _by_p(*rank_sums(*_both(np.exp(sittings.kept))))


def threshold_on_the_mean(sittings: Sittings) -> Called:
    """Different is what differs by over the margin of the baseline's mean rate."""
    ours, theirs = _both(sittings.rates)
    with np.errstate(invalid="ignore"):  # nothing was kept
        ratio = np.nansum(ours, -1) / _count(ours) / (np.nansum(theirs, -1) / _count(theirs))
    off = np.nan_to_num(ratio, nan=1.0) - 1
    return _unjudged(np.where(np.abs(off) > MARGIN, np.sign(off), 0).astype(int), ~np.isnan(ratio))


RULES: dict[str, Rule] = {
    "ours": ours,
    "pooled t over windows": pooled_t_of_windows,
    "pooled t over trials": pooled_t_of_trials,
    "Mann-Whitney over windows": mann_whitney,
    "means over 5 % apart": threshold_on_the_mean,
    "(ours by trimmed means)": trimmed,
    "(ours by signed ranks)": ranked,
}


def rank_sums(ours: Array, theirs: Array) -> tuple[Array, Array]:
    """Return each sitting's difference and its p-value, by the normal approximation."""
    n, m = _count(ours), _count(theirs)
    values = np.concatenate([ours, theirs], axis=-1)
    place = np.argsort(values, axis=-1)  # NaN come last
    ranks = np.empty(values.shape)
    np.put_along_axis(ranks, place, np.arange(1.0, values.shape[-1] + 1)[np.newaxis], -1)
    mine = np.where(np.isnan(ours), 0.0, ranks[:, : ours.shape[-1]]).sum(axis=-1)
    off = mine - n * (n + 1) / 2 - n * m / 2
    with np.errstate(invalid="ignore", divide="ignore"):  # nothing was kept
        z = (np.abs(off) - 0.5) / np.sqrt(n * m * (n + m + 1) / 12)
    return off, np.asarray(2 * stats.norm.sf(z))


def _pooled_t(ours: Array, theirs: Array) -> tuple[Array, Array]:
    n, m = _count(ours), _count(theirs)
    with np.errstate(invalid="ignore", divide="ignore"):  # one trial or none was kept
        means = np.nansum(ours, -1) / n, np.nansum(theirs, -1) / m
        squares = sum(
            np.nansum((values - mean[:, np.newaxis]) ** 2, -1)
            for values, mean in zip((ours, theirs), means, strict=True)
        )
        t = (means[0] - means[1]) / np.sqrt(squares / (n + m - 2) * (1 / n + 1 / m))
    return means[0] - means[1], np.asarray(2 * stats.t.sf(np.abs(t), n + m - 2))


def _both(values: Array) -> tuple[Array, Array]:
    """Return the other pipeline's values and the baseline's, each [sittings, values]."""
    runs = len(values)
    return values[:, :, OTHER].reshape(runs, -1), values[:, :, BASELINE].reshape(runs, -1)


def _by_p(off: Array, p: Array) -> Called:
    return _unjudged(np.where(p < 1 - LEVEL, np.sign(off), 0).astype(int), ~np.isnan(p))


def _unjudged(sign: npt.NDArray[np.int_], told: Flags) -> Called:
    never = np.zeros(len(sign), bool)
    return Called(sign, (sign == 0) & told, never, never)


def _count(values: Array) -> Array:
    return np.asarray(np.count_nonzero(~np.isnan(values), axis=-1), dtype=np.float64)


def _where(enough: Flags, mean: Array, half: Array) -> Intervals:
    low, high = (np.where(enough, end, np.nan) for end in (mean - half, mean + half))
    return Intervals(np.where(enough, mean, np.nan), low, high)


def _quantiles(freedom: npt.NDArray[np.int_]) -> Array:
    table = np.asarray(stats.t.ppf((1 + LEVEL) / 2, np.arange(freedom.max() + 1)))  # of 0: NaN
    return np.asarray(table[freedom])
