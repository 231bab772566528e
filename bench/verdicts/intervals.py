"""Ratios, intervals, verdicts and the best set. Pure functions over one run's blocks.

A block is the unit: the n of every interval is a number of blocks, never of windows or batches.
"""

from __future__ import annotations

import math
import warnings
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations

import numpy as np
import numpy.typing as npt

from feedbench.bench.records.row import Word
from feedbench.bench.verdicts.turns.block_rates import Rates, log_ratios

LEAST_BLOCKS = 4  # for verdicts: from here on, Student's t has its nominal coverage
LEVEL = 0.99
FAMILY_ERROR = 0.05  # of all comparisons with the baseline together
_FIRST_LEVEL = 0.95
_WIDEST = 1.0  # a width of 100 % or more is not known well enough to be shown
CONTROL_TOLERANCE = math.log(1.01)  # how much the baseline may differ from itself
EXCLUSION_ERROR = 0.01  # of the alarm that a pipeline's trials were disturbed more often
MOST_BLOCKS = 10_000  # beyond which "more blocks" is no advice


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
    """A verdict, whether it is within the margin, and about how many more blocks would decide."""

    word: Word
    within_margin: bool = False
    more_blocks: int | None = None


def level_of(comparisons: int) -> float:
    """Return the level of each of `comparisons` intervals: Bonferroni, and 0.99 at least."""
    return max(LEVEL, 1 - FAMILY_ERROR / max(comparisons, 1))


Radius = Callable[[int, float], float]
"""From n blocks and a level to an interval's half-width, in standard errors of the mean."""


def student(n: int, level: float) -> float:
    """Return the radius of an interval that is computed once, after n blocks fixed in advance.

    Student (1908), "The probable error of a mean", Biometrika 6(1). Infinite for a single block.
    """
    from scipy import stats  # takes half a second; a wrong request should fail sooner

    return float(stats.t.ppf((1 + level) / 2, n - 1)) if n > 1 else math.inf


@dataclass(frozen=True)
class Certainty:
    """How sure the intervals of a run are, and how wide that makes them.

    A run that is extended reports again, and it is extended because of what it reported. Each
    further report halves the error of its intervals, so that all reports of a run together err at
    most twice as often as one.
    """

    radius: Radius = student
    reports: int = 1

    @property
    def is_sequential(self) -> bool:
        """Whether the run may stop after any block because of what the intervals show."""
        return self.radius is not student

    def level_of(self, comparisons: int) -> float:
        """Return the level of each of `comparisons` intervals."""
        return 1 - (1 - level_of(comparisons)) * 0.5 ** (self.reports - 1)

    def next_level(self, level: float) -> float:
        """Return the level of the next report's interval, from that of this report's."""
        return level if self.is_sequential else 1 - (1 - level) / 2


ONCE = Certainty()  # one report, after a number of blocks that did not depend on the rates


def by_mean(ratios: Sequence[float], level: float, radius: Radius = student) -> Interval:
    """Return the mean of log ratios, one a block. There must be at least one."""
    return _mean(np.asarray(ratios), level, radius)


def first_width(ratios: Sequence[float]) -> float | None:
    """Return half of the 95 % interval of a ratio, as a share, from its logs, one a block.

    It is for an answer on the way; verdicts are stricter. None: wider than 100 %, or one block.
    """
    if not ratios:
        return None
    interval = by_mean(ratios, _FIRST_LEVEL)
    width = math.expm1(min((interval.high - interval.low) / 2, 1.0))
    return width if width < _WIDEST else None


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


