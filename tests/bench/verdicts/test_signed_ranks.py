"""The interval by signed ranks, which is a check of that by Student's t."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from feedbench.bench.verdicts.intervals import LEVEL, by_mean, by_ranks

RATIOS = st.lists(st.floats(-2.0, 2.0), min_size=8, max_size=20)
"""log ratios, one a block"""


def test_eight_blocks_are_the_fewest_that_99_percent_takes() -> None:
    assert by_ranks([0.5] * 7, LEVEL) is None
    interval = by_ranks([0.5] * 8, LEVEL)
    assert interval is not None
    assert (interval.n, interval.level) == (8, LEVEL)
    assert by_ranks([0.5] * 8, 0.995) is None
    assert by_ranks([], LEVEL) is None


def test_of_eight_blocks_it_reaches_from_the_least_to_the_greatest() -> None:
    logs = [0.03, -0.01, 0.02, 0.0, 0.05, 0.01, -0.02, 0.04]
    interval = by_ranks(logs, LEVEL)
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx((-0.02, 0.05))
    assert interval.estimate == pytest.approx(0.015)


@given(st.integers(8, 20), st.integers(0, 1000))
def test_it_ends_where_the_signed_rank_test_of_scipy_begins_to_refuse(n: int, seed: int) -> None:
    logs = np.random.default_rng(seed).normal(size=n)
    interval = by_ranks(list(logs), LEVEL)
    assert interval is not None
    for end, outwards in ((interval.low, -1e-9), (interval.high, 1e-9)):
        within, beyond = (
            float(stats.wilcoxon(logs - (end + step), method="exact").pvalue)
            for step in (-outwards, outwards)
        )
        assert beyond < 1 - LEVEL <= within


@given(RATIOS)
def test_the_order_of_blocks_is_of_no_account_and_swapping_the_pipelines_turns_it_over(
    ratios: list[float],
) -> None:
    interval, backwards = by_ranks(ratios, LEVEL), by_ranks(ratios[::-1], LEVEL)
    turned = by_ranks([-ratio for ratio in ratios], LEVEL)
    assert interval is not None
    assert backwards is not None
    assert turned is not None
    ends = interval.low, interval.estimate, interval.high
    assert list(ends) == sorted(ends)
    assert (backwards.low, backwards.estimate, backwards.high) == pytest.approx(
        ends, rel=1e-6, abs=1e-9
    )
    expected = pytest.approx((-ends[2], -ends[1], -ends[0]), rel=1e-6, abs=1e-9)
    assert (turned.low, turned.estimate, turned.high) == expected


def test_one_block_that_is_far_off_widens_students_interval_and_hardly_this_one() -> None:
    logs = np.random.default_rng(3).normal(math.log(1.1), 0.01, 20)
    before = by_ranks(list(logs), LEVEL)
    logs[7] = math.log(0.5)
    by_rank, of_mean = by_ranks(list(logs), LEVEL), by_mean(list(logs), LEVEL)
    assert before is not None
    assert by_rank is not None
    assert of_mean.low < 0 < by_rank.low
    assert by_rank.high - by_rank.low < 2 * (before.high - before.low)
