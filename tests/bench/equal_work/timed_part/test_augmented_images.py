"""Kept batches of pipelines that augment: what goes on as before, and what is other work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from feedbench.bench.equal_work import references_task
from feedbench.bench.equal_work.proof_task import prove
from feedbench.bench.equal_work.timed_part.timed_proof import check_timed_part
from feedbench.bench.measured.batches.timed_batches import TimedBatches
from feedbench.bench.records.proof import Proof
from feedbench.pipelines.augmentation.ranges import Augmentation
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import WrongWorkError
from tests.support.builders import natural_photos
from tests.support.pipelines.augmenting import AugmentingFeed
from tests.support.pipelines.feeds import Feed

pytestmark = pytest.mark.thorough

ASKED = Augmentation(flip=True, rotate=20, width_shift=0.1, height_shift=0.1, zoom=0.2)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Workload:
    """60 natural-looking photos, to 96x96 in batches of 16, to be augmented."""
    folder = tmp_path_factory.mktemp("natural") / "photos"
    made = natural_photos(folder, 60, side=96, batch_size=16)
    return replace(made, augmentation=ASKED)


@pytest.fixture(scope="module")
def folder(photos: Workload, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The references."""
    made = tmp_path_factory.mktemp("references")
    references_task.serve(photos, made, lambda _: None)
    return made


@pytest.fixture(scope="module")
def proof(photos: Workload, folder: Path) -> Proof:
    proof = prove(AugmentingFeed(photos, ASKED), photos, folder, None, lambda _: None)
    assert proof.work == "augmented"
    return proof


@pytest.fixture
def check(photos: Workload, folder: Path, proof: Proof) -> Callable[[Any], None]:
    """Time a feed, and compare what was kept of it."""

    def checked(feed: Any) -> None:
        timed = TimedBatches(photos)
        for _ in range(4):
            for batch in feed:
                timed.take(batch)
        check_timed_part(timed.kept.batches, photos, folder, proof)

    return checked


def test_a_feed_that_goes_on_augmenting_passes(photos: Workload, check: Any) -> None:
    feed = AugmentingFeed(photos, ASKED)
    for _ in range(3):
        check(feed)


def test_a_feed_that_augments_in_the_proof_alone_is_found(photos: Workload, check: Any) -> None:
    with pytest.raises(WrongWorkError, match="in its timed part, its images are not augmented"):
        check(Feed(photos))


def test_a_feed_that_then_only_flips_is_found(photos: Workload, check: Any) -> None:
    with pytest.raises(WrongWorkError, match=r"in its timed part, its images are not rotated"):
        check(AugmentingFeed(photos, Augmentation(flip=True)))


def test_labels_of_other_images_are_found(photos: Workload, check: Any) -> None:
    with pytest.raises(WrongWorkError, match=r"have the wrong label \(.* as '"):
        check(AugmentingFeed(photos, ASKED, change=lambda x, y, _: (x, np.roll(y, 7))))


def test_half_of_the_images_twice_are_found(photos: Workload, check: Any) -> None:
    class Twice(AugmentingFeed):
        def __iter__(self) -> Any:
            for images, labels in super().__iter__():
                half = -(-len(labels) // 2)
                twice = (np.concatenate([it[:half]] * 2)[: len(it)] for it in (images, labels))
                yield tuple(twice)

    with pytest.raises(WrongWorkError, match="more than once in an epoch of its timed part"):
        check(Twice(photos, ASKED))


def test_noise_is_found(photos: Workload, check: Any) -> None:
    rng = np.random.default_rng(0)

    def noise(images: Any, labels: Any, _: int) -> Any:
        return rng.uniform(0, 255, images.shape).astype(np.float32), labels

    with pytest.raises(WrongWorkError, match="match no file through any transform"):
        check(AugmentingFeed(photos, ASKED, change=noise))


def test_values_out_of_range_are_found(photos: Workload, check: Any) -> None:
    class Bright(AugmentingFeed):
        def __iter__(self) -> Any:
            for images, labels in super().__iter__():
                yield images * np.float32(1.5), labels

    with pytest.raises(WrongWorkError, match="in its timed part, it delivered values from"):
        check(Bright(photos, ASKED))
