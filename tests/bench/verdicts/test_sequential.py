"""Intervals that may be looked at after each block."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbench.bench.verdicts.intervals import LEVEL, Interval, by_mean
from feedbench.bench.verdicts.sequential import more_blocks, radius, sequential

Values = npt.NDArray[np.float64]

RATIOS = st.lists(st.floats(-2.0, 2.0), min_size=4, max_size=30)
BLOCKS = 40
BORDER = -math.log(1.05)  # a tolerance of 5 %


def normal(random: np.random.Generator, deviation: float, sittings: int) -> Values:
    return random.normal(0, deviation, (sittings, BLOCKS))


def heavy(random: np.random.Generator, deviation: float, sittings: int) -> Values:
    """Student's t of 3 degrees of freedom."""
    return random.standard_t(3, (sittings, BLOCKS)) * deviation / math.sqrt(3)


def bursty(random: np.random.Generator, deviation: float, sittings: int) -> Values:
    """One in ten trials of either side is slowed by up to 20 %, and the probe misses it."""

    def side() -> Values:
        slowed = random.random((sittings, BLOCKS)) < 0.1
        own = random.normal(0, deviation / math.sqrt(2), (sittings, BLOCKS))
        return np.where(slowed, own - 0.2 * random.random((sittings, BLOCKS)), own)

    return side() - side()


NOISES = {"normal": normal, "heavy": heavy, "bursty": bursty}


def first_answers(noise: Values, ratio: float) -> tuple[Values, Values]:
    """Each sitting's first block with "slower", and with "not slower"; infinity: none."""
    n = np.arange(1, BLOCKS + 1)
    means = noise.cumsum(1) / n
    squares = (noise**2).cumsum(1) - n * means**2
    errors = np.sqrt(np.maximum(squares, 0) / np.maximum(n - 1, 1) / n)
    radii = np.array([radius(int(k), LEVEL) for k in n])
    half = np.where(np.isfinite(radii), np.where(np.isfinite(radii), radii, 0) * errors, np.inf)
    means = means + math.log(ratio)
    return _first(means + half < BORDER), _first(means - half > BORDER)


def _first(answers: npt.NDArray[np.bool_]) -> Values:
    return np.where(answers.any(1), answers.argmax(1) + 1.0, np.inf)


@given(RATIOS)
def test_an_interval_is_wider_than_that_of_a_number_of_blocks_fixed_in_advance(
    ratios: list[float],
) -> None:
    ours, fixed = sequential(ratios, LEVEL), by_mean(ratios, LEVEL)
    assert ours.estimate == pytest.approx(fixed.estimate)
    assert ours.low <= fixed.low + 1e-9
    assert ours.high >= fixed.high - 1e-9


def test_three_blocks_show_nothing() -> None:
    three = sequential([-0.69, -0.7, -0.68], LEVEL)
    assert (three.low, three.high) == (-math.inf, math.inf)
    four = sequential([-0.69, -0.7, -0.68, -0.69], LEVEL)
    assert four.high < math.log(0.6)


@pytest.mark.parametrize("n", [4, 5, 8, 20, 100])
def test_the_radius_is_where_the_likelihood_ratio_of_the_mixture_reaches_a_hundred(n: int) -> None:
    """By another way: the mean's normal prior is integrated numerically, at each scale."""
    from scipy import integrate, stats

    t, prior = radius(n, LEVEL), 0.1

    def density(effect: float) -> float:  # of Student's t, not central, times the prior's
        return float(
            stats.nct.pdf(t, n - 1, effect * math.sqrt(n))
            * stats.norm.pdf(effect, scale=1 / math.sqrt(prior))
        )

    mixture, _ = integrate.quad(density, -15, 15, limit=500, points=[0, t / math.sqrt(n)])
    assert mixture / stats.t.pdf(t, n - 1) == pytest.approx(100, rel=0.01)


def test_more_blocks_are_those_after_which_the_border_is_excluded() -> None:
    ratios = [0.0, -0.1, 0.1, 0.02, -0.02, 0.05]
    interval = sequential(ratios, LEVEL)
    more = more_blocks(interval, BORDER)
    assert more is not None
    deviation = float(np.std(ratios, ddof=1))
    distance = interval.estimate - BORDER

    def half(n: int) -> float:
        return radius(n, LEVEL) * deviation / math.sqrt(n)

    assert half(6 + more) < distance <= half(6 + more - 1)
    assert more_blocks(interval, -1.0) == 0
    assert more_blocks(Interval(0.0, -math.inf, math.inf, 2, LEVEL), BORDER) is None
    assert more_blocks(interval, interval.estimate) is None


@pytest.mark.parametrize("noise", NOISES)
def test_a_gate_that_looks_after_each_block_is_wrong_in_at_most_one_sitting_of_a_hundred(
    noise: str,
) -> None:
    """At the border itself, where both answers are wrong. A t-interval would be in 8 of 100."""
    random = np.random.default_rng(3)
    slower, not_slower = first_answers(NOISES[noise](random, 0.03, 4000), 1 / 1.05)
    assert np.isfinite(np.minimum(slower, not_slower)).mean() <= 0.01


@pytest.mark.study
@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("deviation", [0.01, 0.025, 0.05, 0.1])
def test_study_of_blocks_until_the_gate_answers(noise: str, deviation: float) -> None:
    """A tolerance of 5 %, at most 40 blocks, 20,000 sittings a line."""
    values = NOISES[noise](np.random.default_rng(20), deviation, 20_000)
    print()
    for percent in (0, 5, 10, 44):
        slower, not_slower = first_answers(values, 1 / (1 + percent / 100))
        half, nine_tenths = np.percentile(np.minimum(slower, not_slower), [50, 90], method="lower")
        print(
            f"{noise} {deviation:.1%}: {percent} % slower:"
            f" slower {100 * (slower < not_slower).mean():.2f} %,"
            f" not slower {100 * (not_slower < slower).mean():.2f} %,"
            f" after {half:.0f} blocks in half, {nine_tenths:.0f} in nine tenths of the gates"
        )
        if percent == 0:
            assert (slower < not_slower).mean() <= 0.01
