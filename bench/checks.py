"""What can be checked of an epoch without its pixels: shapes, dtypes, labels, counts. Pure."""

from __future__ import annotations

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

    def batch(self, delivered: object) -> int:
        """Check one batch and return its images. Raises WrongWorkError."""
        images, labels = pair(delivered)
        work = self._workload
        shape = (work.height, work.width, work.channels)
        found = f"{images.dtype} {list(images.shape)}"
        if images.ndim != len(shape) + 1 or images.shape[1:] != shape or images.dtype != work.dtype:
            expected = f"{work.dtype} [B, {', '.join(map(str, shape))}]"
            raise WrongWorkError(f"it delivered images of {found}; expected {expected}")
        count = len(images)
        if not 1 <= count <= work.batch_size:
            raise WrongWorkError(
                f"it delivered a batch of {count} images; expected 1 to {work.batch_size}"
            )
        if labels.shape != (count,) or labels.dtype != np.int32:
            raise WrongWorkError(
                f"it delivered labels of {labels.dtype} {list(labels.shape)};"
                f" expected int32 [{count}], as many as there are images"
            )
        self.images += count
        if self.images > work.images:
            raise WrongWorkError(
                f"it delivered {self.images} images or more in an epoch; expected {work.images},"
                " every image once, and then an end (a dataset must not repeat() itself)"
            )
        self._labels.append(labels.copy())  # a loader may fill the same array again
        return count

    def end(self) -> None:
        """Check that the epoch is whole. Raises WrongWorkError."""
        if self.images < self._workload.images:
            raise WrongWorkError(
                f"it delivered {self.images} images in an epoch; expected {self._workload.images},"
                " every image once (is the last short batch dropped?)"
            )

    def labels(self) -> None:
        """Check the labels of a whole epoch, which takes a while. Raises WrongWorkError."""
        work = self._workload
        labels = np.concatenate(self._labels)
        classes = len(work.class_names)
        if labels.min() < 0 or labels.max() >= classes:
            raise WrongWorkError(
                f"it delivered labels from {labels.min()} to {labels.max()};"
                f" expected 0 to {classes - 1}, a class's place in class_names"
            )
        expected = np.bincount(np.asarray(work.labels), minlength=classes)
        found = np.bincount(labels, minlength=classes)
        if wrong := np.flatnonzero(expected != found).tolist():
            name = work.class_names[wrong[0]]
            raise WrongWorkError(
                f"it delivered {found[wrong[0]]} images of the class {name!r} in an epoch;"
                f" expected {expected[wrong[0]]}"
            )


def check_range(images: np.ndarray[Any, Any], workload: Workload) -> None:
    """Check that the values lie in the workload's range. Raises WrongWorkError."""
    least, most = float(images.min()), float(images.max())
    low, high = workload.value_range
    # NaN fails every comparison, so it is asked for what is right; 1e-3 is a quarter of a grey
    # level in [0, 1], and forgives rounding.
    if not (low - 1e-3 <= least and most <= high + 1e-3):
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
    return np.asarray(images), np.asarray(labels)


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
        self._left = images

    def delivered(self, images: int) -> None:
        """Count a batch. Raises WrongWorkError where it takes images from two epochs."""
        self._left -= images
        if self._left == 0:
            self._left = self._epoch
        elif self._left < 0:
            raise WrongWorkError(
                f"its repeat() delivered a batch of images from two epochs of {self._epoch};"
                " expected the last short batch to stay (repeat() comes after batch())"
            )


def _what(delivered: object) -> str:
    if isinstance(delivered, tuple | list):
        return f"a {type(delivered).__name__} of {len(delivered)}"
    return f"an object of type {type(delivered).__name__}"
