"""Feeds that augment as ImageDataGenerator does, by SciPy, and feeds with one fault each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from feedbench.bench.equal_work import references
from feedbench.bench.equal_work.references import Levels
from feedbench.pipelines.augmentation.ranges import Augmentation
from feedbench.pipelines.contract import Batch, Workload

Labels = npt.NDArray[np.int32]


def augmented(image: Levels, asked: Augmentation, rng: np.random.Generator) -> Levels:
    """Return an image in grey levels, transformed in Keras' order: rotate, shift, zoom, flip."""
    height, width, channels = image.shape
    angle = np.deg2rad(rng.uniform(-asked.rotate, asked.rotate))
    shift = np.asarray(
        [
            rng.uniform(-asked.height_shift, asked.height_shift) * height,
            rng.uniform(-asked.width_shift, asked.width_shift) * width,
        ]
    )
    zoom = np.diag(rng.uniform(1 - asked.zoom, 1 + asked.zoom, 2))
    rotation = np.asarray([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = np.asarray([(height - 1) / 2, (width - 1) / 2])
    matrix = rotation @ zoom
    offset = rotation @ shift + centre - matrix @ centre
    made = np.stack(
        [
            ndimage.affine_transform(image[..., channel], matrix, offset, order=1, mode="nearest")
            for channel in range(channels)
        ],
        -1,
    )
    if asked.flip and rng.random() < 0.5:
        made = made[:, ::-1]
    if asked.vertical_flip and rng.random() < 0.5:
        made = made[::-1]
    factor = rng.uniform(1 - asked.brightness, 1 + asked.brightness)
    return (made * np.float32(factor)).clip(0, 255).astype(np.float32)


class AugmentingFeed:
    """Delivers each file's image augmented anew in every epoch, shuffled."""

    def __init__(
        self,
        workload: Workload,
        does: Augmentation,
        *,
        change: Callable[[Levels, Labels, int], tuple[Levels, Labels]] = lambda x, y, _: (x, y),
        order: Callable[[list[int], int], list[int]] = lambda order, _: order,
        is_frozen: bool = False,
        seed: int = 0,
    ) -> None:
        """Take what it does, whatever the workload asks for.

        `change` changes an epoch's images in grey levels and their labels before they are
        augmented. If it `is_frozen`, what it makes in its first epoch is kept in a cache.
        """
        self._workload = workload
        self._does = does
        self._levels = np.stack(
            [references.sampled(references.decoded(file), workload) for file in workload.files]
        )
        self._labels = np.asarray(workload.labels, np.int32)
        self._change = change
        self._order = order
        self._is_frozen = is_frozen
        self._cache: Any = None
        self._rng = np.random.default_rng(seed)
        self._epoch = 0

    def __iter__(self) -> Iterator[Batch]:
        self._epoch += 1
        images, labels = self._made()
        places = list(range(len(labels)))
        self._rng.shuffle(places)
        places = self._order(places, self._epoch)
        size = self._workload.batch_size
        for start in range(0, len(places), size):
            part = places[start : start + size]
            yield images[part] / np.float32(255), labels[part]

    def _made(self) -> tuple[Levels, Labels]:
        if self._is_frozen and self._cache is not None:
            images, labels = self._cache
            return images, labels
        images, labels = self._change(self._levels, self._labels, self._epoch)
        made = np.stack([augmented(image, self._does, self._rng) for image in images])
        self._cache = made, labels
        return made, labels
