"""The time of a tuning is divided between rungs and the final run."""

from __future__ import annotations

import pytest

from feedbench.bench.records.pace import USUAL
from feedbench.bench.run.budget import Cost
from feedbench.bench.tuning.schedule import MOST_IMAGES, images_for, schedule_of


@pytest.mark.parametrize(("seconds", "rungs"), [(90, 1), (900, 2), (3600, 3)])
def test_more_time_gives_more_rungs_of_equal_shares(seconds: float, rungs: int) -> None:
    made = schedule_of(seconds)
    assert len(made.rungs) == rungs
    assert len(set(made.rungs)) == 1
    assert sum(made.rungs) + made.final == pytest.approx(seconds)


def test_more_time_measures_more_candidates_and_at_least_two() -> None:
    counts = [schedule_of(seconds).most_candidates for seconds in (90, 180, 900, 3600)]
    assert counts == sorted(counts)
    assert counts[0] >= 2


def images(seconds: float, image_seconds: float, most: int = 10_000) -> int:
    costs = [Cost(image_seconds)] * 8
    return images_for(seconds, costs, least=64, most=most, batch_size=32, pace=USUAL)


def test_images_that_take_long_are_fewer() -> None:
    assert images(200, 0.001) == MOST_IMAGES
    assert 64 < images(200, 0.01) < MOST_IMAGES
    assert images(200, 0.02) <= images(200, 0.01) <= images(400, 0.01)
    assert images(200, 10.0) == 64  # two batches: fewer are not worth measuring


def test_there_are_no_more_images_than_in_the_folder() -> None:
    assert images(200, 0.001, most=100) == 100
    assert images(200, 0.001, most=10) == 10