def by_ranks(ratios: Sequence[float], level: float) -> Interval | None:
    """Return the middle of log ratios, one a block, by signed ranks: a check of `by_mean`.

    Its interval holds for any symmetric noise, and an outlying block hardly affects it. Hodges and
    Lehmann (1963), "Estimates of location based on rank tests", Ann. Math. Stat. 34(2). None if
    there are too few blocks for the level: 0.99 takes eight.
    """
    place = _signed_rank_place(len(ratios), level)
    if not place:
        return None
    values = np.asarray(ratios)
    firsts, seconds = np.triu_indices(len(values))
    means = np.sort((values[firsts] + values[seconds]) / 2)  # of each pair, each with itself too
    low, high = float(means[place - 1]), float(means[-place])
    return Interval(float(np.median(means)), low, high, len(ratios), level)


def rate(rates: Sequence[float], level: float, radius: Radius = student) -> Interval:
    """Return a run's rate, 1 / (mean over blocks of seconds per image), in images/s.

    The interval is the inverse of the interval of the mean of seconds per image. Its upper end is
    infinite if the blocks differ so much that the interval of the seconds reaches zero.
    """
    seconds = _mean(1 / np.asarray(rates), level, radius)
    high = 1 / seconds.low if seconds.low > 0 else math.inf
    return Interval(1 / seconds.estimate, 1 / seconds.high, high, seconds.n, level)


def verdict(
    ratio: Interval,
    control: Interval | None,
    margin: float,
    certainty: Certainty = ONCE,
    threshold: float | None = None,
) -> Verdict:
    """Judge a pipeline against the baseline; both intervals are of log ratios.

    `margin` is a share, such as 0.05: a ratio between 1/1.05 and 1.05 is equivalent. `control` is
    the baseline compared with its own second copy; None if it has too few blocks. The ratio must
    exceed the `threshold`, a log ratio; None: that of the control.
    """
    if differs_from_itself(control):
        return Verdict("withheld")
    threshold = threshold_of(control) if threshold is None else threshold
    within = max(ratio.high, -ratio.low) < math.log1p(margin)
    if ratio.low > threshold:
        return Verdict("faster", within)
    if ratio.high < -threshold:
        return Verdict("slower", within)
    if within:
        return Verdict("equivalent", within)
    # It clears the threshold or fits inside the margin, whichever is nearer.
    distance = max(abs(ratio.estimate) - threshold, math.log1p(margin) - abs(ratio.estimate))
    return Verdict("inconclusive", more_blocks=more_blocks(ratio, distance, certainty))


def differs_from_itself(control: Interval | None) -> bool:
    """Return whether the baseline is shown to differ from its own second copy by over 1 %."""
    return control is not None and max(control.low, -control.high) > CONTROL_TOLERANCE


def shares_differ(ours: tuple[int, int], others: tuple[int, int]) -> bool:
    """Return whether a pipeline's trials were disturbed more or less often than the others'.

    Both arguments are (disturbed, all) trials. Fisher's exact test, two-sided (Fisher 1922, J. R.
    Stat. Soc. 85(1)), at EXCLUSION_ERROR. Also true if all of a pipeline's trials were disturbed.
    """
    from scipy import stats

    if ours[0] == ours[1] > 0:
        return True
    table = np.array([[ours[0], ours[1] - ours[0]], [others[0], others[1] - others[0]]])
    return float(stats.fisher_exact(table).pvalue) < EXCLUSION_ERROR


def contradicts(estimate: float, word: Word, margin: float) -> bool:
    """Return whether the log ratio with nothing left out contradicts a verdict.

    It need not be within the interval. Disturbed trials slow down by more than intervals are wide:
    with a fifth of all pipelines' trials disturbed, it is outside in 22 to 48 % of the runs that
    have a verdict (simulated, 8 and 20 blocks, spread 2.5 %). It is on the other side of 1, or
    beyond the margin, in 0 to 7 % of runs of 20 blocks, and 2 to 28 % of 8.
    """
    if word == "equivalent":
        return abs(estimate) > math.log1p(margin)
    return (word == "faster" and estimate <= 0) or (word == "slower" and estimate >= 0)


