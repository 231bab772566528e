"""What can be checked of an epoch without its pixels: shapes, dtypes, labels, counts. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from feedbench.pipelines.errors import WrongWorkError

if TYPE_CHECKING:
    from feedbench.pipelines.contract import Workload


class EpochCheck:
    """Checks the batches of one epoch as they come, and the whole when it ends."""

    def __init__(self, workload: Workload) -> None:
        self._workload = workload
        self._labels: list[np.ndarray[Any, Any]] = []
        self.images = 0

    @property
    def expected(self) -> int:
        """The images of an epoch."""
        return self._workload.images

    @property
    def latest_labels(self) -> np.ndarray[Any, Any]:
        """The classes of the last batch, as places in class_names: `[B]`."""
        return self._labels[-1]

    def batch(self, delivered: object) -> int:
        """Check one batch and return its images. Raises WrongWorkError."""
        images, labels = pair(delivered)
        work = self._workload
        shape = (work.height, work.width, work.channels)
        delivers = f"{images.dtype} {list(images.shape)}"
        if images.ndim != len(shape) + 1 or images.shape[1:] != shape or images.dtype != work.dtype:
            expected = f"{work.dtype} [B, {', '.join(map(str, shape))}]"
            raise WrongWorkError(f"it delivered images of {delivers}; expected {expected}")
        count = len(images)
        if not 1 <= count <= work.batch_size:
            raise WrongWorkError(
                f"it delivered a batch of {count} images; expected 1 to {work.batch_size}"
            )
        places = self._places(labels, count)
        self.images += count
        if self.images > work.images:
            raise WrongWorkError(
                f"it delivered {self.images} images or more in an epoch; expected {work.images},"
                " every image once, and then an end (a dataset must not repeat() itself)"
            )
        self._labels.append(places)
        return count

    def _places(self, labels: np.ndarray[Any, Any], count: int) -> np.ndarray[Any, Any]:
        """Return the class that each label means, as an array of our own: `[B]`."""
        mode, classes = self._workload.label_mode, len(self._workload.class_names)
        shape, dtype = {
            "int": ((count,), "int32"),
            "categorical": ((count, classes), "float32"),
            "binary": ((count, 1), "float32"),
        }[mode]
        if labels.shape != shape or labels.dtype != dtype:
            raise WrongWorkError(
                f"it delivered labels of {labels.dtype} {list(labels.shape)};"
                f" expected {dtype} {list(shape)}, as many as there are images"
                + (f" (the label mode is {mode})" if mode != "int" else "")
            )
        if mode == "int":
            return labels.copy()  # a loader may fill the same array again
        if mode == "binary":
            return _binary(labels)
        return _one_hot(labels)

    def end(self) -> None:
        """Check that the epoch is whole. Raises WrongWorkError."""
        if self.images < self._workload.images:
            raise WrongWorkError(
                f"it delivered {self.images} images in an epoch; expected {self._workload.images},"
                " every image once (is the last short batch dropped?)"
            )

    def labels_in_range(self) -> np.ndarray[Any, Any]:
        """Return the labels of all batches so far. Raises WrongWorkError where one is no class."""
        labels = np.concatenate(self._labels)
        classes = len(self._workload.class_names)
        if labels.min() < 0 or labels.max() >= classes:
            raise WrongWorkError(
                f"it delivered labels from {labels.min()} to {labels.max()};"
                f" expected 0 to {classes - 1}, a class's place in class_names"
            )
        return labels

    def labels(self) -> None:
        """Check the labels of a whole epoch, which takes a while. Raises WrongWorkError."""
        work = self._workload
        labels = self.labels_in_range()
        classes = len(work.class_names)
        expected = np.bincount(np.asarray(work.labels), minlength=classes)
        counts = np.bincount(labels, minlength=classes)
        if wrong := np.flatnonzero(expected != counts).tolist():
            name = work.class_names[wrong[0]]
            raise WrongWorkError(
                f"it delivered {counts[wrong[0]]} images of the class {name!r} in an epoch;"
                f" expected {expected[wrong[0]]}"
            )


def check_range(images: np.ndarray[Any, Any], workload: Workload) -> None:
    """Check that the values lie in the workload's range. Raises WrongWorkError."""
    least, most = float(images.min()), float(images.max())
    low, high = workload.value_range
    if not (math.isfinite(least) and math.isfinite(most)):
        count = int(np.count_nonzero(~np.isfinite(images).reshape(len(images), -1).all(axis=1)))
        raise WrongWorkError(
            f"it delivered values that are no finite numbers, such as NaN, in {count} of the"
            f" {len(images)} images of a batch; expected {low:g} to {high:g}"
        )
    # A thousandth of the range is a quarter of a grey level, and forgives rounding.
    slack = (high - low) / 1000
    if least < low - slack or most > high + slack:
        raise WrongWorkError(
            f"it delivered values from {least:g} to {most:g}; expected {low:g} to {high:g}"
        )


