"""The feed of the pipeline `threads`. Imports OpenCV and simplejpeg, and no TensorFlow."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import cv2
import numpy as np

from feedbench.pipelines.built_in.epoch_orders import EpochOrders
from feedbench.pipelines.built_in.form import dtype_of, labels_in_mode
from feedbench.pipelines.built_in.threaded.buffers import Array, Buffers
from feedbench.pipelines.built_in.threaded.decoder import Decoder
from feedbench.pipelines.built_in.threaded.drawn import Drawn, Draws
from feedbench.pipelines.built_in.threaded.image_form import ImageForm
from feedbench.pipelines.remote.address import is_address
from feedbench.pipelines.remote.file_systems import file_system
from feedbench.pipelines.remote.reading import AT_ONCE

if TYPE_CHECKING:
    from feedbench.pipelines.contract import Batch, Workload

_HELD = 3  # batches besides those ahead: the consumer's, the one before it, and the one in work
_TASKS = 4  # at least, into which a batch is divided for each thread

Begun = tuple[Array, Array, list[Future[None]]]
"""A batch's images and labels, and the tasks that fill it."""


class ThreadFeed:
    """Epochs of a workload. Threads read, decode and resize the images into the batches.

    They augment them as well, if the workload asks for it.
    """

    def __init__(
        self, workload: Workload, *, workers: int | None, prefetch: int, is_scaled: bool
    ) -> None:
        """Take the number of threads, and of batches that are begun ahead.

        None: one thread a core; more of them for images in a store, since they mostly wait.
        """
        cv2.setNumThreads(1)  # these threads use all cores
        self._workload = workload
        usual = len(os.sched_getaffinity(0))
        if is_address(workload.files[0]):
            usual = AT_ONCE
            file_system(workload.files[0])  # its import is no part of the first batch
        self._workers = workers or usual
        self._prefetch = prefetch
        self._decoder = Decoder(workload if is_scaled else None)
        self._image = ImageForm(workload)
        shape = (workload.batch_size, *workload.shape)
        self._buffers = Buffers(shape, dtype_of(workload.dtype), prefetch + _HELD)
        self._labels = np.asarray(workload.labels, np.int32)
        self._orders = EpochOrders(workload)
        asked = workload.augmentation
        self._draws = None if asked is None else Draws(asked, workload.seed)

    def __iter__(self) -> Iterator[Batch]:
        yield from self._batches(self._orders.epoch())

    def repeat(self) -> Iterator[Batch]:
        """Yield epoch after epoch, each in a new order; the threads do not wait between them."""
        yield from self._batches(self._orders.endless())

    def _batches(self, chosen: Iterable[Array]) -> Iterator[Batch]:
        pool = ThreadPoolExecutor(self._workers)
        ahead: deque[Begun] = deque()
        try:
            for places in chosen:
                ahead.append(self._begun(pool, places))
                if len(ahead) > self._prefetch:
                    yield _filled(ahead)
            while ahead:
                yield _filled(ahead)
        finally:
            pool.shutdown(cancel_futures=True)

    def _begun(self, pool: ThreadPoolExecutor, places: Array) -> Begun:
        images = self._buffers.take()[: len(places)]
        step = max(len(places) // (_TASKS * self._workers), 1)
        drawn = self._drawn(len(places))
        parts = [slice(first, first + step) for first in range(0, len(places), step)]
        tasks = [pool.submit(self._fill, images[of], places[of], drawn[of]) for of in parts]
        return images, labels_in_mode(self._labels[places], self._workload), tasks

    def _drawn(self, images: int) -> list[Drawn | None]:
        return [None] * images if self._draws is None else [*self._draws.of(images)]

    def _fill(self, images: Array, places: Array, drawn: Sequence[Drawn | None]) -> None:
        files = self._workload.files
        for delivered, place, change in zip(images, places.tolist(), drawn, strict=True):
            self._image.put(self._decoder.pixels(files[place]), delivered, change)


def _filled(ahead: deque[Begun]) -> Batch:
    """Return the first batch when it is complete, and keep no reference to it."""
    images, labels, tasks = ahead.popleft()
    for task in tasks:
        task.result()
    return images, labels
