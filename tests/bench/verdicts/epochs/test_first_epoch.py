"""The first epoch of a folder of 600 images, from those of fewer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbench.bench.records.measurement import Measurement
from feedbench.bench.verdicts.epochs.first_epoch import folder_first_epoch
from tests.support.builders import a_measurement

CACHED, PLAIN = {"cache": "memory"}, {"cache": "none"}
BEGIN, EACH = 1.4, 0.001  # seconds: once, and an image


def first(images: int, knobs: dict[str, Any], begin: float = BEGIN) -> Measurement:
    """An epoch whose every image takes EACH; a tenth of a second of it is open's."""
    return a_measurement(
        open_seconds=0.1,
        first_epoch_seconds=begin - 0.1 + images * EACH,
        first_epoch_images=images,
        knobs=knobs,
    )


def of_folder(
    trial: Measurement, *pilots: Measurement, rate: float | None, folder_images: int = 600
) -> float | None:
    return folder_first_epoch([trial], pilots, rate=rate, folder_images=folder_images)


def test_of_the_whole_folder_it_is_what_was_measured() -> None:
    assert of_folder(first(600, CACHED), rate=None) == pytest.approx(BEGIN + 600 * EACH)


@pytest.mark.parametrize("pilot", [300, 20])
def test_with_a_cache_two_sizes_tell_what_it_takes_to_begin_from_what_an_image_takes(
    pilot: int,
) -> None:
    seconds = of_folder(first(64, CACHED), first(pilot, CACHED), rate=40_000.0)
    assert seconds == pytest.approx(BEGIN + 600 * EACH)


def test_without_a_cache_an_image_takes_what_it_takes_later() -> None:
    for knobs in (PLAIN, {"interpolation": "bilinear"}):
        seconds = of_folder(first(64, knobs), rate=1 / EACH)
        assert seconds == pytest.approx(BEGIN + 600 * EACH)


def test_of_a_users_loader_it_is_known_if_later_epochs_take_about_as_long() -> None:
    loader = first(300, {}, begin=0.1)
    assert of_folder(loader, rate=1 / EACH) == pytest.approx(0.1 + 600 * EACH)
    assert of_folder(first(64, {}), first(300, {}), rate=40_000.0) is None


@pytest.mark.parametrize(
    "pilots",
    [
        [],
        [first(64, CACHED)],
        [first(100, CACHED)],
        [first(300, CACHED, begin=0.2)],  # as where a busy machine slowed the trials down
    ],
    ids=["none", "as many", "hardly more", "faster"],
)
def test_where_the_two_cannot_be_told_apart_it_is_not_known(pilots: list[Measurement]) -> None:
    assert of_folder(first(64, CACHED), *pilots, rate=40_000.0) is None


def test_where_the_least_and_the_most_that_it_may_take_are_close_it_is_their_middle() -> None:
    """Of an epoch of 1.9 s over 500 images, 0.1 s of open does not grow with the images."""
    seconds = of_folder(first(500, CACHED), rate=40_000.0)
    assert seconds == pytest.approx((1.9 * (0.1 + 1.8 * 600 / 500)) ** 0.5)
    assert of_folder(first(300, CACHED), rate=40_000.0) is None


def test_from_the_device_later_epochs_and_pilots_are_no_measure() -> None:
    assert of_folder(first(64, PLAIN), first(300, PLAIN), rate=None) is None


@given(
    st.integers(1, 600),
    st.integers(1, 600),
    st.floats(0.11, 10.0),
    st.floats(0.11, 10.0),
    st.floats(1.0, 1e5),
    st.sampled_from([CACHED, PLAIN, {}]),
)
def test_it_is_at_least_what_was_measured_and_at_most_that_by_images(
    images: int, of_pilot: int, begin: float, other: float, rate: float, knobs: dict[str, Any]
) -> None:
    trial = first(images, knobs, begin)
    measured = begin + images * EACH
    seconds = of_folder(trial, first(of_pilot, knobs, other), rate=rate)
    if seconds is not None:
        assert measured * 0.999 <= seconds <= measured * 600 / images * 1.001
