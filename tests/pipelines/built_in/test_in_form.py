"""Grey, uint8 and label modes in NumPy, for whatever comes. No TensorFlow."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from feedbench.pipelines.built_in.form import in_form
from feedbench.pipelines.contract import Workload
from tests.support.images import reference

Floats = npt.NDArray[np.float32]
COLOURS = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.just(3)),
    elements=st.floats(0, 255, width=32),
)
RANGES = st.sampled_from([(0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)])


def a_workload(**given: Any) -> Workload:
    fields: dict[str, Any] = {"files": ("a",), "labels": (0,), "class_names": ("c", "d", "e")}
    return Workload(**fields | {"height": 1, "width": 1, "folder_images": 1} | given)


def images_of(images: Floats, **given: Any) -> npt.NDArray[Any]:
    delivered: npt.NDArray[Any] = in_form(
        (images, np.zeros(len(images), int)), a_workload(**given)
    )[0]
    return delivered


def labels_of(labels: npt.NDArray[np.int32], mode: str) -> npt.NDArray[Any]:
    delivered: npt.NDArray[Any] = in_form((labels, labels), a_workload(label_mode=mode))[1]
    return delivered


@given(COLOURS, RANGES)
def test_grey_is_the_luma_and_stays_in_the_range_of_the_colours(
    colours: Floats, value_range: tuple[float, float]
) -> None:
    low, high = value_range
    scaled = np.asarray(low + colours * ((high - low) / 255), np.float32)
    grey = images_of(scaled, channels=1, value_range=value_range)
    assert grey.shape == (*colours.shape[:3], 1)
    assert grey.dtype == np.float32
    slack = 1e-5 * (high - low)
    expected = low + reference.grey(np.asarray(colours, float)) * (high - low) / 255
    assert np.abs(grey - expected).max() <= slack
    assert low - slack <= grey.min() <= grey.max() <= high + slack


@given(COLOURS, st.sampled_from([1, 3]))
def test_uint8_is_the_nearest_whole_number(colours: Floats, channels: int) -> None:
    rounded = images_of(colours, channels=channels, dtype="uint8", value_range=(0.0, 255.0))
    exact = np.asarray(colours, float)
    expected = reference.grey(exact) if channels == 1 else exact
    assert rounded.dtype == np.uint8
    assert np.abs(rounded - expected).max() <= 0.5 + 1e-4


def test_halves_are_rounded_to_the_even_number_and_what_lies_outside_is_clipped() -> None:
    given = np.array([0.5, 1.5, 2.5, 254.5, 255.5, 300, -0.6, -7, 0.51], np.float32)
    rounded = images_of(given.reshape(1, 3, 1, 3), dtype="uint8", value_range=(0.0, 255.0))
    assert rounded.ravel().tolist() == [0, 2, 2, 254, 255, 255, 0, 0, 1]


def test_a_batch_that_is_in_form_already_is_not_copied() -> None:
    images, labels = np.zeros((2, 1, 1, 3), np.float32), np.zeros(2, np.int32)
    assert in_form((images, labels), a_workload())[0] is images
    assert in_form((images, labels), a_workload())[1] is labels
    whole = images.astype(np.uint8)
    of_bytes = a_workload(dtype="uint8", value_range=(0.0, 255.0))
    assert in_form((whole, labels), of_bytes)[0] is whole


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("int", [1, 0, 1]),
        ("categorical", [[0, 1, 0], [1, 0, 0], [0, 1, 0]]),
        ("binary", [[1], [0], [1]]),
    ],
)
def test_labels_take_the_form_of_their_mode(mode: str, expected: list[Any]) -> None:
    delivered = labels_of(np.array([1, 0, 1], np.int32), mode)
    assert delivered.tolist() == expected
    assert delivered.dtype == (np.int32 if mode == "int" else np.float32)
