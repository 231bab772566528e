"""The interval by signed ranks, which is a check of that by Student's t."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from feedbench.bench.verdicts.intervals import LEVEL, by_ranks, log_ratio

RATES = st.floats(1.0, 1e5)
PAIRS = st.lists(st.tuples(RATES, RATES), min_size=8, max_size=20)


def test_eight_blocks_are_the_fewest_that_99_percent_takes() -> None:
    assert by_ranks([1.0] * 7, [2.0] * 7, LEVEL) is None
    interval = by_ranks([1.0] * 8, [2.0] * 8, LEVEL)
    assert interval is not None
    assert (interval.n, interval.level) == (8, LEVEL)
    assert by_ranks([1.0] * 8, [2.0] * 8, 0.995) is None
    assert by_ranks([], [], LEVEL) is None


def test_of_eight_blocks_it_reaches_from_the_least_to_the_greatest() -> None:
    logs = [0.03, -0.01, 0.02, 0.0, 0.05, 0.01, -0.02, 0.04]
    interval = by_ranks(list(np.exp(logs)), [1.0] * 8, LEVEL)
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx((-0.02, 0.05))
    assert interval.estimate == pytest.approx(0.015)


@given(st.integers(8, 20), st.integers(0, 1000))
def test_it_ends_where_the_signed_rank_test_of_scipy_begins_to_refuse(n: int, seed: int) -> None:
    logs = np.random.default_rng(seed).normal(size=n)
    interval = by_ranks(list(np.exp(logs)), [1.0] * n, LEVEL)
    assert interval is not None
    for end, outwards in ((interval.low, -1e-9), (interval.high, 1e-9)):
        within, beyond = (
            float(stats.wilcoxon(logs - (end + step), method="exact").pvalue)
            for step in (-outwards, outwards)
        )
        assert beyond < 1 - LEVEL <= within


@given(PAIRS, st.floats(1e-3, 1e3))
def test_units_and_the_order_of_blocks_are_of_no_account_and_swapping_turns_it_over(
    pairs: list[tuple[float, float]], scale: float
) -> None:
    ours, theirs = ([pair[place] for pair in pairs] for place in (0, 1))
    interval = by_ranks(ours, theirs, LEVEL)
    scaled = by_ranks([scale * a for a in ours[::-1]], [scale * b for b in theirs[::-1]], LEVEL)
    turned = by_ranks(theirs, ours, LEVEL)
    assert interval is not None
    assert scaled is not None
    assert turned is not None
    ends = interval.low, interval.estimate, interval.high
    assert list(ends) == sorted(ends)
    assert (scaled.low, scaled.estimate, scaled.high) == pytest.approx(ends, rel=1e-6, abs=1e-9)
    expected = pytest.approx((-ends[2], -ends[1], -ends[0]), rel=1e-6, abs=1e-9)
    assert (turned.low, turned.estimate, turned.high) == expected


def test_one_block_that_is_far_off_widens_students_interval_and_hardly_this_one() -> None:
    logs = np.random.default_rng(3).normal(math.log(1.1), 0.01, 20)
    before = by_ranks(list(np.exp(logs)), [1.0] * 20, LEVEL)
    logs[7] = math.log(0.5)
    ours = list(np.exp(logs))
    by_rank, by_mean = by_ranks(ours, [1.0] * 20, LEVEL), log_ratio(ours, [1.0] * 20, LEVEL)
    assert before is not None
    assert by_rank is not None
    assert by_mean.low < 0 < by_rank.low
    assert by_rank.high - by_rank.low < 2 * (before.high - before.low)
