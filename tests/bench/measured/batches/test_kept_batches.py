from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest

from feedbench.bench.measured.batches.kept_batches import KeptBatches
from feedbench.bench.measured.batches.page_reads import page_values

SIZE = 4  # images a batch


def kept_of(batches: int, epoch_images: int, seed: int | None = None) -> KeptBatches:
    """What is kept of batches whose images all have the value of their number, from 0."""
    rng = random.SystemRandom() if seed is None else random.Random(seed)
    kept = KeptBatches(epoch_images, rng)
    images = 0
    for number in range(batches):
        count = min(SIZE, epoch_images - images)
        offer(kept, np.full((count, 2, 2, 3), number, np.float32))
        images = (images + count) % epoch_images
    return kept


def offer(kept: KeptBatches, images: np.ndarray) -> None:
    kept.take(images, np.arange(len(images)), page_values(images))


def numbers(kept: KeptBatches) -> list[int]:
    return [int(batch.images[0, 0, 0, 0]) for batch in kept.batches]


@pytest.mark.parametrize("batches", [1, 2, 5, 1000])
def test_at_most_four_batches_are_kept_and_at_least_one(batches: int) -> None:
    for _ in range(50):
        assert 1 <= len(kept_of(batches, 38).batches) <= 4


def test_every_batch_has_about_the_same_chance() -> None:
    counts = Counter(it for seed in range(3000) for it in numbers(kept_of(30, 10_000, seed))[:1])
    early, late = (sum(counts[it] for it in part) for part in (range(15), range(15, 30)))
    assert min(early, late) > 0.3 * (early + late)
    assert len(counts) == 30


def test_a_batch_is_kept_with_a_later_one_of_its_epoch() -> None:
    for seed in range(100):
        kept = kept_of(400, 40, seed).batches  # epochs of ten batches
        epochs = Counter(batch.epoch for batch in kept)
        assert all(1 <= epoch <= 40 for epoch in epochs)
    both = [max(Counter(b.epoch for b in kept_of(400, 40, s).batches).values()) for s in range(100)]
    assert sum(count >= 2 for count in both) > 90


def test_no_two_trials_keep_the_same_batches() -> None:
    assert len({tuple(numbers(kept_of(10_000, 40))) for _ in range(10)}) > 1


def test_the_epoch_is_that_of_the_batch_even_if_it_is_the_last_short_one() -> None:
    for seed in range(50):
        for batch in kept_of(60, 10, seed).batches:  # three batches an epoch: 4, 4 and 2
            assert batch.epoch == int(batch.images[0, 0, 0, 0]) // 3 + 1


def test_a_buffer_that_is_filled_again_is_recognised_and_one_image_was_copied() -> None:
    kept, buffer = KeptBatches(400), np.zeros((SIZE, 2, 2, 3), np.float32)
    for number in range(50):
        buffer[:] = number
        offer(kept, buffer)
    overwritten = [batch for batch in kept.batches if batch.copied.max() < 49]
    assert all(not batch.is_intact for batch in overwritten)
    assert len({float(batch.copied.max()) for batch in kept.batches}) == len(kept.batches)
    assert all(batch.copied.shape == (1, 2, 2, 3) for batch in kept.batches)


def test_labels_are_kept_as_they_were() -> None:
    kept, labels = KeptBatches(400), np.arange(SIZE)
    images = np.zeros((SIZE, 2, 2, 3), np.float32)
    kept.take(images, labels, page_values(images))
    labels[:] = 9
    assert kept.batches[0].labels.tolist() == [0, 1, 2, 3]
