"""Ranges of estimated transforms, and those that were asked for."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from feedbench.bench.equal_work.augmented.agreement import description, differences, is_plain
from feedbench.bench.equal_work.augmented.estimates import range_of
from feedbench.bench.records.augmented import Range, Transforms
from feedbench.pipelines.augmentation.ranges import Augmentation

ASKED = Augmentation(flip=True, rotate=20, width_shift=0.1, height_shift=0.1, zoom=0.2)


def drawn(does: Augmentation, images: int, seed: int = 0) -> Transforms:
    """The transforms of images for which a pipeline draws exactly these ranges."""
    rng = np.random.default_rng(seed)

    def ends(reach: float, centre: float = 0.0) -> Range:
        return range_of(rng.uniform(centre - reach, centre + reach, images).astype(np.float32))

    return Transforms(
        images=images,
        flipped=float((rng.random(images) < 0.5).mean()) if does.flip else 0.0,
        upside_down=float((rng.random(images) < 0.5).mean()) if does.vertical_flip else 0.0,
        rotation=ends(does.rotate),
        width_shift=ends(does.width_shift),
        height_shift=ends(does.height_shift),
        zoom=ends(does.zoom, 1.0),
        brightness=ends(does.brightness, 1.0),
        distance=2.0,
        contrast=50.0,
    )


@pytest.mark.parametrize("images", [24, 100, 512])
def test_what_is_drawn_as_asked_agrees_in_each_of_a_hundred_runs(images: int) -> None:
    assert [seed for seed in range(100) if differences(ASKED, drawn(ASKED, images, seed))] == []


@pytest.mark.parametrize(
    ("does", "clause"),
    [
        (replace(ASKED, rotate=10), "rotated by -10 to 10 degrees (expected -20 to 20)"),
        (replace(ASKED, rotate=40), "rotated by -40 to 40 degrees (expected -20 to 20)"),
        (replace(ASKED, zoom=0.1), "zoomed by factors of 0.90 to 1.10 (expected 0.80 to 1.20)"),
        (replace(ASKED, height_shift=0), "not shifted up or down (expected -10 to 10)"),
        (replace(ASKED, flip=False), "not flipped left to right (expected 50%)"),
        (
            replace(ASKED, brightness=0.3),
            "brightened by factors of 0.70 to 1.30 (expected: not at all)",
        ),
    ],
)
def test_half_or_twice_of_a_range_is_another_one_and_named(does: Augmentation, clause: str) -> None:
    clauses = differences(ASKED, drawn(does, 10_000))
    assert clauses == [clause]
    assert all(differences(ASKED, drawn(does, 512, seed)) for seed in range(50))


def test_a_range_to_one_side_is_another_one() -> None:
    found = msgspec.structs.replace(drawn(ASKED, 512), rotation=Range(low=0, high=40))
    assert differences(ASKED, found) == ["rotated by 0 to 40 degrees (expected -20 to 20)"]


def test_images_as_they_are_are_plain_and_flipped_ones_are_not() -> None:
    assert is_plain(drawn(Augmentation(), 100))
    assert not is_plain(drawn(Augmentation(flip=True), 100))
    assert not is_plain(drawn(Augmentation(zoom=0.1), 100))


def test_a_brightness_that_digits_cannot_show_is_not_judged() -> None:
    asked = replace(ASKED, brightness=0.2)
    found = msgspec.structs.replace(drawn(ASKED, 100), brightness=None)
    assert differences(asked, found) == []


def test_what_is_done_is_described_without_what_is_not() -> None:
    found = drawn(Augmentation(flip=True, rotate=20), 10_000)
    assert description(found) == "50% flipped left to right, rotated by -20 to 20 degrees"
