from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.records.pace import USUAL
from feedbench.bench.run.budget import (
    PROCESS_SECONDS,
    Budget,
    Cost,
    before_blocks_seconds,
    block_seconds,
    budget_of,
    images_that_fit,
    least_images,
    pilots_seconds,
    rounded,
    trial_seconds,
    turn_seconds,
    verify_seconds,
)
from tests.support.clock import ClaimedClock
from tests.support.pace import CALM

COSTS = st.builds(Cost, st.floats(1e-6, 1.0), st.floats(0.0, 20.0))
BATCHES = st.integers(1, 512)
ALONE = replace(USUAL, rounds=0)  # trials take no turns
IMAGES = st.integers(1, 100_000)
FITS = st.fixed_dictionaries(
    {
        "costs": st.lists(COSTS, min_size=1, max_size=5),
        "seconds": st.floats(-10.0, 3600.0),
        "blocks": st.integers(1, 20),
        "most": IMAGES,
        "least": st.integers(1, 1_000),
        "batch_size": BATCHES,
    }
)


@given(COSTS, IMAGES, IMAGES, BATCHES)
def test_more_images_never_take_less_time(
    cost: Cost, images: int, more: int, batch_size: int
) -> None:
    shorter = trial_seconds(cost, images, batch_size)
    assert trial_seconds(cost, images + more, batch_size) > shorter


@given(COSTS, IMAGES, BATCHES)
def test_a_trial_reads_two_epochs_and_three_windows_at_least(
    cost: Cost, images: int, batch_size: int
) -> None:
    epoch = images * cost.image_seconds
    least = PROCESS_SECONDS + cost.start_seconds + 2 * epoch + 3.0
    assert trial_seconds(cost, images, batch_size, ALONE) >= least


def test_a_fast_trial_takes_its_start_a_second_of_restarts_and_four_windows_of_a_second() -> None:
    fast = Cost(image_seconds=1e-3, start_seconds=0.4)
    assert trial_seconds(fast, 500, 32, ALONE) == pytest.approx(0.2 + 0.4 + 0.5 + 1.0 + 4 * 1.0)


def test_with_turns_its_windows_are_half_as_long_and_four_turns_follow() -> None:
    fast = Cost(image_seconds=1e-3, start_seconds=0.4)
    turns = 4 * (0.5 + 2 * 0.032 + 0.02)
    assert trial_seconds(fast, 500, 32) == pytest.approx(0.2 + 0.4 + 0.5 + 1.0 + 4 * 0.5 + turns)


def test_the_turns_of_slow_batches_are_of_eight_and_later_of_four_batches() -> None:
    assert turn_seconds(Cost(0.1 / 32), 320, 32) == pytest.approx(0.8 + 0.2 + 0.02)
    assert turn_seconds(Cost(0.5 / 32), 320, 32) == pytest.approx(2.0 + 1.0 + 0.02)


def test_the_turns_of_what_can_only_be_restarted_hold_an_epoch_at_least() -> None:
    cost = Cost(0.01, continuous=False)
    assert turn_seconds(cost, 500, 8) == pytest.approx(5.0 + 0.16 + 0.02)


def test_a_trial_at_a_brief_pace_takes_a_tenth_of_these() -> None:
    fast = Cost(image_seconds=1e-4, start_seconds=0.4)
    calm = replace(CALM, rounds=0)
    assert trial_seconds(fast, 500, 32, calm) == pytest.approx(0.2 + 0.4 + 0.05 + 0.1 + 4 * 0.1)


def test_what_can_only_be_restarted_has_windows_of_an_epoch_at_least() -> None:
    cost = Cost(image_seconds=0.01, start_seconds=0.4, continuous=False)
    assert trial_seconds(cost, 500, 32, ALONE) == pytest.approx(0.2 + 0.4 + 5.0 + 4 * 5.0)
    assert trial_seconds(cost, 50, 1, ALONE) == pytest.approx(0.2 + 0.4 + 0.5 + 4 * 1.0)


