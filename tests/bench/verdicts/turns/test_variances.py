"""The variances of turns and of processes, and the turns of a block that follow from them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from feedbench.bench.verdicts.turns.variances import (
    LEAST_TURNS,
    MOST_TURNS,
    Variances,
    best_turns,
    pairs_with,
    turns_within,
    variances,
)
from tests.support.runs.rotated import rotation
from tests.support.runs.summaries import failed

COSTS = OPEN_SECONDS, ROUND_SECONDS = 12.0, 2.0


def a_pair(within: float, between: float, blocks: int = 8, rounds: int = 10) -> list[list[float]]:
    """Log ratios of simulated blocks."""
    rng = np.random.default_rng(7)
    process = between * rng.standard_normal((blocks, 1))
    values: list[list[float]] = (process + within * rng.standard_normal((blocks, rounds))).tolist()
    return values


def radius(blocks: int) -> float:
    return float(stats.t.ppf(0.995, blocks - 1))


def interval(seconds: float, turns: int, within: float, between: float) -> float:
    """The half-width, at 99 %, of a run of so many seconds."""
    n = int(seconds / (OPEN_SECONDS + turns * ROUND_SECONDS))
    if n < 2:
        return math.inf
    return radius(n) * math.sqrt((between**2 + within**2 / turns) / n)


@pytest.mark.parametrize("seconds", [90.0, 300.0, 3600.0])
@pytest.mark.parametrize(("within", "between"), [(0.08, 0.003), (0.03, 0.01), (0.02, 0.02)])
def test_no_other_number_of_turns_gives_a_narrower_interval_at_the_end_of_the_time(
    seconds: float, within: float, between: float
) -> None:
    chosen = turns_within(seconds, [], Variances(within**2, between**2), COSTS, radius)
    narrowest = min(
        interval(seconds, turns, within, between) for turns in range(LEAST_TURNS, MOST_TURNS + 1)
    )
    assert interval(seconds, chosen, within, between) == pytest.approx(narrowest)


def test_a_short_run_has_more_blocks_of_fewer_turns_than_a_long_one() -> None:
    noisy = Variances(0.08**2, 0.003**2)
    short, long, none = (turns_within(left, [], noisy, COSTS, radius) for left in (200, 2000, 10))
    assert short < long
    assert none == LEAST_TURNS  # no time for two blocks


def test_blocks_of_few_turns_are_followed_by_more_of_these_and_not_by_few_of_many_turns() -> None:
    """A mean over blocks is as noisy as the noisiest of them."""
    noisy = Variances(0.2**2, 0.003**2)
    assert turns_within(166.0, [4, 4, 4], noisy, (6.0, 2.6), radius) <= 6
    assert turns_within(110.0, [4, 4, 4, 20], noisy, (6.0, 2.6), radius) <= 6


@pytest.mark.parametrize("rounds", [8, 20])
def test_the_variances_of_many_blocks_are_those_that_were_simulated(rounds: int) -> None:
    found = variances(a_pair(0.03, 0.02, 4000, rounds))
    assert found is not None
    assert math.sqrt(found.between) == pytest.approx(0.02, rel=0.05)
    # A trimmed mean of normal noise is a little worse than a mean.
    assert 0.03 <= math.sqrt(found.within) <= 0.03 * 1.15


def test_a_few_turns_that_were_slowed_hardly_change_the_variances() -> None:
    pair = a_pair(0.03, 0.02, 4000)
    calm = variances(pair)
    for block in pair:
        block[3] -= 1.0
    disturbed = variances(pair)
    assert calm is not None
    assert disturbed is not None
    assert disturbed.between == pytest.approx(calm.between, rel=0.1)
    assert disturbed.within <= 1.6 * calm.within


def width(within: float, between: float, turns: int, open_seconds: float) -> float:
    """The variance of the mean over all blocks that fit into an hour."""
    blocks = 3600 / (open_seconds + turns * ROUND_SECONDS)
    return (between**2 + within**2 / turns) / blocks


@pytest.mark.parametrize("open_seconds", [6.0, 12.0, 40.0])
@pytest.mark.parametrize(("within", "between"), [(0.03, 0.01), (0.05, 0.01), (0.04, 0.02)])
def test_no_other_number_of_turns_gives_a_clearly_narrower_interval_in_the_same_time(
    within: float, between: float, open_seconds: float
) -> None:
    turns = best_turns([a_pair(within, between, 2000)], open_seconds, ROUND_SECONDS)
    assert turns is not None
    best = min(width(within, between, n, open_seconds) for n in range(LEAST_TURNS, MOST_TURNS + 1))
    assert width(within, between, turns, open_seconds) <= 1.02 * best


def test_the_noisier_the_turns_and_the_dearer_the_processes_the_more_turns() -> None:
    usual = best_turns([a_pair(0.03, 0.02, 500)], OPEN_SECONDS, ROUND_SECONDS) or 0
    assert (best_turns([a_pair(0.08, 0.02, 500)], OPEN_SECONDS, ROUND_SECONDS) or 0) > usual
    assert (best_turns([a_pair(0.03, 0.02, 500)], 60.0, ROUND_SECONDS) or 0) > usual
    assert (best_turns([a_pair(0.03, 0.05, 500)], OPEN_SECONDS, ROUND_SECONDS) or 0) < usual


def test_there_are_never_too_few_turns_nor_too_many() -> None:
    assert best_turns([a_pair(0.001, 0.1)], OPEN_SECONDS, ROUND_SECONDS) == LEAST_TURNS
    assert best_turns([[[0.5, -0.5] * 4] * 4], OPEN_SECONDS, ROUND_SECONDS) == MOST_TURNS
    assert best_turns([[[0.1] * 8] * 4], OPEN_SECONDS, ROUND_SECONDS) == LEAST_TURNS


@pytest.mark.parametrize("pairs", [[], [[]], [[[0.1] * 8]], [[[0.1, 0.2]] * 5]])
def test_less_than_two_blocks_say_nothing(pairs: list[list[list[float]]]) -> None:
    assert best_turns(pairs, OPEN_SECONDS, ROUND_SECONDS) is None


def test_the_pairs_of_a_run_are_each_pipeline_and_the_second_copy_with_the_baseline() -> None:
    trials = rotation({"a": [[100.0, 200.0]] * 2, "b": [[200.0, 200.0]] * 2})
    second, copy = pairs_with("a", [*trials, failed("c", 1)])
    assert [list(block) for block in second] == [pytest.approx([math.log(2), 0.0])] * 2
    assert [list(block) for block in copy] == [[0.0, 0.0]] * 2
    assert pairs_with("c", trials) == [[], [], []]
