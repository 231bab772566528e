from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbench.bench.equal_work.identity.shuffle import Order, batch_classes, shuffle_of
from feedbench.bench.records.proof import Shuffle

CLASSES = 5


def full(count: int, seed: int) -> Order:
    return np.random.default_rng(seed).permutation(count)


def through_a_buffer(order: Order, size: int, seed: int) -> Order:
    """What tf.data's shuffle does: a random one of the buffer goes, the next one comes."""
    rng = np.random.default_rng(seed)
    waiting, shuffled = list(order[:size]), []
    for place in order[size:]:
        at = int(rng.integers(len(waiting)))
        shuffled.append(waiting[at])
        waiting[at] = place
    rng.shuffle(waiting)
    return np.asarray([*shuffled, *waiting])


def shuffle(*orders: Order) -> Shuffle:
    """How up to three epochs in these orders were shuffled: five classes, in batches of 32."""
    first, second, third = (*orders, None, None)[:3]
    assert first is not None
    count = len(first)
    labels = first * CLASSES // max(count, 1)
    sizes = [min(32, count - start) for start in range(0, count, 32)]
    return shuffle_of(first, second, labels, sizes, third)


def test_a_full_shuffle_a_buffer_of_a_thousand_and_none_read_differently() -> None:
    count = 10_000
    listed = np.arange(count)
    best = shuffle(full(count, 1), full(count, 2))
    buffered = shuffle(*(through_a_buffer(listed, 1000, seed) for seed in (1, 2)))
    none = shuffle(listed, listed)
    assert [shuffled.kind for shuffled in (best, buffered, none)] == ["full", "partial", "none"]
    assert buffered.ahead is not None
    assert 900 < buffered.ahead < 1000
    assert best.with_list == pytest.approx(0, abs=0.05)
    assert buffered.with_list == pytest.approx(0.97, abs=0.03)
    assert none.with_list == pytest.approx(1)
    classes = [shuffled.batch_classes or 0 for shuffled in (none, buffered, best)]
    assert classes == sorted(classes)
    assert none.batch_classes_by_chance == pytest.approx(classes[2], rel=0.02)


@pytest.mark.parametrize("count", [12, 39, 600, 20_000])
def test_a_full_shuffle_reads_as_one_at_every_size(count: int) -> None:
    for seed in range(40):
        shuffled = shuffle(full(count, seed), full(count, seed + 1000))
        assert shuffled.kind == "full"
        assert shuffled.batch_classes == pytest.approx(shuffled.batch_classes_by_chance, rel=0.25)


@pytest.mark.parametrize(("count", "buffer"), [(39, 5), (600, 100), (600, 300), (20_000, 5000)])
def test_a_buffer_reads_as_partial(count: int, buffer: int) -> None:
    listed = np.arange(count)
    shuffled = shuffle(through_a_buffer(listed, buffer, 0), through_a_buffer(listed, buffer, 1))
    assert shuffled.kind == "partial"
    assert shuffled.ahead is not None
    assert shuffled.ahead < buffer


def test_a_buffer_over_a_list_that_was_mixed_once_is_seen_by_the_next_epoch() -> None:
    mixed = full(10_000, 3)
    shuffled = shuffle(*(through_a_buffer(mixed, 1000, seed) for seed in (1, 2)))
    assert shuffled.kind == "partial"
    assert abs(shuffled.with_list or 1) < 0.05
    assert (shuffled.with_next_epoch or 0) > 0.9


def test_pieces_that_are_mixed_and_not_their_images_are_partial() -> None:
    pieces = np.split(np.arange(10_000), 100)
    orders = [np.concatenate([pieces[at] for at in full(100, seed)]) for seed in (1, 2)]
    shuffled = shuffle(*orders)
    assert shuffled.kind == "partial"
    assert (shuffled.with_neighbour or 0) > 0.9


