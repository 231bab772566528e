"""Intervals that hold at every block at once, for runs that stop once the answer is clear. Pure.

A t-interval holds at one number of blocks, fixed in advance. A run may check it after each block,
and stop when it excludes a value. Then it excludes the true one in 8 % of runs instead of 1 %
(simulated, 4 to 40 blocks). The intervals here are wider, and may be checked after each block.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache

from feedbench.bench.verdicts.intervals import LEAST_BLOCKS, MOST_BLOCKS, Interval, by_mean

PRIOR_BLOCKS = 0.1
"""What the prior of the mean weighs, in blocks. A smaller one decides large differences sooner."""


def sequential(ratios: Sequence[float], level: float) -> Interval:
    """Return the mean of log ratios, one a block, for a run that may stop now.

    `level` is such as 0.99. With at least this probability, the true value is inside *all*
    intervals that a run computes, one after each block, however many there are. So a run may stop
    as soon as one of them excludes a value, or be resumed, and the verdict has its level.

    It is the t-statistic's confidence sequence with a normal mixture over the mean in units of the
    standard deviation: Lai (1976), "On confidence sequences", Annals of Statistics 4(2), and Wang
    and Ramdas (2025), "Anytime-valid t-tests and confidence sequences for Gaussian means with
    unknown variance", Sequential Analysis 44(1). It is infinite with fewer than LEAST_BLOCKS
    blocks. There must be at least one block.
    """
    return by_mean(ratios, level, radius)


@lru_cache(maxsize=1024)
def radius(n: int, level: float) -> float:
    """Return the interval's half-width after n blocks, in standard errors of the mean.

    It is where the mixture's likelihood ratio reaches 1 / (1 - level). Infinite if it never does.
    """
    if n < LEAST_BLOCKS:
        return math.inf
    weight = PRIOR_BLOCKS / (n + PRIOR_BLOCKS)
    power = ((1 - level) * math.sqrt(weight)) ** (-2 / n)
    if power * weight >= 1:
        return math.inf
    return math.sqrt((n - 1) * (power - 1) / (1 - power * weight))


def more_blocks(ratio: Interval, border: float) -> int | None:
    """Return about how many more blocks would exclude `border`, a log ratio, from `ratio`.

    It assumes that the estimate and the spread of the blocks stay the same. 0: it is excluded
    already. None: more than MOST_BLOCKS, or there are too few blocks for a spread.
    """
    distance = abs(ratio.estimate - border)
    half = (ratio.high - ratio.low) / 2
    if half < distance:
        return 0
    if not math.isfinite(half) or not distance:
        return None
    deviation = half * math.sqrt(ratio.n) / radius(ratio.n, ratio.level)

    def decides(n: int) -> bool:
        return radius(n, ratio.level) * deviation / math.sqrt(n) < distance

    n = ratio.n + 1 + bisect_left(range(ratio.n + 1, MOST_BLOCKS), x=True, key=decides)
    return n - ratio.n if n < MOST_BLOCKS else None
