"""Pipelines that augment: what is recognised of right ones, and of those with a fault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from feedbench.bench.records.proof import Proof
from feedbench.pipelines.augmentation.ranges import Augmentation
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import WrongWorkError
from tests.support.builders import natural_photos, workload_over
from tests.support.pipelines.augmenting import AugmentingFeed
from tests.support.pipelines.feeds import Feed, proof_of

pytestmark = pytest.mark.thorough

IMAGES = 60
ASKED = Augmentation(flip=True, rotate=20, width_shift=0.1, height_shift=0.1, zoom=0.2)
BRIGHT = replace(ASKED, brightness=0.2)
FLIPS = Augmentation(flip=True)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Workload:
    """60 natural-looking photos, to 96x96 in batches of 16."""
    folder = tmp_path_factory.mktemp("natural") / "photos"
    return natural_photos(folder, IMAGES, side=96, batch_size=16)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Workload], Path]:
    """A folder for the references of each workload, which are computed once."""
    folders: dict[Any, Path] = {}

    def folder(workload: Workload) -> Path:
        if workload not in folders:
            folders[workload] = tmp_path_factory.mktemp("references")
        return folders[workload]

    return folder


@pytest.fixture
def prove(photos: Workload, scratch: Callable[[Workload], Path]) -> Callable[..., Proof]:
    def proof(
        asked: Augmentation | None = ASKED, does: Augmentation | None = None, **given: Any
    ) -> Proof:
        workload = replace(photos, augmentation=asked)
        feed = AugmentingFeed(workload, does or asked or ASKED, **given)
        return proof_of(scratch(workload), feed, workload)

    return proof


@pytest.mark.parametrize("asked", [ASKED, BRIGHT, FLIPS, replace(ASKED, vertical_flip=True)])
def test_images_augmented_as_asked_are_recognised_and_so_are_their_ranges(
    prove: Any, asked: Augmentation
) -> None:
    proof = prove(asked)
    found = proof.augmented
    assert (proof.work, proof.reason, proof.is_wrong) == ("augmented", None, False)
    assert (found.is_identity_proven, found.tried) == (True, IMAGES)
    assert found.certain >= IMAGES - 2
    assert found.transforms.rotation.high == pytest.approx(asked.rotate, abs=4)
    assert found.transforms.rotation.low == pytest.approx(-asked.rotate, abs=4)
    assert found.transforms.zoom.high == pytest.approx(1 + asked.zoom, abs=0.05)
    assert proof.shuffle.kind == "full"


def test_another_filter_than_the_reference_is_augmented_too(prove: Any, photos: Workload) -> None:
    def filtered(images: Any, labels: Any, _: int) -> Any:
        from feedbench.bench.equal_work import references

        made = [references.filtered(references.decoded(it), photos) for it in photos.files]
        return np.stack(made), labels

    assert prove(change=filtered).work == "augmented"


def test_what_is_not_augmented_is_different(
    photos: Workload, scratch: Callable[[Workload], Path]
) -> None:
    workload = replace(photos, augmentation=ASKED)
    proof = proof_of(scratch(workload), Feed(workload), workload)
    assert proof.work == "different"
    assert proof.reason == "not augmented: its images are as they are in the files"


def test_augmentation_that_a_cache_freezes_is_different(prove: Any) -> None:
    proof = prove(is_frozen=True)
    assert proof.work == "different"
    assert proof.reason == ("frozen: epochs 1 and 2 show the same transforms in 100% of images")


def test_frozen_flips_are_told_from_flips_that_are_the_same_by_chance(prove: Any) -> None:
    assert prove(FLIPS).augmented.frozen == pytest.approx(0.5, abs=0.25)
    assert prove(FLIPS, is_frozen=True).reason.startswith("frozen: ")


class Cached:
    """A feed whose repeat() fills a cache in its first epoch, as tf.data does behind a map."""

    def __init__(self, feed: Callable[[], AugmentingFeed]) -> None:
        self._feed = feed

    def __iter__(self) -> Any:
        return iter(self._feed())

    def repeat(self) -> Any:
        feed = self._feed()
        while True:
            yield from feed


def test_a_cache_that_repeat_fills_anew_is_frozen_in_the_third_epoch(
    photos: Workload, scratch: Callable[[Workload], Path]
) -> None:
    workload = replace(photos, augmentation=ASKED)
    seeds = iter(range(9))

    def feed() -> AugmentingFeed:
        return AugmentingFeed(workload, ASKED, is_frozen=True, seed=next(seeds))

    proof = proof_of(scratch(workload), Cached(feed), workload)
    assert proof.work == "different"
    assert str(proof.reason).startswith("frozen: epochs 2 and 3 show the same transforms")


def test_labels_that_are_no_longer_with_their_images_are_wrong(prove: Any) -> None:
    proof = prove(change=lambda x, y, _: (x, np.roll(y, 7)))
    assert (proof.work, proof.is_wrong) == ("different", True)
    assert proof.reason.startswith("labels do not follow their images: ")
    assert "have the wrong label (" in proof.reason


def test_an_image_that_comes_twice_and_one_that_never_comes_are_wrong_and_named(
    prove: Any,
) -> None:
    proof = prove(order=lambda order, _: [7 if place == 3 else place for place in order])
    assert (proof.work, proof.is_wrong) == ("different", True)
    assert (proof.counts.doubled, proof.counts.missing) == (1, 1)
    assert "1 image too many (" in proof.reason
    assert "1 image missing (" in proof.reason


@pytest.mark.parametrize(
    ("does", "reason"),
    [
        (FLIPS, "not rotated (expected -20 to 20)"),
        (replace(ASKED, rotate=10), "rotated by -"),
        (replace(ASKED, zoom=0.1), "zoomed by factors of 0.9"),
        (replace(ASKED, width_shift=0.05), "shifted sideways by -5 to 5%"),
        (replace(ASKED, flip=False), "not flipped left to right (expected 50%)"),
        (replace(ASKED, brightness=0.2), "brightened by factors of 0."),
        (replace(ASKED, vertical_flip=True), "% flipped upside down (expected not at all)"),
    ],
)
def test_less_or_other_augmentation_than_asked_is_different_and_named(
    prove: Any, does: Augmentation, reason: str
) -> None:
    proof = prove(does=does)
    assert proof.work == "different"
    assert reason in proof.reason
    assert not proof.is_wrong


def test_other_images_are_not_recognised(prove: Any) -> None:
    rng = np.random.default_rng(0)
    proof = prove(change=lambda x, y, _: (rng.uniform(0, 255, x.shape).astype("f"), y))
    assert proof.work == "different"
    assert "60 of 60 delivered images match no file" in proof.reason


def test_an_augmented_validation_part_is_different_and_named(prove: Any) -> None:
    proof = prove(None, ASKED)
    assert proof.work == "different"
    assert "images augmented at random: " in proof.reason
    assert "rotated by " in proof.reason


@pytest.fixture(scope="module")
def spots(tmp_path_factory: pytest.TempPathFactory) -> Workload:
    """24 pictures of a spot each, of three lengths: which file is which cannot be seen."""
    folder = tmp_path_factory.mktemp("spots")
    for place in range(24):
        (folder / f"class{place % 2}").mkdir(exist_ok=True)
        levels = np.full((64, 64, 3), 40, np.uint8)
        levels[28:36, 20 + place % 3 : 44] = 200
        Image.fromarray(levels).save(folder / f"class{place % 2}" / f"{place}.png")
    made = workload_over(folder)
    return replace(made, height=64, width=64, batch_size=8, augmentation=ASKED)


def test_images_that_are_too_much_alike_are_counted_and_a_note_says_so(
    spots: Workload, scratch: Callable[[Workload], Path]
) -> None:
    proof = proof_of(scratch(spots), AugmentingFeed(spots, ASKED), spots)
    assert proof.augmented is not None
    assert (proof.work, proof.augmented.is_identity_proven) == ("augmented", False)
    assert "cannot be recognised with certainty" in str(proof.reason)


def test_noise_in_place_of_images_that_are_alike_matches_no_file(
    spots: Workload, scratch: Callable[[Workload], Path]
) -> None:
    rng = np.random.default_rng(0)
    feed = AugmentingFeed(
        spots, ASKED, change=lambda x, y, _: (rng.uniform(0, 255, x.shape).astype("f"), y)
    )
    proof = proof_of(scratch(spots), feed, spots)
    assert (proof.work, proof.is_wrong) == ("different", False)
    assert "24 of 24 delivered images match no file" in str(proof.reason)


def test_classes_of_another_size_are_wrong_where_images_are_alike(
    spots: Workload, scratch: Callable[[Workload], Path]
) -> None:
    feed = AugmentingFeed(spots, ASKED, change=lambda x, y, _: (x, np.zeros_like(y)))
    with pytest.raises(WrongWorkError, match="24 images of the class 'class0' in an epoch"):
        proof_of(scratch(spots), feed, spots)
