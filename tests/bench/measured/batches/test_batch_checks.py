from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbench.bench.measured.batches.batch_checks import EpochCheck, EpochLedger, check_range
from feedbench.bench.measured.batches.hints import UNSORTED
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import WrongWorkError

LABELS = (0, 0, 0, 0, 1, 1, 1, 2, 2, 2)
WORKLOAD = Workload(
    files=tuple(f"/photos/{place}.jpg" for place in range(len(LABELS))),
    labels=LABELS,
    class_names=("cats", "dogs", "owls"),
    height=4,
    width=6,
    batch_size=4,
    folder_images=100,
)


GREY = replace(WORKLOAD, dtype="uint8", value_range=(0.0, 255.0), channels=1)


def images(count: int, dtype: str = "float32") -> np.ndarray[Any, Any]:
    return np.zeros((count, 4, 6, 3), dtype)


def labels(*values: int) -> np.ndarray[Any, Any]:
    return np.array(values, np.int32)


def check(*batches: object, workload: Workload = WORKLOAD) -> EpochCheck:
    """Check batches without ending the epoch."""
    checked = EpochCheck(workload)
    for batch in batches:
        checked.batch(batch)
    return checked


def epoch(*values: int) -> list[object]:
    """Batches of four of images with these labels."""
    parts = [values[start : start + 4] for start in range(0, len(values), 4)]
    return [(images(len(part)), labels(*part)) for part in parts]


def refused(expected: str, delivers: str) -> Any:
    """Expect the error whose sentence names both, what it delivers first."""
    return pytest.raises(WrongWorkError, match=f"{re.escape(delivers)}.*{re.escape(expected)}")


def test_a_right_epoch_passes_and_its_images_are_counted() -> None:
    right = check(*epoch(*LABELS))
    right.end()
    right.labels()
    assert right.images == 10


def test_the_order_of_the_images_is_free() -> None:
    check(*epoch(*reversed(LABELS))).labels()


def test_batches_may_be_smaller_than_asked_for() -> None:
    checked = check(*((images(1), labels(label)) for label in LABELS))
    checked.end()
    checked.labels()


def test_each_batch_is_answered_with_its_images() -> None:
    assert EpochCheck(WORKLOAD).batch((images(3), labels(0, 1, 2))) == 3


def test_lists_are_taken_as_batches_too() -> None:
    assert EpochCheck(WORKLOAD).batch([images(1), labels(0)]) == 1


def test_labels_are_kept_where_a_loader_fills_the_same_array_again() -> None:
    array = labels(0, 0)
    checked = EpochCheck(WORKLOAD)
    for start in range(0, 10, 2):
        array[:] = LABELS[start : start + 2]
        checked.batch((images(2), array))
    checked.labels()


@pytest.mark.parametrize("shape", [(4, 6, 4, 3), (4, 4, 6, 1), (4, 3, 4, 6), (4, 4, 6), (4, 6, 3)])
def test_images_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with refused("expected float32 [B, 4, 6, 3]", f"images of float32 {list(shape)}"):
        check((np.zeros(shape, np.float32), labels(0, 0, 0, 0)))


@pytest.mark.parametrize("dtype", ["float64", "float16", "uint8"])
def test_images_of_another_dtype_are_refused(dtype: str) -> None:
    with refused("expected float32 [B, 4, 6, 3]", f"images of {dtype} [4, 4, 6, 3]"):
        check((images(4, dtype), labels(0, 0, 0, 0)))


def test_an_empty_batch_is_refused() -> None:
    with refused("expected 1 to 4", "a batch of 0 images"):
        check((images(0), labels()))


def test_a_batch_larger_than_asked_for_is_refused() -> None:
    with refused("expected 1 to 4", "a batch of 5 images"):
        check((images(5), labels(0, 0, 0, 0, 1)))


def test_too_many_images_are_refused_as_soon_as_they_come() -> None:
    checked = check(*epoch(*LABELS))
    with refused("expected 10, every image once", "11 images or more in an epoch"):
        checked.batch((images(1), labels(0)))


def test_too_few_images_are_refused_when_the_epoch_ends() -> None:
    with refused("expected 10, every image once", "8 images in an epoch"):
        check(*epoch(*LABELS[:8])).end()


def test_an_epoch_of_nothing_is_refused() -> None:
    with refused("expected 10", "0 images in an epoch"):
        check().end()


@pytest.mark.parametrize("label", [-1, 3])
def test_a_label_that_is_no_class_is_refused(label: int) -> None:
    least, most = min(label, 0), max(label, 2)
    with refused("expected 0 to 2", f"labels from {least} to {most}"):
        check(*epoch(*LABELS[:-1], label)).labels()


