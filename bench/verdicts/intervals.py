"""Ratios, intervals, verdicts and the best set. Pure functions over one run's blocks.

A block is the unit: the n of every interval is a number of blocks, never of windows or batches.
"""

from __future__ import annotations

import math
import warnings
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations

import numpy as np
import numpy.typing as npt

from feedbench.bench.records.row import Word

LEAST_BLOCKS = 4  # for verdicts: Student's t covers what it says from here
LEVEL = 0.99
FAMILY_ERROR = 0.05  # of all comparisons with the baseline together
CONTROL_TOLERANCE = math.log(1.01)  # what the baseline may differ from itself
EXCLUSION_ERROR = 0.01  # of the alarm that a pipeline's trials were disturbed more often
MOST_BLOCKS = 10_000  # beyond which "more blocks" is no advice

Rates = Mapping[str, Mapping[int, float]]
"""label -> block -> images/s"""


@dataclass(frozen=True)
class Interval:
    """An estimate and its two-sided confidence interval, from n blocks."""

    estimate: float
    low: float
    high: float
    n: int
    level: float


@dataclass(frozen=True)
class Verdict:
    """A word, what else holds, and about how many more blocks an answer would take."""

    word: Word
    within_margin: bool = False
    more_blocks: int | None = None


def level_of(comparisons: int) -> float:
    """Return the level of each of `comparisons` intervals: Bonferroni, and 0.99 at least."""
    return max(LEVEL, 1 - FAMILY_ERROR / max(comparisons, 1))


def paired(
    rates: Mapping[int, float], others: Mapping[int, float]
) -> tuple[list[float], list[float]]:
    """Return both pipelines' rates in the blocks that both have, block by block."""
    blocks = sorted(rates.keys() & others.keys())
    return [rates[block] for block in blocks], [others[block] for block in blocks]


def log_ratio(rates: Sequence[float], others: Sequence[float], level: float) -> Interval:
    """Return the mean of ln(rate / other rate) over paired blocks, by Student's t.

    Student (1908), "The probable error of a mean", Biometrika 6(1). The interval of a single block
    has no ends; of no block there is none, and this must not be called.
    """
    return _mean(np.log(np.asarray(rates) / np.asarray(others)), level)


def unpaired(rates: Sequence[float], others: Sequence[float], level: float) -> Interval:
    """Return the difference of the means of ln(rate), over blocks that are not paired.

    Welch (1947), "The generalization of 'Student's' problem when several different population
    variances are involved", Biometrika 34. Needs two blocks of each.
    """
    from scipy import stats

    logs, other_logs = np.log(np.asarray(rates)), np.log(np.asarray(others))
    estimate = float(logs.mean() - other_logs.mean())
    n = min(len(rates), len(others))
    if not logs.std() and not other_logs.std():  # scipy divides by the variance
        return Interval(estimate, estimate, estimate, n, level)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of blocks that hardly differ
        interval = stats.ttest_ind(logs, other_logs, equal_var=False).confidence_interval(level)
    return Interval(estimate, float(interval.low), float(interval.high), n, level)


def by_ranks(rates: Sequence[float], others: Sequence[float], level: float) -> Interval | None:
    """Return ln(rate / other rate) over paired blocks by signed ranks, a check of `log_ratio`.

    Its interval holds for any symmetric noise, and a block that is far off hardly moves it. Hodges
    and Lehmann (1963), "Estimates of location based on rank tests", Ann. Math. Stat. 34(2). None
    where there are too few blocks for the level: 0.99 takes eight.
    """
    ratios = np.log(np.asarray(rates) / np.asarray(others))
    place = _signed_rank_place(len(ratios), level)
    if not place:
        return None
    firsts, seconds = np.triu_indices(len(ratios))
    means = np.sort((ratios[firsts] + ratios[seconds]) / 2)  # of each pair, each with itself too
    low, high = float(means[place - 1]), float(means[-place])
    return Interval(float(np.median(means)), low, high, len(ratios), level)


def rate(rates: Sequence[float], level: float) -> Interval:
    """Return a run's rate, 1 / (mean over blocks of seconds per image), in images/s.

    The t-interval is that of the mean of seconds per image, turned over; its upper end is infinite
    where the blocks differ so much that the interval of the seconds reaches zero.
    """
    seconds = _mean(1 / np.asarray(rates), level)
    high = 1 / seconds.low if seconds.low > 0 else math.inf
    return Interval(1 / seconds.estimate, 1 / seconds.high, high, seconds.n, level)


def verdict(ratio: Interval, control: Interval | None, margin: float) -> Verdict:
    """Judge a pipeline against the baseline; both intervals are of log ratios.

    `margin` is a share, such as 0.05: equivalent is what lies between 1/1.05 and 1.05. `control`
    is the baseline against its own second copy: None where there is too little of it to tell.
    """
    if differs_from_itself(control):
        return Verdict("withheld")
    threshold = threshold_of(control)
    within = max(ratio.high, -ratio.low) < math.log1p(margin)
    if ratio.low > threshold:
        return Verdict("faster", within)
    if ratio.high < -threshold:
        return Verdict("slower", within)
    if within:
        return Verdict("equivalent", within)
    return Verdict("inconclusive", more_blocks=_more_blocks(ratio, threshold, margin))


