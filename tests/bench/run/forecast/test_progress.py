"""What is printed after each block: the answer so far, and what is still to come."""

from __future__ import annotations

import pytest

from feedbench.bench.run.forecast.progress import blocks_that_fit, so_far, to_come
from feedbench.bench.verdicts.turns.block_rates import BlockRate
from tests.support.builders import a_row, empty_row

BASELINE, FAST = a_row("naive", 100.0), a_row("tuned", 4000.0)


def test_the_fastest_is_compared_with_the_baseline_and_its_width_is_that_of_the_blocks() -> None:
    rates = {
        "naive": {1: BlockRate(100.0), 2: BlockRate(100.0), 3: BlockRate(100.0)},
        "tuned": {1: BlockRate(3900.0), 2: BlockRate(4000.0), 3: BlockRate(4100.0)},
    }
    assert so_far([BASELINE, FAST], rates) == "tuned: about 40 times (±6%) the rate of naive so far"


def test_after_one_block_no_width_is_known_and_none_is_shown() -> None:
    rates = {"naive": {1: BlockRate(100.0)}, "tuned": {1: BlockRate(4000.0)}}
    assert so_far([BASELINE, FAST], rates) == "tuned: about 40 times the rate of naive so far"


def test_a_width_as_large_as_the_ratio_is_not_shown() -> None:
    rates = {
        "naive": {1: BlockRate(100.0), 2: BlockRate(100.0)},
        "tuned": {1: BlockRate(2000.0), 2: BlockRate(4000.0)},
    }
    assert so_far([BASELINE, FAST], rates) == "tuned: about 28 times the rate of naive so far"


def test_where_the_baseline_is_the_fastest_its_rate_is_shown() -> None:
    assert so_far([FAST, BASELINE], {}) == "tuned: about 4,000 images/s so far"


def test_a_second_pipeline_is_compared_with_the_baseline_though_it_is_slower() -> None:
    rates = {"tuned": {1: BlockRate(4000.0)}, "naive": {1: BlockRate(2800.0)}}
    rows = [FAST, a_row("naive", 2800.0)]
    assert so_far(rows, rates) == "naive: about 0.70 times the rate of tuned so far"


def test_one_whose_work_is_not_equal_is_never_named() -> None:
    unequal = frozenset({"tuned"})
    assert so_far([BASELINE, FAST], {}, unequal) == "naive: about 100 images/s so far"
    assert so_far([FAST, BASELINE], {}, unequal) == "naive: about 100 images/s so far"


def test_before_anything_counts_there_is_no_answer() -> None:
    assert so_far([empty_row("a", "gone")], {}) == ""
    assert (
        so_far([BASELINE, FAST], {"naive": {1: BlockRate(100.0)}, "tuned": {2: BlockRate(4000.0)}})
        == ""
    )


@pytest.mark.parametrize(
    ("wanted", "seconds_left", "sentence"),
    [
        (None, 100.0, "time for about 4 more blocks of about 25 s"),
        (None, 26.0, "time for about 1 more block of about 25 s"),
        (None, -3.0, "no time for another block of about 25 s"),
        (None, None, "a block takes about 25 s"),
        (8, None, "6 blocks to come, in about 2 min 30 s"),
        (8, 60.0, "2 blocks to come, in about 50 s"),
        (8, 20.0, "no time for another block of about 25 s"),
        (2, None, "that was the last block"),
    ],
)
def test_what_is_to_come_is_told_by_the_blocks_so_far_and_not_by_the_pilots(
    wanted: int | None, seconds_left: float | None, sentence: str
) -> None:
    assert to_come([20.0, 30.0], wanted, seconds_left, whole=2) == sentence


def test_the_blocks_that_verdicts_need_may_take_the_time_kept_for_reasons() -> None:
    assert blocks_that_fit(100.0, 60.0, 20.0) == 5
    assert blocks_that_fit(50.0, 60.0, 20.0) == 4
    assert blocks_that_fit(10.0, 20.0, 20.0) == 1
    assert blocks_that_fit(-10.0, 0.0, 20.0) == 1


@pytest.mark.parametrize(
    ("whole", "sentence"),
    [
        (2, "1 block to come, in about 25 s"),
        (3, "up to 2 more blocks of about 25 s while pipelines are disturbed"),
        (4, "up to 1 more block of about 25 s while pipelines are disturbed"),
        (5, "that was the last block"),
    ],
)
def test_spare_blocks_come_only_while_pipelines_are_disturbed(whole: int, sentence: str) -> None:
    seconds = [25.0] * whole
    assert to_come(seconds, 3, None, whole=whole, spare=2) == sentence