def test_classes_of_wrong_size_are_refused_by_the_name_of_the_first() -> None:
    with refused("expected 3", "2 images of the class 'dogs'"):
        check(*epoch(0, 0, 0, 0, 1, 1, 2, 2, 2, 2)).labels()


def test_in_another_order_than_the_sorted_one_wrong_classes_have_a_hint() -> None:
    workload = replace(WORKLOAD, class_names=("owls", "dogs", "cats"))
    with pytest.raises(WrongWorkError) as caught:
        check(*epoch(0, 0, 0, 0, 1, 1, 2, 2, 2, 2), workload=workload).labels()
    assert caught.value.hint == UNSORTED


def test_the_end_of_an_epoch_is_checked_by_its_count_alone() -> None:
    check(*epoch(*LABELS[:-1], 99)).end()


def test_a_class_that_never_comes_is_refused() -> None:
    with refused("expected 4", "5 images of the class 'cats'"):
        check(*epoch(0, 0, 0, 0, 0, 1, 1, 1, 1, 1)).labels()


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0, -0.0009, 1.0009])
def test_values_from_zero_to_one_pass_and_so_does_rounding(value: float) -> None:
    check_range(np.full((1, 4, 6, 3), value, np.float32), WORKLOAD)


def test_values_from_0_to_255_are_refused() -> None:
    batch = images(2)
    batch[0] = 255
    with refused("expected 0 to 1", "values from 0 to 255"):
        check_range(batch, WORKLOAD)


def test_values_from_minus_one_to_one_are_refused() -> None:
    batch = images(1)
    batch[0, 0] = -1
    with refused("expected 0 to 1", "values from -1 to 0"):
        check_range(batch, WORKLOAD)


def test_values_that_are_no_number_are_refused() -> None:
    batch = images(2)
    batch[1, 2, 3, 0] = np.nan
    nan = "not finite numbers, such as NaN, in 1 of the 2 images of a batch"
    with refused("expected 0 to 1", nan):
        check_range(batch, WORKLOAD)


def test_grey_uint8_images_pass_where_they_were_asked_for() -> None:
    assert EpochCheck(GREY).batch((np.zeros((2, 4, 6, 1), np.uint8), labels(0, 0))) == 2


@pytest.mark.parametrize(
    ("shape", "dtype"), [((2, 4, 6, 3), "uint8"), ((2, 4, 6, 1), "float32"), ((2, 4, 6), "uint8")]
)
def test_images_of_another_form_are_refused_with_the_one_that_was_asked_for(
    shape: tuple[int, ...], dtype: str
) -> None:
    with refused("expected uint8 [B, 4, 6, 1]", f"images of {dtype} {list(shape)}"):
        EpochCheck(GREY).batch((np.zeros(shape, dtype), labels(0, 0)))


RANGES = st.sampled_from([(0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)])


@given(RANGES, st.floats(0, 1), st.floats(0, 1))
def test_values_within_any_range_pass(
    value_range: tuple[float, float], first: float, second: float
) -> None:
    low, high = value_range
    batch = np.array([low + (high - low) * share for share in (first, second)], np.float32)
    check_range(batch, replace(WORKLOAD, value_range=value_range))


@given(RANGES, st.floats(0.002, 1000), st.booleans())
def test_values_beyond_any_range_are_refused_by_a_share_of_it(
    value_range: tuple[float, float], beyond: float, is_above: bool
) -> None:
    low, high = value_range
    batch = np.array([low, high], np.float32)
    batch[int(is_above)] += (high - low) * (beyond if is_above else -beyond)
    with refused(f"expected {low:g} to {high:g}", "it delivered values from"):
        check_range(batch, replace(WORKLOAD, value_range=value_range))


@given(st.integers(1, 50), st.integers(1, 50), st.integers(1, 5))
def test_epoch_after_epoch_with_a_short_last_batch_passes(
    size: int, batch_size: int, epochs: int
) -> None:
    ledger = EpochLedger(size)
    for _ in range(epochs):
        for start in range(0, size, batch_size):
            ledger.delivered(min(batch_size, size - start))


@given(st.integers(2, 50), st.integers(2, 50))
def test_full_batches_over_the_end_of_an_epoch_are_seen_in_the_batch_that_mixes_them(
    size: int, batch_size: int
) -> None:
    ledger = EpochLedger(size)
    for _ in range(size // batch_size):
        ledger.delivered(batch_size)
    if size % batch_size == 0:
        return
    with refused("expected each epoch to end with", f"from two epochs of {size}"):
        ledger.delivered(batch_size)