def pair(delivered: object) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return a batch's images and labels as arrays, which copies nothing of a tensor's data."""
    if not isinstance(delivered, tuple | list) or len(delivered) != 2:  # noqa: PLR2004
        raise WrongWorkError(
            f"it delivered {_what(delivered)}; expected batches of (images, labels)"
        )
    images, labels = delivered
    return _array("images", images), _array("labels", labels)


def consume(delivered: object) -> int:
    """Read one element of a batch, which proves that it is there, and return its images.

    The one consumer of every pipeline. It copies nothing: `.numpy()` of a tensor would, and would
    be the slowest part of a cached pipeline. Raises WrongWorkError where labels are missing.
    """
    images, labels = pair(delivered)
    if not 0 < len(images) == len(labels):
        raise WrongWorkError(
            f"it delivered a batch of {len(images)} images and {len(labels)} labels;"
            " expected as many labels as images, and one at least"
        )
    images.item(0)
    return len(images)


class EpochLedger:
    """Counts images over many epochs and sees where one epoch runs into the next."""

    def __init__(self, images: int) -> None:
        self._epoch = images
        self._remaining = images

    def delivered(self, images: int) -> None:
        """Count a batch. Raises WrongWorkError where it takes images from two epochs."""
        self._remaining -= images
        if self._remaining == 0:
            self._remaining = self._epoch
        elif self._remaining < 0:
            raise WrongWorkError(
                f"its repeat() delivered a batch of images from two epochs of {self._epoch};"
                " expected the last short batch to stay (repeat() comes after batch())"
            )


def _binary(labels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the places of binary labels, `[B, 1]`."""
    if wrong := labels[(labels != 0) & (labels != 1)].tolist():
        raise WrongWorkError(
            f"it delivered a binary label of {wrong[0]:g}; expected 0 or 1, a class's place in"
            " class_names"
        )
    return labels[:, 0].astype(np.int32)


def _one_hot(labels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the places of categorical labels, `[B, classes]`."""
    places: np.ndarray[Any, Any] = labels.argmax(axis=1)
    tops = labels[np.arange(len(labels)), places]
    if not (tops == 1).all() or np.count_nonzero(labels) != len(labels):
        others = np.count_nonzero(labels, axis=1) != 1
        row = labels[np.flatnonzero((tops != 1) | others)[0]]
        raise WrongWorkError(
            f"it delivered a categorical label of {np.count_nonzero(row)} values that are not 0,"
            f" whose sum is {row.sum():g}; expected a 1 at the class's place, and 0 else"
        )
    return places


def _array(what: str, value: object) -> np.ndarray[Any, Any]:
    """Return one array over what was delivered. Raises WrongWorkError where it is ragged."""
    try:
        array = np.asarray(value)
    except ValueError:  # a list of arrays of several shapes
        array = np.empty(0, object)
    if array.dtype != object:
        return array
    if array.size and isinstance(array.flat[0], str | bytes):  # a tensor of strings holds objects
        raise WrongWorkError(f"it delivered {what} that are text; expected numbers")
    raise WrongWorkError(
        f"it delivered {what} of several sizes in one batch ({type(value).__name__}); expected one"
        f" array, all of one size"
    )


def _what(delivered: object) -> str:
    if isinstance(delivered, tuple | list):
        return f"a {type(delivered).__name__} of {len(delivered)}"
    return f"an object of type {type(delivered).__name__}"
