"""Rates of blocks, and the log ratios of two pipelines' rates by block. Pure.

In a rotation, the rates of a round are neighbours in time, and their ratio is hardly affected by
what slows the machine for longer. What slows a single turn makes an outlier. So a block's log ratio
is the trimmed mean over its rounds. This is right if outliers fall on both pipelines alike. A
pipeline that slows down now and then by itself has more of them, and they are part of its rate. If
they are on one side, nothing is left out.

The baseline runs twice in a block. A ratio to the mean of both copies varies less than a ratio to
one of them: by 13 %, if all processes and turns vary alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from statistics import fmean, median
from typing import Literal

from feedbench.bench.records.turns import Turn

TRIMMED = 0.3  # share of a block's rounds that is left out at either end
OUTLYING = 3.0  # standard deviations from the middle of its block, from which a round is an outlier
ONE_SIDED = 0.15  # p-value of the outliers' sides, below which no round is left out
MOST_EXACT = 50  # outliers; the signed ranks of more are nearly normal
_NORMAL = 1.4826  # standard deviation of a normal distribution / its median absolute deviation


@dataclass(frozen=True)
class BlockRate:
    """A pipeline's rate in one block, in images/s."""

    rate: float
    turns: Mapping[int, Turn] = field(default_factory=dict)  # by round; empty: it ran alone
    copy: Mapping[int, Turn] = field(default_factory=dict)  # of the baseline's second copy

    @property
    def processes(self) -> list[Mapping[int, Turn]]:
        """The turns of each of its processes that took turns."""
        return [turns for turns in (self.turns, self.copy) if turns]


BlockRates = Mapping[int, BlockRate]
"""block -> rate"""

Rates = Mapping[str, BlockRates]
"""label -> block -> rate"""


@dataclass(frozen=True)
class LogRatios:
    """Log ratios of two pipelines' rates, by block."""

    trimmed: dict[int, float]  # of rounds where both have turns, else of the two rates
    of_all_turns: dict[int, float]  # the same without leaving out any turn
    is_rotated: bool  # in at least one block, both have turns in the same rounds
    is_one_sided: bool  # outlying rounds are mostly one pipeline's

    @property
    def by_block(self) -> dict[int, float]:
        """The log ratios to judge by."""
        return self.of_all_turns if self.is_one_sided else self.trimmed


def log_ratios(ours: BlockRates, theirs: BlockRates) -> dict[int, float]:
    """Return ln(our rate / their rate) in each block that both have, in their order."""
    return compared(ours, theirs).by_block


def ratios(ours: BlockRates, theirs: BlockRates) -> dict[int, float]:
    """Return our rate / their rate in each block that both have."""
    return {block: math.exp(value) for block, value in log_ratios(ours, theirs).items()}


def compared(ours: BlockRates, theirs: BlockRates) -> LogRatios:
    """Compare two pipelines over the blocks that both have."""
    blocks = sorted(ours.keys() & theirs.keys())
    pairs = {block: _pairs(ours[block], theirs[block]) for block in blocks}
    whole = {block: math.log(ours[block].rate / theirs[block].rate) for block in blocks}

    def by(estimate: Callable[[_Pair], float]) -> dict[int, float]:
        return {
            block: fmean(map(estimate, pairs[block])) if pairs[block] else whole[block]
            for block in blocks
        }

    # Of one process each: an outlier of a process in two pairs would count twice.
    rotated = [_by_round(pairs[block][0]) for block in blocks if pairs[block]]
    return LogRatios(
        trimmed=by(lambda pair: trimmed_mean(_by_round(pair))),
        of_all_turns=by(_of_all_turns),
        is_rotated=bool(rotated),
        is_one_sided=is_one_sided(rotated),
    )


def without_copies(rates: BlockRates) -> BlockRates:
    """Return a pipeline's rates by block, of its first process only."""
    return {block: replace(rate, copy={}) for block, rate in rates.items()}


def trimmed_mean(values: Sequence[float]) -> float:
    """Return the mean without the outer values, TRIMMED of them at either end, of at least one.

    Tukey and McLaughlin (1963), "Less vulnerable confidence and significance procedures for
    location based on a single sample", Sankhya A 25(3).
    """
    out = outer_rounds(len(values))
    return fmean(sorted(values)[out : len(values) - out])


def outer_rounds(rounds: int) -> int:
    """Return how many of so many rounds are left out at either end."""
    return min(round(TRIMMED * rounds), (rounds - 1) // 2)


def is_one_sided(blocks: Sequence[Sequence[float]]) -> bool:
    """Return whether the outliers among the rounds' log ratios are mostly on one side.

    `blocks` holds the log ratios of each block's rounds. What slows the machine falls on both
    pipelines alike, so that an outlier is as likely, and as far, above as below. Two exact tests,
    two-sided: the sign test sees on which side there are more (Arbuthnott 1710, Phil. Trans. R.
    Soc. 27), and signed ranks where they are farther (Wilcoxon 1945, Biometrics Bulletin 1(6)).
    """
    distances = [value - median(values) for values in blocks for value in values]
    if not distances:
        return False
    far = OUTLYING * _NORMAL * median(map(abs, distances))
    outliers = [distance for distance in distances if abs(distance) > far]
    return bool(outliers) and min(_by_sign(outliers), _by_rank(outliers)) < ONE_SIDED


def _by_sign(values: Sequence[float]) -> float:
    """Return the p-value of the sign test."""
    above = sum(value > 0 for value in values)
    fewer = min(above, len(values) - above)
    ways = sum(math.comb(len(values), count) for count in range(fewer + 1))
    return min(float(2 * ways / 2 ** len(values)), 1.0)


def _by_rank(values: Sequence[float]) -> float:
    """Return the p-value of the signed-rank test."""
    from scipy import stats

    method: Literal["exact", "approx"] = "exact" if len(values) <= MOST_EXACT else "approx"
    return float(stats.wilcoxon(values, method=method).pvalue)


_Pair = tuple[list[Turn], list[Turn]]
"""The turns of two processes, ours and theirs, in the rounds that both have"""


def _pairs(ours: BlockRate, theirs: BlockRate) -> list[_Pair]:
    """Return each of our processes with each of theirs, if they have common rounds."""
    pairs = []
    for mine, other in product(ours.processes, theirs.processes):
        rounds = sorted(mine.keys() & other.keys())
        if rounds:
            pairs.append(([mine[each] for each in rounds], [other[each] for each in rounds]))
    return pairs


def _by_round(pair: _Pair) -> list[float]:
    """Return the log ratio of each round."""
    return [math.log(mine.rate / other.rate) for mine, other in zip(*pair, strict=True)]


def _of_all_turns(pair: _Pair) -> float:
    """Return the log ratio of the rates over all rounds: images / seconds."""
    mine, other = (
        sum(turn.images for turn in turns) / sum(turn.seconds for turn in turns) for turns in pair
    )
    return math.log(mine / other)
