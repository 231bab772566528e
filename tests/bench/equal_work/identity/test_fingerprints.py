from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbench.bench.equal_work.identity.fingerprints import (
    UNKNOWN,
    Matcher,
    cells_of,
    fingerprints,
)

Floats = npt.NDArray[np.float32]
RNG = np.random.default_rng(0)


def files(count: int, cells: int = 64) -> Floats:
    """Fingerprints of files that look like photos: a few patterns make up most of each."""
    spread = 120 / np.arange(1, cells + 1) ** 0.8
    patterns, _ = np.linalg.qr(RNG.normal(size=(cells, cells)))
    prints: Floats = (RNG.normal(size=(count, cells)) * spread @ patterns + 128).astype(np.float32)
    return prints


def matcher(first: Floats, second: Floats | None = None) -> Matcher:
    return Matcher(np.stack([first, first if second is None else second]))


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3]))
def test_a_fingerprint_is_the_mean_of_each_cell(height: int, width: int, channels: int) -> None:
    images = np.full((2, height, width, channels), 7.0, np.float32)
    images[1] = 9
    prints = fingerprints(images)
    assert prints.shape == (2, cells_of(height, width, channels))
    assert np.allclose(prints, [[7], [9]], atol=1e-4)


def test_a_cell_is_of_its_own_part_of_the_image() -> None:
    image = np.zeros((1, 16, 16, 3), np.float32)
    image[0, 2:4, 14:16] = 100
    prints = fingerprints(image).reshape(8, 8)
    assert prints[1, 7] == 100
    assert np.count_nonzero(prints) == 1


def test_the_order_of_the_channels_changes_nothing() -> None:
    images = RNG.random((3, 20, 30, 3)).astype(np.float32)
    assert np.allclose(fingerprints(images), fingerprints(images[..., ::-1]), atol=1e-6)


@pytest.mark.parametrize("count", [1, 2, 7, 600, 5000])
def test_every_image_is_matched_with_its_file_though_it_is_a_little_off(count: int) -> None:
    first = files(count)
    order = RNG.permutation(count)[:300]
    delivered = first[order] + RNG.normal(0, 0.5, (len(order), 64)).astype(np.float32)
    assert matcher(first).match(delivered).places.tolist() == order.tolist()


def test_an_image_may_be_like_either_reference() -> None:
    first = files(50)
    second = first + RNG.normal(0, 5, first.shape).astype(np.float32)
    matching = matcher(first, second)
    for reference in (first, second):
        assert matching.match(reference).places.tolist() == list(range(50))
        assert matching.match(reference).distances.max() == 0


def test_where_a_filter_changes_more_than_files_differ_each_is_found_by_its_own() -> None:
    first, second = files(200), files(200)
    matching = matcher(first, second)
    assert matching.match(second).places.tolist() == list(range(200))
    assert matching.match(first).places.tolist() == list(range(200))


def test_what_is_like_no_file_is_unknown() -> None:
    first = files(600)
    mirrored = first.reshape(-1, 8, 8)[:, :, ::-1].reshape(-1, 64)
    assert set(matcher(first).match(mirrored).places.tolist()) == {UNKNOWN}


def test_an_image_that_is_off_but_much_nearer_to_one_than_to_any_other_is_that_ones() -> None:
    first = files(600)
    off = first[:20] + np.float32(5)
    assert matcher(first).match(off).places.tolist() == list(range(20))
    assert set(matcher(first).match(first[:20] + np.float32(40)).places.tolist()) == {UNKNOWN}


def test_files_of_the_same_content_are_one_group_and_others_are_not() -> None:
    first = files(6)
    first[4] = first[1]
    first[5] = first[1] + np.float32(0.1)
    matching = matcher(first).groups
    groups = matching.of
    assert groups[1] == groups[4] == groups[5]
    assert len(set(groups.tolist())) == 4
    assert matching.members(int(groups[1])).tolist() == [1, 4, 5]


def test_files_that_only_a_filter_makes_equal_are_one_group() -> None:
    first, second = files(4), files(4)
    second[3] = second[0]
    groups = matcher(first, second).groups
    assert groups.of[0] == groups.of[3]
    assert groups.alone().tolist() == [1, 2]


def test_what_is_alike_is_asked_of_the_difference_that_is_none() -> None:
    first = files(5)
    first[4] = first[2] + np.float32(2)
    matching = matcher(first)
    assert matching.alike(1).alone().tolist() == [0, 1, 2, 3, 4]
    assert matching.alike(3).alone().tolist() == [0, 1, 3]


@pytest.mark.parametrize("channels", [1, 3])
def test_of_a_few_pixels_each_value_counts(channels: int) -> None:
    images = RNG.uniform(0, 255, (600, 1, 1, channels)).astype(np.float32)
    assert np.array_equal(fingerprints(images), images.reshape(600, channels))


def test_of_files_that_are_alike_the_nearest_is_named() -> None:
    first = files(5)
    first[3] = first[0] + np.float32(0.1)
    assert matcher(first).match(first[[0, 3]]).places.tolist() == [0, 3]


def test_thousands_of_equal_files_are_grouped_at_once() -> None:
    first = np.zeros((20_000, 64), np.float32)
    first[:3] = files(3)
    matching = matcher(first)
    assert len(set(matching.groups.of.tolist())) == 4
    assert matching.match(first[:5]).places[:3].tolist() == [0, 1, 2]


def test_a_file_without_a_reference_is_matched_by_nothing() -> None:
    first = files(5)
    first[2] = np.nan
    matching = matcher(first)
    assert matching.groups.of[2] == UNKNOWN
    assert matching.match(first[[0, 1, 3, 4]]).places.tolist() == [0, 1, 3, 4]


def test_where_no_file_has_a_reference_nothing_is_matched() -> None:
    nothing: Any = np.full((3, 64), np.nan, np.float32)
    assert matcher(nothing).match(files(2)).places.tolist() == [UNKNOWN, UNKNOWN]


def test_images_that_are_nearly_black_match_no_file_however_dark_it_is() -> None:
    bright = files(100) / 4 + 130
    dark = (RNG.normal(8, 3, (3, 64))).clip(0).astype(np.float32)
    photos: Floats = np.concatenate([bright, dark]).astype(np.float32)
    nearly_black = matcher(photos).match((photos / 255).astype(np.float32))
    assert (nearly_black.places == UNKNOWN).all()
    assert matcher(photos).match(photos + np.float32(0.5)).places.tolist() == list(range(103))


def test_a_plain_file_is_found_where_little_is_changed() -> None:
    plain = np.full((1, 64), 7.0, np.float32)
    photos = np.concatenate([files(20), plain])
    assert matcher(photos).match(plain + np.float32(0.9)).places.tolist() == [20]
