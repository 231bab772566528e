"""Checks of an epoch that need no references: shapes, dtypes, labels, counts. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from feedbench.bench.measured.batches.batch_forms import Array, form_note, pair
from feedbench.bench.measured.batches.hints import (
    UNSORTED,
    image_hint,
    part_hint,
    range_hint,
    size_hint,
)
from feedbench.bench.measured.batches.label_forms import label_note, places_of
from feedbench.bench.measured.batches.page_reads import is_overlapping, page_values
from feedbench.pipelines.errors import WrongWorkError

if TYPE_CHECKING:
    from feedbench.pipelines.contract import Workload


_ROUNDING = {"float16": 2**-11, "bfloat16": 2**-8}  # of a value, at most


class EpochCheck:
    """Checks the batches of one epoch as they arrive, and the epoch when it ends."""

    def __init__(self, workload: Workload) -> None:
        self._workload = workload
        self._labels: list[np.ndarray[Any, Any]] = []
        self.images = 0
        self.notes: list[str] = []  # clauses: what of a batch is compared, and in which form

    @property
    def expected(self) -> int:
        """How many images an epoch has."""
        return self._workload.images

    @property
    def latest_labels(self) -> np.ndarray[Any, Any]:
        """The classes of the last batch, as indices into class_names: `[B]`."""
        return self._labels[-1]

    def batch(self, delivered: object) -> int:
        """Check one batch and return its number of images. Raises WrongWorkError."""
        images, labels = pair(delivered)
        work = self._workload
        places = check_form(images, labels, work)
        count = len(images)
        self._note(form_note(delivered), label_note(labels, work))
        self.images += count
        if self.images > work.images:
            raise WrongWorkError(
                f"it delivered {self.images} images or more in an epoch; expected {work.images},"
                " every image once, and then an end",
                hint="do not call repeat() on the dataset that you return",
            )
        self._labels.append(places)
        return count

    def end(self) -> None:
        """Check that the epoch is complete. Raises WrongWorkError."""
        if self.images < self._workload.images:
            raise WrongWorkError(
                f"it delivered {self.images} images in an epoch; expected {self._workload.images},"
                " every image once",
                hint=part_hint(self.images, self._counts(), self._workload),
            )

    def _note(self, *notes: str | None) -> None:
        self.notes += [note for note in notes if note and note not in self.notes]

    def _counts(self) -> list[int]:
        """Return how many images of each class arrived; leaves out invalid labels."""
        classes = len(self._workload.class_names)
        labels = np.concatenate([np.empty(0, np.int64), *self._labels])
        counts: list[int] = np.bincount(
            labels[(labels >= 0) & (labels < classes)], minlength=classes
        ).tolist()
        return counts

    def labels_in_range(self) -> np.ndarray[Any, Any]:
        """Return the labels of all batches so far. Raises WrongWorkError if one is invalid."""
        labels = np.concatenate(self._labels)
        check_labels(labels, self._workload)
        return labels

    def labels(self) -> None:
        """Check the labels of a whole epoch; this takes a while. Raises WrongWorkError."""
        work = self._workload
        labels = self.labels_in_range()
        classes = len(work.class_names)
        expected = np.bincount(np.asarray(work.labels), minlength=classes)
        counts = np.bincount(labels, minlength=classes)
        if wrong := np.flatnonzero(expected != counts).tolist():
            name = work.class_names[wrong[0]]
            raise WrongWorkError(
                f"it delivered {counts[wrong[0]]} images of the class {name!r} in an epoch;"
                f" expected {expected[wrong[0]]}",
                hint="" if work.are_classes_sorted else UNSORTED,
            )


def check_form(images: Array, labels: Array, workload: Workload) -> Array:
    """Check a batch's shapes, dtypes and labels; return its classes, as indices into class_names.

    Raises WrongWorkError.
    """
    delivers = f"{images.dtype} {list(images.shape)}"
    # As text: without ml_dtypes NumPy cannot read the name bfloat16.
    if images.shape[1:] != workload.shape or str(images.dtype) != workload.dtype:
        expected = f"{workload.dtype} [B, {', '.join(map(str, workload.shape))}]"
        raise WrongWorkError(
            f"it delivered images of {delivers}; expected {expected}",
            hint=image_hint(images, workload),
        )
    count = len(images)
    if not 1 <= count <= workload.batch_size:
        raise WrongWorkError(
            f"it delivered a batch of {count} images; expected 1 to {workload.batch_size}",
            hint=size_hint(count, workload),
        )
    if is_overlapping(images):
        raise WrongWorkError(
            f"it delivered {delivers} as a broadcast array, whose values share memory;"
            " expected a batch with memory for each of its values",
            hint="copy it, such as by numpy.ascontiguousarray",
        )
    return places_of(labels, count, workload)


def check_labels(labels: Array, workload: Workload) -> None:
    """Check that all labels are indices into class_names. Raises WrongWorkError."""
    classes = len(workload.class_names)
    if labels.min() < 0 or labels.max() >= classes:
        raise WrongWorkError(
            f"it delivered labels from {labels.min()} to {labels.max()};"
            f" expected 0 to {classes - 1}, indices into class_names"
        )


def check_range(images: np.ndarray[Any, Any], workload: Workload) -> None:
    """Check that the values are in the workload's range. Raises WrongWorkError."""
    least, most = float(images.min()), float(images.max())
    low, high = workload.value_range
    if not (math.isfinite(least) and math.isfinite(most)):
        count = int(np.count_nonzero(~np.isfinite(images).reshape(len(images), -1).all(axis=1)))
        raise WrongWorkError(
            f"it delivered values that are not finite numbers, such as NaN, in {count} of the"
            f" {len(images)} images of a batch; expected {low:g} to {high:g}"
        )
    # A thousandth of the range is a quarter of a grey level, and forgives rounding.
    slack = (high - low) / 1000 + _ROUNDING.get(workload.dtype, 0.0) * max(-low, high)
    if least < low - slack or most > high + slack:
        raise WrongWorkError(
            f"it delivered values from {least:g} to {most:g}; expected {low:g} to {high:g}",
            hint=range_hint(least, most, workload),
        )


def consume(delivered: object) -> int:
    """Read a value of each page of a batch, to prove that it exists; return its number of images.

    It copies nothing: `.numpy()` of a tensor would, and that would be the slowest part of a cached
    pipeline. Raises WrongWorkError if labels are missing.
    """
    images, labels = pair(delivered)
    if not 0 < len(images) == len(labels):
        raise WrongWorkError(
            f"it delivered a batch of {len(images)} images and {len(labels)} labels;"
            " expected as many labels as images, and at least one"
        )
    page_values(images)
    return len(images)


class EpochLedger:
    """Counts images over many epochs, and detects a batch that spans two epochs."""

    def __init__(self, images: int) -> None:
        self._epoch = images
        self._remaining = images

    @property
    def remaining(self) -> int:
        """The images that the current epoch still has: all of them right after an epoch's end."""
        return self._remaining

    @property
    def is_at_end(self) -> bool:
        """Whether the last batch was the last one of an epoch."""
        return self._remaining == self._epoch

    def delivered(self, images: int) -> None:
        """Count a batch. Raises WrongWorkError if it has images from two epochs."""
        self._remaining -= images
        if self._remaining == 0:
            self._remaining = self._epoch
        elif self._remaining < 0:
            raise WrongWorkError(
                f"its repeat() delivered a batch with images from two epochs of {self._epoch};"
                " expected each epoch to end with its last, short batch",
                hint="call repeat() after batch()",
            )