def test_before_its_turns_what_can_only_be_restarted_has_one_window() -> None:
    cost = Cost(image_seconds=0.001, start_seconds=0.4, continuous=False)
    turns = 4 * turn_seconds(cost, 500, 32)
    assert trial_seconds(cost, 500, 32) == pytest.approx(0.2 + 0.4 + 0.5 + 1.0 + turns)
    slow = Cost(image_seconds=0.02, start_seconds=0.4, continuous=False)
    turns = 4 * turn_seconds(slow, 500, 32)
    assert trial_seconds(slow, 500, 32) == pytest.approx(0.2 + 0.4 + 10.0 + 4 * 10.0 + turns)


def test_windows_of_slow_batches_are_of_eight_batches_and_later_of_four_seconds() -> None:
    def windows(batch_seconds: float) -> float:
        cost = Cost(image_seconds=batch_seconds / 32, start_seconds=0.0)
        return trial_seconds(cost, 320, 32, ALONE) - PROCESS_SECONDS - 20 * batch_seconds

    assert windows(0.25) == pytest.approx(4 * 2.0)
    assert windows(0.75) == pytest.approx(4 * 4.0)
    assert windows(2.0) == pytest.approx(4 * 8.0)


def test_a_block_runs_the_first_pipeline_twice_and_probes_after_each_trial() -> None:
    slow, fast = Cost(0.02), Cost(0.001)
    each = [0.15 + trial_seconds(cost, 100, 8) for cost in (slow, fast)]
    assert block_seconds([slow, fast], 100, 8) == pytest.approx(2 * each[0] + each[1])
    assert block_seconds([fast, slow], 100, 8) == pytest.approx(each[0] + 2 * each[1])


@given(FITS)
def test_as_many_images_are_taken_as_fit_and_not_one_fewer(request: dict[str, Any]) -> None:
    def fit(images: int) -> bool:
        block = block_seconds(request["costs"], images, request["batch_size"])
        before = verify_seconds(request["costs"], images)
        return bool(before + request["blocks"] * block <= request["seconds"])

    most, least = request["most"], min(request["least"], request["most"])
    images = images_that_fit(**request)
    assert least <= images <= most
    assert images == least or fit(images)
    assert images == most or not fit(images + 1)


def test_of_a_small_folder_all_images_are_taken_where_the_time_is_long() -> None:
    images = images_that_fit([Cost(1e-3)], 3600, blocks=4, most=600, least=64, batch_size=32)
    assert images == 600


def test_what_is_prepared_once_takes_its_share_of_the_time() -> None:
    few = images_that_fit([Cost(0.001)], 100, blocks=4, most=9999, least=64, batch_size=32)
    cost = Cost(0.001, prepare_seconds=0.02)
    fewer = images_that_fit([cost], 100, blocks=4, most=9999, least=64, batch_size=32)
    seconds = 4 * block_seconds([cost], fewer, 32) + 0.02 * fewer
    seconds += verify_seconds([cost], fewer)
    assert seconds <= 100 < seconds + 0.1
    assert fewer < few


def test_the_least_is_taken_where_not_even_that_fits() -> None:
    images = images_that_fit([Cost(1.0)], 10, blocks=4, most=600, least=64, batch_size=32)
    assert images == 64


def test_no_more_are_taken_than_there_are_even_where_that_is_under_the_least() -> None:
    assert images_that_fit([Cost(1.0)], 0, blocks=4, most=20, least=64, batch_size=32) == 20


@pytest.mark.parametrize(
    ("images", "round_number"),
    [(64, 64), (79, 64), (81, 80), (100, 100), (2963, 2500), (3000, 3000), (9999, 8000)],
)
def test_a_round_number_of_images_is_taken_that_the_next_run_takes_again(
    images: int, round_number: int
) -> None:
    assert rounded(images, least=64) == round_number


@given(st.integers(64, 10**8))
def test_rounding_costs_a_quarter_of_the_images_at_most(images: int) -> None:
    assert 0.75 * images <= rounded(images, least=1) <= images


def test_worth_measuring_are_two_batches_and_every_class_but_no_more_than_there_are() -> None:
    assert least_images(32, classes=5, most=600) == 64
    assert least_images(32, classes=100, most=600) == 100
    assert least_images(32, classes=5, most=40) == 40


