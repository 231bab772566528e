"""The variances of turns and of processes, and the turns of a block that follow from them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from feedbench.bench.verdicts.turns.variances import (
    LEAST_TURNS,
    MOST_TURNS,
    best_turns,
    pairs_with,
    variances,
)
from tests.support.runs.rotated import rotation
from tests.support.runs.summaries import failed

OPEN_SECONDS, ROUND_SECONDS = 12.0, 2.0


def a_pair(within: float, between: float, blocks: int = 8, rounds: int = 10) -> list[list[float]]:
    """Log ratios of simulated blocks."""
    rng = np.random.default_rng(7)
    process = between * rng.standard_normal((blocks, 1))
    values: list[list[float]] = (process + within * rng.standard_normal((blocks, rounds))).tolist()
    return values


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
