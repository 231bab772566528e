"""The class that each delivered label means, in any form of its mode. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from feedbench.bench.measured.batches.batch_forms import Array
from feedbench.bench.measured.batches.hints import label_hint
from feedbench.pipelines.errors import WrongWorkError

if TYPE_CHECKING:
    from feedbench.pipelines.contract import LabelMode, Workload

_KINDS: dict[LabelMode, str] = {"int": "iuf", "categorical": "iuf", "binary": "biuf"}
"""NumPy's kinds of dtype that can hold a mode's labels."""

_NAMES: dict[LabelMode, tuple[str, str]] = {
    "int": ("int32", "[B]"),
    "categorical": ("float32", "[B, classes]"),
    "binary": ("float32", "[B, 1]"),
}
"""The form that the built-in pipelines deliver."""


def places_of(labels: Array, count: int, workload: Workload) -> Array:
    """Return the index of each label's class as int64 `[B]`, as a new array.

    `count` is the number of images of the batch. Raises WrongWorkError if the labels have no form
    of the workload's mode, or mean no class. In the mode `int`, any number passes.
    """
    mode, classes = workload.label_mode, len(workload.class_names)
    flat = ((count,), (count, 1))
    shapes = ((count, classes),) if mode == "categorical" else flat
    if labels.shape not in shapes or labels.dtype.kind not in _KINDS[mode]:
        raise _refusal(labels, count, workload)
    if mode == "categorical":
        return _one_hot(labels)
    values = labels.reshape(count)
    if mode == "binary":
        return _binary(values)
    if values.dtype.kind == "f":  # Keras' fit turns the labels of a PyDataset into these
        return _whole(values)
    if np.iinfo(values.dtype).max < classes - 1:
        raise WrongWorkError(
            f"it delivered labels of {labels.dtype}; expected a dtype that holds {classes:,}"
            " classes, such as int32"
        )
    return values.astype(np.int64)  # a copy: a loader may fill the same array again


def label_note(labels: Array, workload: Workload) -> str | None:
    """Return the form of labels as a clause; None if the built-in pipelines have the same form.

    The labels have passed `places_of`.
    """
    dtype, shape = _NAMES[workload.label_mode]
    usual = 1 if workload.label_mode == "int" else 2
    if labels.dtype == dtype and labels.ndim == usual:
        return None
    found = shape if labels.ndim == usual else "[B]" if labels.ndim == 1 else "[B, 1]"
    return f"its labels are {labels.dtype} {found}; the built-in pipelines deliver {dtype} {shape}"


def _refusal(labels: Array, count: int, workload: Workload) -> WrongWorkError:
    mode, classes = workload.label_mode, len(workload.class_names)
    shape = {"int": [count], "categorical": [count, classes], "binary": [count, 1]}[mode]
    return WrongWorkError(
        f"it delivered labels of {labels.dtype} {list(labels.shape)};"
        f" expected {_NAMES[mode][0]} {shape}, as many as there are images"
        + (f" (the label mode is {mode})" if mode != "int" else ""),
        hint=label_hint(labels, count, workload),
    )


def _whole(labels: Array) -> Array:
    """Return labels of floating-point numbers as integers, `[B]`."""
    if wrong := labels[~(np.isfinite(labels) & (labels == np.rint(labels)))].tolist():
        raise WrongWorkError(
            f"it delivered a label of {wrong[0]:g}; expected an index into class_names"
        )
    return labels.astype(np.int64)


def _binary(labels: Array) -> Array:
    """Return the class indices of binary labels, `[B]`."""
    if wrong := labels[(labels != 0) & (labels != 1)].tolist():
        raise WrongWorkError(
            f"it delivered a binary label of {wrong[0]:g}; expected 0 or 1, an index into"
            " class_names"
        )
    return labels.astype(np.int64)


def _one_hot(labels: Array) -> Array:
    """Return the class indices of categorical labels, `[B, classes]`."""
    places: Array = labels.argmax(axis=1)
    tops = labels[np.arange(len(labels)), places]
    if not (tops == 1).all() or np.count_nonzero(labels) != len(labels):
        others = np.count_nonzero(labels, axis=1) != 1
        row = labels[np.flatnonzero((tops != 1) | others)[0]]
        raise WrongWorkError(
            f"it delivered a categorical label of {np.count_nonzero(row)} nonzero values,"
            f" whose sum is {row.sum():g}; expected a 1 at the class's index, and 0 elsewhere"
        )
    return places
