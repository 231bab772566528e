"""The process that collects images as a pipeline delivers them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from feedbench.bench.equal_work.references import MOST, in_levels
from feedbench.bench.measured.batches.batch_checks import EpochCheck, check_labels, check_range
from feedbench.bench.measured.batches.batch_forms import pair
from feedbench.bench.measured.iterators import endless, lasting
from feedbench.bench.pictures.delivered import Delivered
from feedbench.pipelines.contract import Feed, Workload
from feedbench.pipelines.errors import WrongWorkError

IMAGES = 25
EPOCHS = 20
_PATIENCE = 2  # times the images of these epochs, in which the image must arrive as often

_Batch = tuple[npt.NDArray[np.uint8], npt.NDArray[Any]]


def first_images(feed: Feed, workload: Workload) -> Delivered:
    """Return the first images of an epoch.

    Raises WrongWorkError if they have another shape or dtype, or labels that are no classes.
    """
    collected = _Collected(workload)
    for pixels, labels in collected.batches(lasting(feed)):
        collected.add(pixels, labels)
        if collected.images >= IMAGES:
            break
    return collected.delivered(IMAGES)


def same_image(feed: Feed, workload: Workload, file: str) -> Delivered:
    """Return one image as each of some epochs delivers it; it is the only one of its class.

    Raises WrongWorkError as `first_images` does, and if images of the class are rarer than epochs.
    """
    place = workload.labels[workload.files.index(file)]
    collected = _Collected(workload)
    patience = _PATIENCE * EPOCHS * workload.images
    for pixels, labels in collected.batches(endless(feed)):
        patience -= len(labels)
        collected.add(pixels[labels == place], labels[labels == place])
        if collected.images >= EPOCHS:
            return collected.delivered(EPOCHS)
        if patience < 0:
            break
    name = workload.class_names[place]
    raise WrongWorkError(
        f"it delivered {collected.images} images of the class {name!r} in {_PATIENCE * EPOCHS}"
        f" epochs; expected one in each"
    )


class _Collected:
    """The images so far."""

    def __init__(self, workload: Workload) -> None:
        self._workload = workload
        self._pixels: list[npt.NDArray[np.uint8]] = []
        self._labels: list[npt.NDArray[Any]] = []
        self._notes: list[str] = []

    @property
    def images(self) -> int:
        """How many images there are."""
        return sum(map(len, self._labels))

    def batches(self, batches: Iterator[Any]) -> Iterator[_Batch]:
        """Yield the pixels and the classes of each batch."""
        for delivered in batches:
            check = EpochCheck(self._workload)
            check.batch(delivered)
            check_labels(check.latest_labels, self._workload)
            images = pair(delivered)[0]
            self._check_values(images)
            levels = np.nan_to_num(in_levels(images, self._workload), nan=0.0)
            yield np.rint(levels.clip(0, MOST)).astype(np.uint8), check.latest_labels

    def add(self, pixels: npt.NDArray[np.uint8], labels: npt.NDArray[Any]) -> None:
        """Add images."""
        self._pixels.append(pixels)
        self._labels.append(labels)

    def delivered(self, most: int) -> Delivered:
        """Return the first images of those that were added. Raises WrongWorkError without any."""
        if not self.images:
            raise WrongWorkError("it delivered no batch; expected batches of (images, labels)")
        pixels, labels = np.concatenate(self._pixels)[:most], np.concatenate(self._labels)[:most]
        return Delivered(pixels, labels, tuple(self._notes))

    def _check_values(self, images: npt.NDArray[Any]) -> None:
        """Note values out of the range: a picture shows them as black or white."""
        if self._notes:
            return
        try:
            check_range(images, self._workload)
        except WrongWorkError as error:
            self._notes.append("; ".join(filter(None, [error.sentence, error.hint])))
