"""The forms in which labels may come: what is taken and noted, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from feedbench.bench.measured.batches.batch_checks import EpochCheck
from feedbench.bench.measured.batches.label_forms import label_note, places_of
from feedbench.pipelines.contract import Workload
from tests.bench.measured.batches.test_batch_checks import WORKLOAD, images, labels, refused

FORMS: dict[str, Workload] = {
    "categorical": replace(WORKLOAD, label_mode="categorical"),
    "binary": replace(
        WORKLOAD, label_mode="binary", class_names=("cats", "dogs"), labels=(0,) * 4 + (1,) * 6
    ),
}


ONE_HOT_NOTE = (
    "its labels are float64 [B, classes]; the built-in pipelines deliver float32 [B, classes]"
)
INTEGERS = ["int8", "uint8", "int16", "int32", "int64", "uint64"]


@pytest.mark.parametrize("dtype", [*INTEGERS, "float32", "float64"])
@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_whole_labels_of_any_dtype_are_the_same_classes(dtype: str, shape: Any) -> None:
    delivered = np.array([2, 0, 1], dtype).reshape(shape)
    assert places_of(delivered, 3, WORKLOAD).tolist() == [2, 0, 1]


@pytest.mark.parametrize("dtype", [*INTEGERS, "bool", "float32", "float64"])
@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_binary_labels_of_any_dtype_are_the_same_classes(dtype: str, shape: Any) -> None:
    delivered = np.array([1, 0, 1], dtype).reshape(shape)
    assert places_of(delivered, 3, FORMS["binary"]).tolist() == [1, 0, 1]


@pytest.mark.parametrize("dtype", [*INTEGERS, "float32", "float64"])
def test_one_hot_labels_of_any_dtype_are_the_same_classes(dtype: str) -> None:
    assert places_of(np.eye(3, dtype=dtype)[[2, 0, 1]], 3, FORMS["categorical"]).tolist() == [
        2,
        0,
        1,
    ]


@pytest.mark.parametrize(
    ("mode", "delivered", "note"),
    [
        ("int", labels(0), None),
        (
            "int",
            np.array([0]),
            "its labels are int64 [B]; the built-in pipelines deliver int32 [B]",
        ),
        (
            "int",
            labels(0)[:, None],
            "its labels are int32 [B, 1]; the built-in pipelines deliver int32 [B]",
        ),
        ("binary", np.zeros((1, 1), np.float32), None),
        (
            "binary",
            np.zeros(1, np.float32),
            "its labels are float32 [B]; the built-in pipelines deliver float32 [B, 1]",
        ),
        ("categorical", np.eye(3, dtype=np.float32)[:1], None),
        (
            "categorical",
            np.eye(3)[:1],
            ONE_HOT_NOTE,
        ),
    ],
)
def test_a_note_says_in_which_form_labels_come(mode: str, delivered: Any, note: str | None) -> None:
    assert label_note(delivered, FORMS.get(mode, WORKLOAD)) == note


def test_a_dtype_that_cannot_hold_all_classes_is_refused() -> None:
    many = replace(WORKLOAD, class_names=tuple(f"c{number:03}" for number in range(300)))
    with refused("expected a dtype that holds 300 classes", "labels of uint8"):
        places_of(np.zeros(2, np.uint8), 2, many)


@pytest.mark.parametrize("dtype", ["bool", "complex64", "<U1"])
def test_labels_of_a_dtype_that_is_no_number_of_a_class_are_refused(dtype: str) -> None:
    with refused("expected int32 [2]", f"labels of {np.dtype(dtype)} [2]"):
        places_of(np.zeros(2, dtype), 2, WORKLOAD)


@pytest.mark.parametrize("label", [0.5, np.nan, np.inf])
def test_a_label_that_is_no_whole_number_is_refused(label: float) -> None:
    with refused("expected an index into class_names", f"a label of {label:g}"):
        places_of(np.array([1, label], np.float32), 2, WORKLOAD)


@pytest.mark.parametrize("shape", [(2, 3), (3,), (), (1, 2), (2, 1, 1)])
def test_labels_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with refused("expected int32 [2]", f"labels of int32 {list(shape)}"):
        places_of(np.zeros(shape, np.int32), 2, WORKLOAD)


@pytest.mark.parametrize(
    ("mode", "delivered", "option"),
    [
        ("int", np.eye(3, dtype=np.float32)[:2], "categorical"),
        ("binary", np.eye(2, dtype=np.float32), "categorical"),
        ("categorical", labels(0, 1), "int"),
    ],
)
def test_the_option_is_named_that_asks_for_such_labels(
    mode: str, delivered: Any, option: str
) -> None:
    with refused("expected", "it delivered labels of") as error:
        places_of(delivered, 2, FORMS.get(mode, WORKLOAD))
    assert f"use --label-mode {option}" in error.value.hint


def in_mode(mode: str, *values: int) -> np.ndarray[Any, Any]:
    """Labels of these classes in a label mode."""
    if mode == "binary":
        return np.array(values, np.float32)[:, None]
    return np.array([[value == place for place in range(3)] for value in values], np.float32)


def labelled(mode: str, *values: int) -> EpochCheck:
    """An epoch of labels in a label mode, all batches checked."""
    checked = EpochCheck(FORMS[mode])
    for start in range(0, len(values), 4):
        part = in_mode(mode, *values[start : start + 4])
        checked.batch((images(len(part)), part))
    return checked


@pytest.mark.parametrize("mode", ["categorical", "binary"])
def test_a_right_epoch_passes_in_every_label_mode(mode: str) -> None:
    right = labelled(mode, *FORMS[mode].labels)
    right.end()
    right.labels()


@pytest.mark.parametrize(
    ("mode", "values", "delivers", "expected"),
    [
        ("categorical", (0,) * 5 + (1,) * 2 + (2,) * 3, "5 images of the class 'cats'", "4"),
        ("binary", (0,) * 5 + (1,) * 5, "5 images of the class 'cats'", "4"),
        ("binary", (1,) * 10, "0 images of the class 'cats'", "4"),
    ],
)
def test_classes_of_wrong_size_are_refused_in_every_label_mode(
    mode: str, values: tuple[int, ...], delivers: str, expected: str
) -> None:
    with refused(f"expected {expected}", delivers):
        labelled(mode, *values).labels()


@pytest.mark.parametrize(
    ("mode", "wrong", "delivers", "expected"),
    [
        ("categorical", labels(0, 1), "int32 [2]", "float32 [2, 3]"),
        ("categorical", np.eye(2, dtype=np.float32), "float32 [2, 2]", "float32 [2, 3]"),
        ("categorical", np.eye(3, dtype=np.float32), "float32 [3, 3]", "float32 [2, 3]"),
        ("binary", labels(0, 1, 1), "int32 [3]", "float32 [2, 1]"),
        ("binary", np.array(["a", "b"]), "<U1 [2]", "float32 [2, 1]"),
        ("binary", np.eye(2, dtype=np.float32), "float32 [2, 2]", "float32 [2, 1]"),
    ],
)
def test_labels_of_another_mode_are_refused_with_the_one_that_was_asked_for(
    mode: str, wrong: np.ndarray[Any, Any], delivers: str, expected: str
) -> None:
    with refused(f"expected {expected}, as many as there are images (the label mode is", delivers):
        EpochCheck(FORMS[mode]).batch((images(2), wrong))


@pytest.mark.parametrize(
    ("mode", "row", "delivers", "expected"),
    [
        ("categorical", [0, 0, 0], "of 0 nonzero values, whose sum is 0", "a 1 at"),
        ("categorical", [1, 1, 0], "of 2 nonzero values, whose sum is 2", "a 1 at"),
        ("categorical", [0.5, 0.5, 0], "of 2 nonzero values, whose sum is 1", "a 1 at"),
        ("categorical", [2, 0, 0], "of 1 nonzero values, whose sum is 2", "a 1 at"),
        ("categorical", [1, 1, -1], "of 3 nonzero values, whose sum is 1", "a 1 at"),
        ("categorical", [1, 0, np.nan], "of 2 nonzero values, whose sum is nan", "a 1 at"),
        ("binary", [2], "a binary label of 2", "0 or 1"),
        ("binary", [-1], "a binary label of -1", "0 or 1"),
        ("binary", [0.5], "a binary label of 0.5", "0 or 1"),
        ("binary", [np.nan], "a binary label of nan", "0 or 1"),
    ],
)
def test_a_label_that_is_no_class_is_refused_in_every_label_mode(
    mode: str, row: list[float], delivers: str, expected: str
) -> None:
    right = in_mode(mode, 0)
    with refused(f"expected {expected}", delivers):
        EpochCheck(FORMS[mode]).batch((images(2), np.vstack([right, [row]]).astype(np.float32)))


@pytest.mark.parametrize("mode", ["categorical", "binary"])
def test_labels_in_every_mode_are_kept_where_a_loader_fills_the_same_array_again(
    mode: str,
) -> None:
    work = FORMS[mode]
    checked = EpochCheck(work)
    array = in_mode(mode, 0, 0)
    for start in range(0, 10, 2):
        array[:] = in_mode(mode, *work.labels[start : start + 2])
        checked.batch((images(2), array))
    checked.labels()
