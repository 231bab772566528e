"""A proven feed that delivers something else in its timed part: what is found of it, and when."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from feedbench.bench.equal_work import references, references_task
from feedbench.bench.equal_work.proof_task import prove
from feedbench.bench.equal_work.timed_part.timed_proof import check_timed_part
from feedbench.bench.measured.batches.timed_batches import TimedBatches
from feedbench.bench.records.proof import Proof
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import WrongWorkError
from tests.support.builders import natural_photos
from tests.support.pipelines.feeds import Feed

IMAGES = 40  # in batches of 16: the last one is short
EPOCHS = 20


@pytest.fixture(scope="module")
def natural(tmp_path_factory: pytest.TempPathFactory) -> Workload:
    """40 natural-looking photos, to 64x64 in batches of 16."""
    folder = tmp_path_factory.mktemp("natural") / "photos"
    return natural_photos(folder, IMAGES, side=64, batch_size=16)


@pytest.fixture(scope="module")
def folder(natural: Workload, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The references."""
    made = tmp_path_factory.mktemp("references")
    references_task.serve(natural, made, lambda _: None)
    return made


@pytest.fixture(scope="module")
def proof(natural: Workload, folder: Path) -> Proof:
    proof = prove(Feed(natural), natural, folder, None, lambda _: None)
    assert proof.work == "same"
    return proof


@pytest.fixture
def check(natural: Workload, folder: Path, proof: Proof) -> Callable[..., None]:
    """Time a feed, and compare what was kept of it."""

    def checked(feed: Iterable[Any] | None = None, epochs: int = EPOCHS, **given: Any) -> None:
        feed = Feed(natural, **given) if feed is None else feed
        timed = TimedBatches(natural)
        for _ in range(epochs):
            for batch in feed:
                timed.take(batch)
        check_timed_part(timed.kept.batches, natural, folder, proof)

    return checked


def test_a_feed_that_goes_on_as_before_passes(natural: Workload, check: Any) -> None:
    feed = Feed(natural)
    for _ in range(5):
        check(feed)


def test_a_feed_that_does_not_shuffle_passes(check: Any) -> None:
    check(seed=None)
    check(seed=None, epochs=1)


def test_a_loader_that_fills_one_buffer_again_and_again_is_not_blamed(
    natural: Workload, check: Any
) -> None:
    buffer = np.empty((16, *natural.shape), np.float32)

    def reused(images: Any, labels: Any, _: int) -> Any:
        buffer[: len(images)] = images
        return buffer[: len(images)], labels

    feed = Feed(natural, change=reused)
    for _ in range(5):
        check(feed)


def black(images: Any, labels: Any, epoch: int) -> Any:
    return np.zeros_like(images), labels


def test_black_images_after_the_second_epoch_are_unknown(check: Any) -> None:
    with pytest.raises(WrongWorkError) as caught:
        check(change=lambda x, y, epoch: black(x, y, epoch) if epoch > 2 else (x, y))
    assert caught.value.sentence.startswith(
        "it delivered other images in its timed part than in the proof: "
    )
    assert caught.value.sentence.endswith(" images match no file")


def test_black_images_in_a_buffer_that_is_filled_again_are_found_too(
    natural: Workload, check: Any
) -> None:
    number = 0

    def filled(images: Any, labels: Any, _: int) -> Any:
        nonlocal number
        number += 1
        buffer[:] = number % 7 / 10
        return buffer[: len(images)], labels

    buffer = np.zeros((16, *natural.shape), np.float32)
    with pytest.raises(WrongWorkError, match="match no file"):
        check(change=filled)


def test_half_of_the_images_twice_are_found(check: Any) -> None:
    def twice(images: Any, labels: Any, _: int) -> Any:
        half = -(-len(images) // 2)
        return (np.concatenate([it[:half], it[:half]])[: len(it)] for it in (images, labels))

    with pytest.raises(WrongWorkError, match="more than once in an epoch of its timed part"):
        check(change=lambda *batch: tuple(twice(*batch)))


@pytest.mark.thorough
def test_an_epoch_that_begins_again_in_its_middle_is_found_in_some_of_a_few_trials(
    natural: Workload, check: Any
) -> None:
    def halves(order: list[int], _: int) -> list[int]:
        return order[: len(order) // 2] * 2

    feed = Feed(natural, order=halves)
    sentences = [sentence for _ in range(20) if (sentence := refusal(check, feed))]
    assert len(sentences) > 5
    assert all("more than once in an epoch" in sentence for sentence in sentences)


def refusal(check: Any, feed: Feed) -> str | None:
    try:
        check(feed)
    except WrongWorkError as error:
        return error.sentence
    return None


def test_labels_of_other_images_are_found(check: Any) -> None:
    with pytest.raises(WrongWorkError, match=r"images? have the wrong label \(.* as '"):
        check(change=lambda x, y, _: (x, np.roll(y, 1)))


def test_labels_that_mean_no_class_are_found(check: Any) -> None:
    with pytest.raises(WrongWorkError, match="in its timed part, it delivered labels from"):
        check(change=lambda x, y, _: (x, y + 100))


def test_values_out_of_range_are_found(check: Any) -> None:
    with pytest.raises(WrongWorkError, match="in its timed part, it delivered values from 0"):
        check(change=lambda x, y, _: (x * np.float32(255), y))


def test_another_filter_than_in_the_proof_is_found(natural: Workload, check: Any) -> None:
    def nearest(image: Image.Image, workload: Workload) -> Any:
        size = (workload.width, workload.height)
        return np.asarray(image.resize(size, Image.Resampling.NEAREST), np.float32)

    with pytest.raises(WrongWorkError, match=r"in its timed part; in the proof, they were 0\.00"):
        check(make=nearest)


def test_images_of_a_quarter_of_the_size_made_large_are_found(check: Any) -> None:
    def shrunk(image: Image.Image, workload: Workload) -> Any:
        small = image.resize((workload.width // 4, workload.height // 4))
        return references.sampled(small, workload)

    with pytest.raises(WrongWorkError, match=r"its pixels are|match no file"):
        check(make=shrunk)


def test_files_of_equal_content_may_come_for_each_other(
    natural: Workload, folder: Path, tmp_path: Path
) -> None:
    copies = tmp_path / "photos"
    copies.mkdir()
    files = [
        shutil.copy(natural.files[place % 8], f"{copies}/{place:02}.jpg") for place in range(24)
    ]
    work = replace(natural, folder=str(tmp_path), files=tuple(files), labels=(0,) * 24)
    made = tmp_path / "references"
    made.mkdir()
    references_task.serve(work, made, lambda _: None)
    proof = prove(Feed(work), work, made, None, lambda _: None)
    feed = Feed(work)
    for _ in range(5):
        timed = TimedBatches(work)
        for _ in range(EPOCHS):
            for batch in feed:
                timed.take(batch)
        check_timed_part(timed.kept.batches, work, made, proof)


def test_a_file_without_a_reference_is_not_missed(
    natural: Workload, folder: Path, proof: Proof, tmp_path: Path
) -> None:
    prints = np.load(folder / "fingerprints.npy")
    prints[:, :2] = np.nan  # as of files that Pillow does not decode
    np.save(tmp_path / "fingerprints.npy", prints)
    feed = Feed(natural)
    for _ in range(5):
        timed = TimedBatches(natural)
        for batch in feed:
            timed.take(batch)
        check_timed_part(timed.kept.batches, natural, tmp_path, proof)


def test_labels_of_another_dtype_pass_as_in_the_proof(check: Any) -> None:
    check(change=lambda x, y, _: (x, y.astype(np.int64)))