def test_each_pipeline_is_piloted_for_a_second_and_a_half() -> None:
    assert pilots_seconds(3, Cost(0.01, start_seconds=0.5)) == pytest.approx(3 * (1.5 + 0.2 + 0.5))


def test_equal_work_is_shown_by_two_epochs_of_each_and_by_references_computed_once() -> None:
    costs = [Cost(0.002, start_seconds=0.5), Cost(0.001, start_seconds=0.5)]
    starts = 2 * (0.2 + 0.5) + 0.2
    assert verify_seconds(costs, 0) == pytest.approx(starts)
    epochs = 2 * 100 * (0.002 + 0.001)
    compared = 2 * 100 * 0.002
    references = 100 * 0.002
    seconds = verify_seconds(costs, 100)
    assert seconds == pytest.approx(starts + epochs + compared + references)


def test_before_the_blocks_come_import_pilots_and_equal_work_and_after_them_the_report() -> None:
    cost = Cost(0.01, start_seconds=0.5)
    seconds = before_blocks_seconds(2, cost)
    verifying = verify_seconds([cost, cost], 0)
    assert seconds == pytest.approx(8.0 + 2.0 + pilots_seconds(2, cost) + verifying + 3.0)


def options(seconds: float | None, *, trace: bool = True) -> RunOptions:
    here = Path()
    return RunOptions(
        folder=here,
        specs=("a",),
        out=here,
        prepared=here,
        seconds=seconds,
        trace=trace,
        begun=1000.0,
    )


@pytest.mark.parametrize(
    ("seconds", "trace", "kept"),
    [(300.0, True, 60.0), (50.0, True, 0.0), (300.0, False, 0.0), (None, True, 0.0)],
)
def test_a_fifth_of_the_time_is_kept_for_the_diagnosis_unless_it_is_short_or_not_asked(
    seconds: float | None, trace: bool, kept: float
) -> None:
    assert budget_of(options(seconds, trace=trace)).kept_seconds == kept


def test_the_blocks_end_before_what_is_kept_and_before_the_report() -> None:
    budget = budget_of(options(300.0), ClaimedClock(1100.0))
    assert budget.deadline == 1000.0 + 300.0 - 60.0 - 3.0
    assert budget.seconds_left() == 137.0


def test_without_a_limit_on_the_time_there_is_no_deadline() -> None:
    budget = budget_of(options(None))
    assert budget.seconds_left() is None
    assert budget.seconds_left(0) is None
    assert budget.diagnosis_deadline() is None
    assert budget.has_diagnosis


def test_the_blocks_that_verdicts_need_may_take_the_time_that_is_kept_and_no_others() -> None:
    budget = Budget(deadline=1010.0, kept_seconds=60.0, clock=ClaimedClock())
    assert [budget.seconds_left(whole) for whole in (0, 3, 4)] == [70.0, 70.0, 10.0]


def test_a_diagnosis_has_the_kept_seconds_however_early_the_blocks_ended() -> None:
    clock = ClaimedClock()
    budget = Budget(deadline=1010.0, kept_seconds=60.0, clock=clock)
    assert budget.diagnosis_deadline() == 1060.0
    clock.now = 1030.0  # the blocks took of it
    assert budget.diagnosis_deadline() == 1070.0


def test_a_time_of_which_nothing_is_kept_has_no_diagnosis() -> None:
    assert not Budget(deadline=1010.0).has_diagnosis
    assert Budget(deadline=1010.0, kept_seconds=1.0).has_diagnosis


@pytest.mark.parametrize(
    ("wanted", "deadline", "kept"),
    [(100.0, 1060.0, 140.0), (160.0, 1040.0, 160.0), (900.0, 1020.0, 180.0)],
    ids=["no more than is kept", "as much as it needs", "more than the blocks can spare"],
)
def test_a_slow_model_gets_time_of_the_main_blocks_and_not_all_of_it(
    wanted: float, deadline: float, kept: float
) -> None:
    clock = ClaimedClock()
    clock.now = 900.0
    budget = Budget(deadline=1060.0, feeding_seconds=140.0, clock=clock).with_feeding(wanted)
    assert (budget.deadline, budget.feeding_seconds) == (deadline, kept)
    assert Budget(clock=clock).with_feeding(wanted) == Budget(clock=clock)
