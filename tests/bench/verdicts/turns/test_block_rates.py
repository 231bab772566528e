"""How the turns of two pipelines in a rotation become one log ratio a block."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbench.bench.verdicts.turns.block_rates import (
    BlockRate,
    compared,
    is_one_sided,
    log_ratios,
    trimmed_mean,
    without_copies,
)
from tests.support.runs.rotated import turns_of

ROUNDS = 20


def a_block(rates: list[float]) -> BlockRate:
    """A block of these turns, in which it was much slower before the rotation."""
    return BlockRate(7.0, {turn.round: turn for turn in turns_of(rates)})


def test_a_pair_of_neighbours_in_time_is_compared_round_by_round() -> None:
    machine = [1.0, 0.4, 1.0, 0.5, 0.9, 1.1, 0.2, 1.0]  # its speed in each round
    ours = {1: a_block([110 * speed for speed in machine])}
    theirs = {1: a_block([100 * speed for speed in machine])}
    assert log_ratios(ours, theirs)[1] == pytest.approx(math.log(1.1), rel=1e-4)


def test_single_turns_that_were_slowed_on_either_side_hardly_matter() -> None:
    noise = np.random.default_rng(4).normal(0, 0.01, (2, ROUNDS))
    ours, theirs = (110 * np.exp(noise[0])).tolist(), (100 * np.exp(noise[1])).tolist()
    ours[3] /= 5
    ours[11] /= 3
    theirs[7] /= 4
    theirs[8] /= 2
    ratio = log_ratios({1: a_block(ours)}, {1: a_block(theirs)})[1]
    assert ratio == pytest.approx(math.log(1.1), abs=0.01)


def test_a_pipeline_that_stalls_now_and_then_by_itself_is_that_much_slower() -> None:
    ours = [100.0, 101.0, 99.0, 50.0, 100.5] * 4  # every fifth turn takes twice as long
    theirs = [100.0, 99.5, 100.0, 100.5, 100.0] * 4
    found = compared({1: a_block(ours), 2: a_block(ours)}, {1: a_block(theirs), 2: a_block(theirs)})
    assert found.is_one_sided
    assert found.trimmed[1] == pytest.approx(0, abs=0.01)
    assert found.by_block == pytest.approx(dict.fromkeys((1, 2), math.log(0.9)), abs=0.005)


def with_copy(rates: list[float], copy: list[float]) -> BlockRate:
    """A block of the baseline, with the turns of its second copy."""
    return replace(a_block(rates), copy=a_block(copy).turns)


def test_a_ratio_is_to_the_mean_of_both_copies_of_the_baseline() -> None:
    ours = {1: a_block([110.0] * 5)}
    theirs = {1: with_copy([100.0] * 5, [121.0] * 5)}
    assert log_ratios(ours, theirs)[1] == pytest.approx(0, abs=1e-9)
    assert log_ratios(theirs, ours)[1] == pytest.approx(0, abs=1e-9)
    assert compared(ours, theirs).of_all_turns[1] == pytest.approx(0, abs=1e-9)
    assert log_ratios(ours, without_copies(theirs))[1] == pytest.approx(math.log(1.1))


def test_a_second_copy_makes_ratios_vary_less() -> None:
    noise = np.random.default_rng(5).normal(0, 0.05, (3, 400, ROUNDS))
    ours, theirs, copies = (
        {block: a_block((100 * np.exp(of_block)).tolist()) for block, of_block in enumerate(each)}
        for each in noise
    )
    both = {block: replace(each, copy=copies[block].turns) for block, each in theirs.items()}
    spreads = [np.std([*log_ratios(ours, others).values()]) for others in (theirs, both)]
    # Of three equal variances, one and two halves remain: 1.5 instead of 2.
    assert spreads[1] / spreads[0] == pytest.approx(math.sqrt(3 / 4), abs=0.04)


def test_a_second_copy_without_a_turn_in_common_changes_nothing() -> None:
    ours, theirs = a_block([110.0] * 5), a_block([100.0] * 5)
    late = {turn.round + 5: turn for turn in turns_of([900.0] * 5)}
    assert log_ratios({1: ours}, {1: replace(theirs, copy=late)})[1] == pytest.approx(math.log(1.1))


def test_an_outlier_of_the_second_copy_is_left_out_as_well() -> None:
    ours = {1: a_block([100.0, 101.0, 99.0, 100.5, 99.5] * 2)}
    copy = [100.0, 100.5, 20.0, 99.0, 101.0, 100.0, 99.5, 100.0, 15.0, 100.0]
    theirs = {1: with_copy([100.0, 99.5, 100.0, 100.5, 100.0] * 2, copy)}
    assert log_ratios(ours, theirs)[1] == pytest.approx(0, abs=0.01)


def test_of_all_turns_the_rate_is_images_over_seconds() -> None:
    found = compared({1: a_block([100, 50])}, {1: a_block([100, 100])})
    assert found.of_all_turns[1] == pytest.approx(math.log(0.75))


def test_rounds_that_only_one_of_the_two_has_are_not_compared() -> None:
    ours, theirs = a_block([100, 100, 900]), a_block([100, 100])
    assert log_ratios({1: ours}, {1: theirs}) == {1: 0.0}


@pytest.mark.parametrize("alone", [0, 1])
def test_one_that_could_not_be_stopped_is_compared_by_its_rate(alone: int) -> None:
    sides = [BlockRate(200.0, a_block([900] * 5).turns), BlockRate(100.0, a_block([100] * 5).turns)]
    sides[alone] = BlockRate(sides[alone].rate)
    assert log_ratios({4: sides[0]}, {4: sides[1]}) == {4: math.log(2)}


def test_blocks_that_only_one_of_the_two_has_are_not_compared() -> None:
    rates = {block: BlockRate(100.0) for block in (3, 1, 2)}
    assert [*log_ratios(rates, {2: BlockRate(50.0), 3: BlockRate(50.0)})] == [2, 3]
    assert log_ratios(rates, {}) == {}


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=40), st.floats(-5, 5))
def test_a_trimmed_mean_lies_within_its_values_and_moves_with_them(
    values: list[float], by: float
) -> None:
    mean = trimmed_mean(values)
    assert min(values) - 1e-12 <= mean <= max(values) + 1e-12
    assert trimmed_mean(values[::-1]) == pytest.approx(mean)
    assert trimmed_mean([value + by for value in values]) == pytest.approx(mean + by, abs=1e-9)


@pytest.mark.parametrize(
    ("values", "mean"),
    [
        ([5.0], 5.0),
        ([1.0, 2.0], 1.5),
        ([1.0, 2.0, 30.0], 2.0),
        ([-100.0, 1.0, 2.0, 100.0], 1.5),
        ([-9.0, -9.0, 4.0, 99.0, 99.0], 4.0),
        ([-99.0] * 6 + [1.0] * 7 + [2.0] + [99.0] * 6, 9 / 8),
    ],
)
def test_three_tenths_at_either_end_are_left_out(values: list[float], mean: float) -> None:
    assert trimmed_mean(values) == pytest.approx(mean)


@pytest.mark.parametrize(
    ("outliers", "is_on_one_side"),
    [
        ([], False),
        ([-0.5, -0.6, -0.7], False),  # chance does that in one of four
        ([-0.5, -0.6, -0.7, -0.8], True),
        ([0.5, 0.6, 0.7, 0.8], True),
        ([-0.5, -0.6, -0.7, -0.8, -0.9, 0.51, 0.61, 0.71, 0.81, 0.91], False),
        ([-0.5 - number / 100 for number in range(12)] + [0.5, 0.6, 0.7], True),
        ([sign * (2 - sign + number / 100) for sign in (-1, 1) for number in range(10)], True),
        (
            [-0.5 - number / 100 for number in range(60)]
            + [0.5 + number / 100 for number in range(30)],
            True,
        ),
        ([sign * (1 + number / 100) for sign in (-1, 1) for number in range(40)], False),
        ([-0.02] * 12, False),  # within three deviations: no outliers
    ],
)
def test_outliers_are_on_one_side_where_chance_would_seldom_do_that(
    outliers: list[float], is_on_one_side: bool
) -> None:
    calm = np.random.default_rng(1).normal(0, 0.01, 800)
    calm = calm[abs(calm) < 0.025].tolist()
    assert is_one_sided([calm + outliers]) is is_on_one_side


def test_without_turns_no_side_has_outliers() -> None:
    assert not is_one_sided([])
    assert not is_one_sided([[0.0] * 5])
