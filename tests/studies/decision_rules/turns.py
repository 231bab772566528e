"""How the turns of a block become its log ratio, for many simulated sittings at once."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy import stats

from feedbench.bench.verdicts.turns.block_rates import (
    _NORMAL,
    MOST_EXACT,
    ONE_SIDED,
    OUTLYING,
    TRIMMED,
)
from tests.studies.decision_rules.machines import BASELINE, CONTROL, Array, Flags
from tests.studies.decision_rules.rules import Intervals, by_signed_ranks, by_students_t

Estimator = Callable[[Array], Array]
"""From log ratios [..., rounds] to one value each"""


def mean(d: Array) -> Array:
    return np.asarray(d.mean(axis=-1))


def trimmed_by(share: float) -> Estimator:
    """Leave out a share of the rounds at either end, as block_rates.trimmed_mean does."""

    def estimate(d: Array) -> Array:
        rounds = d.shape[-1]
        out = min(round(share * rounds), (rounds - 1) // 2)
        return np.asarray(np.sort(d, axis=-1)[..., out : rounds - out].mean(axis=-1))

    return estimate


def hodges_lehmann(d: Array) -> Array:
    """The median of the means of all pairs of rounds."""
    first, second = np.triu_indices(d.shape[-1])
    return np.asarray(np.median((d[..., first] + d[..., second]) / 2, axis=-1))


def middle(d: Array) -> Array:
    return np.asarray(np.median(d, axis=-1))


ESTIMATORS: dict[str, Estimator] = {
    "mean": mean,
    "trimmed 10 %": trimmed_by(0.1),
    "trimmed 20 %": trimmed_by(0.2),
    "**trimmed 30 %**": trimmed_by(TRIMMED),
    "Hodges-Lehmann": hodges_lehmann,
    "median": middle,
}


def paired(logs: Array, label: int, to: int = BASELINE) -> Array:
    """Return a label's log ratios to the baseline by round, from log rates [..., trials]."""
    return np.asarray(logs[..., label] - logs[..., to])


def of_all_turns(logs: Array, label: int, to: int = BASELINE) -> Array:
    """Return a label's log ratio over all rounds: of turns that are equally long."""
    rates = np.log(np.exp(logs).mean(axis=-2))
    return np.asarray(rates[..., label] - rates[..., to])


def one_sided(d: Array) -> Flags:
    """Return where the outliers of sittings [sittings, blocks, rounds] are on one side."""
    off = (d - np.median(d, axis=-1, keepdims=True)).reshape(len(d), -1)
    far = OUTLYING * _NORMAL * np.median(np.abs(off), axis=-1, keepdims=True)
    outlying = np.abs(off) > far
    outliers, above = outlying.sum(axis=-1), (outlying & (off > 0)).sum(axis=-1)
    by_sign = 2 * stats.binom.cdf(np.minimum(above, outliers - above), outliers, 0.5)
    place = np.argsort(np.where(outlying, np.abs(off), 0.0), axis=-1)
    ranks = np.empty(off.shape)
    np.put_along_axis(ranks, place, np.arange(1.0, off.shape[-1] + 1)[np.newaxis], -1)
    ranks -= off.shape[-1] - outliers[:, np.newaxis]  # of the outliers, from 1
    sums = np.where(outlying & (off > 0), ranks, 0.0).sum(axis=-1)
    sums = np.minimum(sums, outliers * (outliers + 1) / 2 - sums)
    by_rank = np.ones(len(d))
    for count in np.unique(outliers[outliers > 0]).tolist():
        of_count = outliers == count
        by_rank[of_count] = _signed_rank_p(int(count), sums[of_count])
    return np.asarray(np.minimum(by_sign, by_rank) < ONE_SIDED)


def _signed_rank_p(count: int, sums: Array) -> Array:
    """Return the two-sided p-values of the smaller signed-rank sums of so many values."""
    if count > MOST_EXACT:
        deviation = math.sqrt(count * (count + 1) * (2 * count + 1) / 24)
        return np.asarray(2 * stats.norm.cdf((sums - count * (count + 1) / 4) / deviation))
    return np.asarray(2 * _signed_rank_shares(count)[np.rint(sums).astype(int)])


@lru_cache(maxsize=64)
def _signed_rank_shares(count: int) -> Array:
    """Return the shares of signed-rank sums up to 0, 1, 2, ... where signs are random."""
    likely = np.ones(1)
    for rank in range(1, count + 1):
        without = np.pad(likely, (0, rank))
        likely = (without + np.roll(without, rank)) / 2
    return np.asarray(np.cumsum(likely))


def as_runs_do(logs: Array, label: int) -> Array:
    """Return each block's log ratio as block_rates.log_ratios does.

    The ratio of another pipeline is to both copies of the baseline.
    """
    is_one_sided = one_sided(paired(logs, label))[:, np.newaxis]
    copies = [BASELINE] if label == CONTROL else [BASELINE, CONTROL]
    values = [
        np.where(
            is_one_sided,
            of_all_turns(logs, label, copy),
            trimmed_by(TRIMMED)(paired(logs, label, copy)),
        )
        for copy in copies
    ]
    return np.asarray(np.mean(values, axis=0))


def by_the_shorter(d: Array) -> Intervals:
    """Return Student's interval or that of signed ranks, whichever is shorter."""
    student, ranks = by_students_t(d), by_signed_ranks(d)
    shorter = ranks.high - ranks.low < student.high - student.low  # false with NaN
    return Intervals(
        *(
            np.where(shorter, getattr(ranks, end), getattr(student, end))
            for end in ("estimate", "low", "high")
        )
    )