@pytest.mark.parametrize("batch", [4, 32])
def test_batches_that_are_mixed_and_not_their_images_are_partial(batch: int) -> None:
    """As out of a cache of batches: an epoch alone, and the place of each image, look well."""
    first = full(640, 0)
    order = np.random.default_rng(1).permutation(640 // batch)
    second = np.concatenate([first[place * batch : (place + 1) * batch] for place in order])
    shuffled = shuffle(first, second)
    assert shuffled.kind == "partial"
    assert shuffled.neighbours_kept == pytest.approx(1 - 1 / batch, abs=0.02)


def test_one_order_for_all_epochs_is_fixed() -> None:
    order = full(600, 0)
    assert shuffle(order, order).kind == "fixed"
    assert shuffle(order, order[:100]).kind == "fixed"


def test_new_iterators_that_begin_alike_are_not_fixed_where_epochs_within_repeat_differ() -> None:
    order = full(600, 0)
    shuffled = shuffle(order, order, full(600, 1)[:256])
    assert (shuffled.kind, shuffled.fixed_in) == ("full", "new iterators")
    assert shuffled.with_next_epoch == pytest.approx(0, abs=0.3)
    buffered = [through_a_buffer(np.arange(600), 60, seed) for seed in (1, 2)]
    shuffled = shuffle(buffered[0], buffered[0], buffered[1])
    assert (shuffled.kind, shuffled.fixed_in) == ("partial", "new iterators")


def test_epochs_of_repeat_that_are_alike_are_fixed_though_new_iterators_differ() -> None:
    shuffled = shuffle(full(600, 0), full(600, 1), full(600, 1)[:256])
    assert (shuffled.kind, shuffled.fixed_in) == ("fixed", "repeat")


def test_all_epochs_alike_or_all_different_are_fixed_in_none_of_the_two() -> None:
    order = full(600, 0)
    assert shuffle(order, order, order) == shuffle(order, order)
    assert shuffle(order, full(600, 1), full(600, 2)) == shuffle(order, full(600, 1))
    listed = np.arange(600)
    assert shuffle(listed, listed, listed[:256]).kind == "none"


def test_of_too_few_images_of_the_third_epoch_nothing_is_concluded() -> None:
    order = full(600, 0)
    shuffled = shuffle(order, order, full(600, 1)[:11])
    assert (shuffled.kind, shuffled.fixed_in) == ("fixed", None)


def test_an_epoch_in_the_lists_order_and_then_another_is_not_unshuffled() -> None:
    assert shuffle(np.arange(600), full(600, 0)).kind == "partial"


def test_of_the_second_epoch_a_part_is_enough() -> None:
    shuffled = shuffle(full(10_000, 1), full(10_000, 2)[:500])
    assert shuffled.kind == "full"
    listed = np.arange(10_000)
    part = through_a_buffer(listed, 1000, 2)[:2000]
    assert shuffle(through_a_buffer(listed, 1000, 1), part).kind == "partial"


def test_of_too_few_images_nothing_is_said() -> None:
    assert shuffle(np.arange(11)) == Shuffle(kind="unknown")
    assert shuffle(np.empty(0, np.intp)) == Shuffle(kind="unknown")


def test_without_a_second_epoch_the_first_decides() -> None:
    assert shuffle(np.arange(100)).kind == "none"
    assert shuffle(full(100, 0)).with_next_epoch is None


@given(st.lists(st.integers(0, 2), min_size=4, max_size=8), st.integers(1, 3))
def test_classes_by_chance_are_the_mean_over_all_batches_that_there_could_be(
    labels: list[int], size: int
) -> None:
    if len(set(labels)) < 2:
        return
    sizes = [min(size, len(labels) - start) for start in range(0, len(labels), size)]
    _, by_chance = batch_classes(np.asarray(labels), sizes)
    mean = [np.mean([len(set(batch)) for batch in combinations(labels, size)]) for size in sizes]
    assert by_chance == pytest.approx(np.mean(mean))


def test_of_one_class_nothing_is_mixed() -> None:
    nothing: Any = batch_classes(np.zeros(10, int), [5, 5])
    assert nothing == (None, None)
