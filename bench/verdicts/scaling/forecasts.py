"""What a fitted law says of counts that were not measured, with intervals over blocks. Pure.

The interval of a figure comes from refitting the law without each block in turn: the jackknife, as
in B. Efron and C. Stein, "The Jackknife Estimate of Variance", 1981, Annals of Statistics 9(3),
with Student's t over the blocks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from feedbench.bench.records.demand.demand import Estimate
from feedbench.bench.verdicts.intervals import LEAST_BLOCKS, LEVEL, student
from feedbench.bench.verdicts.scaling.laws import Law, LawName, fitted

MOST_TRIED = 1024
"""Workers or cores: further than this, no law is asked."""

BlockRates = Mapping[int, Mapping[int, float]]
"""Images/s by count and block."""


@dataclass(frozen=True, kw_only=True)
class Fit:
    """A law of all blocks, and the same law without each of them."""

    law: Law
    without: tuple[Law, ...]  # one a block; (): too few blocks for an interval

    @property
    def blocks(self) -> int:
        """The blocks without which it was fitted."""
        return len(self.without)

    def estimate(self, figure: Callable[[Law], float]) -> Estimate:
        """Return a figure of the law and its interval by the jackknife."""
        value = figure(self.law)
        if not self.without:
            return Estimate(value=value, blocks=0)
        half = self._half([figure(law) for law in self.without])
        return Estimate(
            value=value, low=max(value - half, 0.0), high=value + half, blocks=self.blocks,
            level=LEVEL,
        )  # fmt: skip

    def rate(self, count: int) -> Estimate:
        """Return the rate of a count in images/s; its interval is that of the logarithm."""
        value = self.law.rate(count)
        if not self.without:
            return Estimate(value=value, blocks=0)
        half = self._half([math.log(law.rate(count)) for law in self.without])
        return Estimate(
            value=value, low=value * math.exp(-half), high=value * math.exp(half),
            blocks=self.blocks, level=LEVEL,
        )  # fmt: skip

    def _half(self, values: Sequence[float]) -> float:
        """Return half the width of the interval of a figure from its values without each block."""
        n, mean = len(values), fmean(values)
        variance = (n - 1) / n * sum((value - mean) ** 2 for value in values)
        return student(n, LEVEL) * math.sqrt(variance)


def fit(name: LawName, rates: BlockRates) -> Fit | None:
    """Return a law that is fitted to the blocks that have a rate of every count.

    None if there are too few counts for it, or no such block.
    """
    shared = sorted(set.intersection(*(set(each) for each in rates.values()))) if rates else []
    if not shared:
        return None
    law = fitted(name, _means(rates, shared))
    if law is None:
        return None
    without: list[Law] = []
    if len(shared) >= LEAST_BLOCKS:
        parts = ([other for other in shared if other != block] for block in shared)
        laws = (fitted(name, _means(rates, part)) for part in parts)
        without = [each for each in laws if each is not None]
    return Fit(law=law, without=tuple(without))


def _means(rates: BlockRates, blocks: Sequence[int]) -> dict[int, float]:
    """Return each count's rate over these blocks: 1 / (mean of seconds per image)."""
    return {count: 1 / fmean(1 / each[block] for block in blocks) for count, each in rates.items()}


def enough(rate: Callable[[int], float | None], needed: float) -> int | None:
    """Return the least count whose rate, in images/s, is `needed`; None up to MOST_TRIED."""
    for count in range(1, MOST_TRIED + 1):
        value = rate(count)
        if value is not None and value >= needed:
            return count
    return None