def differs_from_itself(control: Interval | None) -> bool:
    """Tell whether the baseline is shown to differ from its own second copy by over 1 %."""
    return control is not None and max(control.low, -control.high) > CONTROL_TOLERANCE


def shares_differ(ours: tuple[int, int], others: tuple[int, int]) -> bool:
    """Tell whether a pipeline's trials were disturbed more or less often than the others'.

    Each is (disturbed, all) trials. Fisher's exact test, two-sided (Fisher 1922, J. R. Stat. Soc.
    85(1)), at EXCLUSION_ERROR; and where none of a pipeline's trials was undisturbed.
    """
    from scipy import stats

    if ours[0] == ours[1] > 0:
        return True
    table = np.array([[ours[0], ours[1] - ours[0]], [others[0], others[1] - others[0]]])
    return float(stats.fisher_exact(table).pvalue) < EXCLUSION_ERROR


def contradicts(estimate: float, word: Word, margin: float) -> bool:
    """Tell whether the estimate with nothing left out, a log ratio, speaks against a verdict.

    It need not lie within the interval: where a fifth of the trials was disturbed, of all alike, it
    lies outside in 22 to 48 % of the runs that have a verdict (simulated, 8 and 20 blocks, spread
    2.5 %), for disturbed trials are slower by more than intervals are wide. That it lies on the
    other side of 1, or beyond the margin, happens in 0 to 7 % of 20 blocks, and 2 to 28 % of 8.
    """
    if word == "equivalent":
        return abs(estimate) > math.log1p(margin)
    return (word == "faster" and estimate <= 0) or (word == "slower" and estimate >= 0)


def threshold_of(control: Interval | None) -> float:
    """Return what a log ratio must exceed: how far the baseline was from itself, if over 1 %."""
    off = 0.0 if control is None else abs(control.estimate)
    return off if off > CONTROL_TOLERANCE else 0.0


def best_set(rates: Rates, threshold: float = 0.0) -> tuple[str, ...]:
    """Return the labels not shown slower than another, over all pairs at 1 - 0.05/pairs.

    `rates` gives each label's rate in each block; a pair is compared over the blocks it shares,
    and a log ratio within the `threshold` shows nothing. The
    level is 0.99 at least, as a verdict's is: else the best one of two could be "inconclusive". A
    label with too few blocks for a verdict is no answer, and is left out.
    """
    level = level_of(len(rates) * (len(rates) - 1) // 2)
    slower = {label for label, blocks in rates.items() if len(blocks) < LEAST_BLOCKS}
    for label, other in permutations(rates, 2):
        ours, theirs = paired(rates[label], rates[other])
        if len(ours) >= LEAST_BLOCKS and log_ratio(ours, theirs, level).high < -threshold:
            slower.add(label)
    return tuple(label for label in rates if label not in slower)


def precise_enough(ratios: Sequence[Interval], margin: float) -> bool:
    """Tell whether every half-width is at most half the margin, so that a run may stop."""
    half = math.log1p(margin) / 2
    return all(i.n >= LEAST_BLOCKS and (i.high - i.low) / 2 <= half for i in ratios)


def _mean(values: npt.NDArray[np.float64], level: float) -> Interval:
    n = len(values)
    estimate = float(np.mean(values))
    if n == 1:
        return Interval(estimate, -math.inf, math.inf, n, level)
    half = _quantile(n, level) * float(np.std(values, ddof=1)) / math.sqrt(n)
    return Interval(estimate, estimate - half, estimate + half, n, level)


def _quantile(n: int, level: float) -> float:
    from scipy import stats  # half a second, for which no wrong request should wait

    return float(stats.t.ppf((1 + level) / 2, n - 1))


@lru_cache(maxsize=64)
def _signed_rank_place(n: int, level: float) -> int:
    """Return which of the sorted means of pairs, from either end, the interval ends at; 0: none.

    By the exact distribution of the sum of the positive ranks, each of which is so by a coin's
    throw: the place is the number of its least values that are, together, no likelier than what
    the level leaves at one end.
    """
    likely = np.ones(1)  # of the sums 0, 1, 2, ...
    for rank in range(1, n + 1):
        without = np.pad(likely, (0, rank))
        likely = (without + np.roll(without, rank)) / 2
    rounding = 1 + 1e-9
    return int(np.searchsorted(np.cumsum(likely), (1 - level) / 2 * rounding, side="right"))


def _more_blocks(ratio: Interval, threshold: float, margin: float) -> int | None:
    """Return about how many blocks more would decide, if the spread stays what it is.

    Whichever is nearer: an interval clear of the threshold, or one inside the margin.
    """
    distance = max(abs(ratio.estimate) - threshold, math.log1p(margin) - abs(ratio.estimate))
    deviation = (ratio.high - ratio.low) / 2 * math.sqrt(ratio.n) / _quantile(ratio.n, ratio.level)

    def decides(n: int) -> bool:
        return _quantile(n, ratio.level) * deviation / math.sqrt(n) < distance

    n = ratio.n + 1 + bisect_left(range(ratio.n + 1, MOST_BLOCKS), x=True, key=decides)
    return n - ratio.n if n < MOST_BLOCKS else None