def threshold_of(control: Interval | None) -> float:
    """Return what a log ratio to one copy must exceed: the distance of the two, if over 1 %.

    Where the first copy happens to be slow, it is in both ratios. A ratio to the mean of both
    copies does not depend on how they differ from each other, and has no threshold.
    """
    off = 0.0 if control is None else abs(control.estimate)
    return off if off > CONTROL_TOLERANCE else 0.0


def best_set(rates: Rates, threshold: float = 0.0, certainty: Certainty = ONCE) -> tuple[str, ...]:
    """Return the labels not shown slower than another, over all pairs at 1 - 0.05/pairs.

    `rates` holds each label's rate in each block. A pair is compared over the blocks it shares, and
    a log ratio within the `threshold` shows no difference. The level is at least 0.99, like a
    verdict's: otherwise the best of two could be "inconclusive". Labels with too few blocks for a
    verdict are left out.
    """
    level = certainty.level_of(len(rates) * (len(rates) - 1) // 2)
    slower = {label for label, blocks in rates.items() if len(blocks) < LEAST_BLOCKS}
    for label, other in permutations(rates, 2):
        ratios = [*log_ratios(rates[label], rates[other]).values()]
        if len(ratios) < LEAST_BLOCKS:
            continue
        if by_mean(ratios, level, certainty.radius).high < -threshold:
            slower.add(label)
    return tuple(label for label in rates if label not in slower)


def precise_enough(ratios: Sequence[Interval], margin: float) -> bool:
    """Return whether every half-width is at most half the margin, so that a run may stop."""
    half = math.log1p(margin) / 2
    return all(i.n >= LEAST_BLOCKS and _half_width(i) <= half for i in ratios)


def _half_width(interval: Interval) -> float:
    return (interval.high - interval.low) / 2


def _mean(values: npt.NDArray[np.float64], level: float, radius: Radius) -> Interval:
    n = len(values)
    estimate = float(np.mean(values))
    errors = radius(n, level)
    if not math.isfinite(errors):
        return Interval(estimate, -math.inf, math.inf, n, level)
    half = errors * float(np.std(values, ddof=1)) / math.sqrt(n)
    return Interval(estimate, estimate - half, estimate + half, n, level)


@lru_cache(maxsize=64)
def _signed_rank_place(n: int, level: float) -> int:
    """Return the place of the interval's ends among the sorted pair means, from 1; 0: none.

    It is the (1 - level) / 2 quantile of the exact null distribution of the signed-rank sum, in
    which each rank is positive with probability 1/2.
    """
    likely = np.ones(1)  # of the sums 0, 1, 2, ...
    for rank in range(1, n + 1):
        without = np.pad(likely, (0, rank))
        likely = (without + np.roll(without, rank)) / 2
    rounding = 1 + 1e-9
    return int(np.searchsorted(np.cumsum(likely), (1 - level) / 2 * rounding, side="right"))


def more_blocks(ratio: Interval, distance: float, certainty: Certainty = ONCE) -> int | None:
    """Return about how many more blocks would make the half-width less than a distance.

    It assumes that the spread stays the same. None: more than MOST_BLOCKS, or too few blocks for a
    spread.
    """
    half = _half_width(ratio)
    if not math.isfinite(half):
        return None
    deviation = half * math.sqrt(ratio.n) / certainty.radius(ratio.n, ratio.level)
    level = certainty.next_level(ratio.level)

    def half_width(n: int) -> float:
        return certainty.radius(n, level) * deviation / math.sqrt(n)

    return blocks_until(half_width, distance, ratio.n)


def blocks_until(half_width: Callable[[int], float], distance: float, n: int) -> int | None:
    """Return how many blocks after n it takes until an interval is narrower than a distance.

    `half_width` is that of the interval after a number of blocks, and falls with it. None: more
    than MOST_BLOCKS.
    """
    first, last = n + 1, n + MOST_BLOCKS
    more = 1 + bisect_left(
        range(first, last), x=True, key=lambda blocks: half_width(blocks) < distance
    )
    return more if more < MOST_BLOCKS else None
