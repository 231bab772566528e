"""Which images are measured: as many as the time allows."""

from __future__ import annotations

import pytest

from feedbench.bench.run.budget import Cost
from feedbench.bench.run.choose_images import choose
from feedbench.bench.run.plan import guesses
from feedbench.pipelines import catalog
from tests.support.plans import GUESS, an_index, options


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
