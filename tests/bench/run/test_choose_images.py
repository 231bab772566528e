"""Which images are measured: as many as the time allows."""

from __future__ import annotations

import pytest

from feedbench.bench.run.budget import Cost, block_seconds, verify_seconds
from feedbench.bench.run.choose_images import choose
from feedbench.bench.run.plan import guesses
from feedbench.pipelines import catalog
from tests.support.runs.plans import GUESS, an_index, options


def test_without_time_and_limit_and_with_the_limit_all_the_whole_folder_is_taken() -> None:
    index = an_index()
    assert choose(options(seconds=None), index, [GUESS], None) is index
    assert choose(options(limit="all"), index, [GUESS], 1.0) is index


def test_as_many_are_taken_as_were_asked_for_whatever_the_time() -> None:
    assert len(choose(options(limit=77), an_index(), [GUESS], 1.0).files) == 77


@pytest.mark.parametrize("seconds", [1.0, 30.0, 90.0, 1e6])
def test_what_is_chosen_from_a_part_lies_in_that_part(seconds: float) -> None:
    slow = Cost(image_seconds=0.01)
    given = options(trace=False)
    part = choose(given, an_index(), [GUESS] * 2, 90.0)
    fewer = choose(given, part, [slow] * 2, seconds)
    assert set(fewer.files) <= set(part.files)
    assert 64 <= len(part.files) < 600


def test_a_slower_pipeline_takes_fewer_of_a_part() -> None:
    given = options(trace=False)
    part = choose(given, an_index(), [GUESS] * 2, 160.0)
    fewer = choose(given, part, [Cost(image_seconds=0.01)] * 2, 160.0)
    assert 64 <= len(fewer.files) < len(part.files)


def test_a_pipeline_of_tfdata_is_guessed_to_decode_on_every_core_and_another_on_one() -> None:
    specs = map(catalog.parse, ["image_data_generator", "tfrecord_gzip", "tfdata_naive", "a.py:b"])
    assert [cost.image_seconds for cost in guesses(specs, GUESS, cores=4.0)] == [
        0.003,
        0.00075,
        0.00075,
        0.003,
    ]


def test_a_whole_folder_is_taken_where_it_fits_without_the_time_that_is_kept() -> None:
    cost, index = Cost(0.002), an_index(600)
    given, kept = options(seconds=300.0), 60.0
    whole = next(
        seconds
        for seconds in range(60, 600)
        if len(choose(given, index, [cost], seconds).files) == 600
    )
    assert len(choose(given, index, [cost], whole - 1.0, kept).files) == 600
    assert len(choose(given, index, [cost], whole - 62.0, kept).files) < 600
    large = an_index(600_000)
    assert len(choose(given, large, [cost], whole, kept).files) == len(
        choose(given, large, [cost], whole).files
    )


# Of the default pipelines, by pilots over 600 photos on two calm cores.
MEASURED = (
    Cost(0.0019, 0.1),
    Cost(0.0010, 0.5),
    Cost(0.0010, 0.5),
    Cost(0.0021, 0.5),
    Cost(0.0012, 0.6, prepare_seconds=0.001),
    Cost(0.0012, 0.6, prepare_seconds=0.001),
)
LEFT, KEPT = 214.0, 60.0  # of five minutes: for blocks after the pilots, and for the reasons


def slower(factor: float) -> list[Cost]:
    """Return the measured costs on a machine that is slower."""
    return [
        Cost(
            factor * cost.image_seconds,
            factor * cost.start_seconds,
            prepare_seconds=factor * cost.prepare_seconds,
        )
        for cost in MEASURED
    ]


def test_five_minutes_are_enough_for_all_of_600_photos_and_the_reasons_take_what_is_left() -> None:
    given, index = options(seconds=300.0), an_index(600)
    assert len(choose(given, index, MEASURED, LEFT, KEPT).files) == 600
    assert len(choose(given, index, MEASURED, LEFT).files) < 600
    assert verify_seconds(MEASURED, 600) + 4 * block_seconds(MEASURED, 600, 32) <= LEFT + KEPT


def test_the_time_for_reasons_shrinks_before_the_images_do() -> None:
    given, index, costs = options(seconds=300.0), an_index(600), slower(1.5)
    with_reasons = len(choose(given, index, costs, LEFT).files)
    without = len(choose(given, index, costs, LEFT, KEPT).files)
    assert (with_reasons, without) == (64, len(choose(given, index, costs, LEFT + KEPT).files))
    assert without > 2 * with_reasons
