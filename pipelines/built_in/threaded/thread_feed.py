"""The feed of the pipeline `threads`. Imports OpenCV and simplejpeg, and no TensorFlow."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, count
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from feedbench.pipelines.built_in.form import dtype_of, in_range, labels_in_mode
from feedbench.pipelines.built_in.threaded.buffers import Array, Buffers
from feedbench.pipelines.built_in.threaded.decoder import Decoder
from feedbench.pipelines.contract import LUMA
from feedbench.pipelines.images.placement import placement

if TYPE_CHECKING:
    from feedbench.pipelines.contract import Batch, Workload

_HELD = 3  # batches besides those ahead: the consumer's, the one before it, and the one in work
_TASKS = 4  # at least, into which a batch is divided for each thread

Begun = tuple[Array, Array, list[Future[None]]]
"""A batch's images and labels, and the tasks that fill it."""


class ThreadFeed:
    """Epochs of a workload. Threads read, decode and resize the images into the batches."""

    def __init__(
        self, workload: Workload, *, workers: int | None, prefetch: int, is_scaled: bool
    ) -> None:
        """Take the number of threads, None: one a core; and of batches that are begun ahead."""
        cv2.setNumThreads(1)  # these threads use all cores
        self._workload = workload
        self._workers = workers or len(os.sched_getaffinity(0))
        self._prefetch = prefetch
        self._decoder = Decoder(workload if is_scaled else None)
        self._image = _ImageForm(workload)
        shape = (workload.batch_size, *workload.shape)
        self._buffers = Buffers(shape, dtype_of(workload.dtype), prefetch + _HELD)
        self._labels = np.asarray(workload.labels, np.int32)
        self._epochs = count()

    def __iter__(self) -> Iterator[Batch]:
        yield from self._batches(self._epoch())

    def repeat(self) -> Iterator[Batch]:
        """Yield epoch after epoch, each in a new order; the threads do not wait between them."""
        yield from self._batches(chain.from_iterable(self._epoch() for _ in count()))

    def _epoch(self) -> Iterator[Array]:
        """Yield for each batch of an epoch the places of its images in the list."""
        rng = np.random.default_rng([self._workload.seed, next(self._epochs)])
        order = rng.permutation(self._workload.images)
        size = self._workload.batch_size
        for first in range(0, len(order), size):
            yield order[first : first + size]

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
        tasks = [
            pool.submit(self._fill, images[first : first + step], places[first : first + step])
            for first in range(0, len(places), step)
        ]
        return images, labels_in_mode(self._labels[places], self._workload), tasks

    def _fill(self, images: Array, places: Array) -> None:
        files = self._workload.files
        for delivered, place in zip(images, places.tolist(), strict=True):
            self._image.put(self._decoder.pixels(files[place]), delivered)


def _filled(ahead: deque[Begun]) -> Batch:
    """Return the first batch when it is complete, and keep no reference to it."""
    images, labels, tasks = ahead.popleft()
    for task in tasks:
        task.result()
    return images, labels


class _ImageForm:
    """Brings a decoded picture into the workload's size, range, dtype and layout."""

    def __init__(self, workload: Workload) -> None:
        self._workload = workload
        self._size = (workload.height, workload.width)
        is_plain = workload.channels == 3 and workload.data_format == "channels_last"  # noqa: PLR2004
        self._is_bytes = is_plain and workload.dtype == "uint8"
        self._memory = threading.local()
        self._is_float = is_plain and workload.dtype == "float32"
        low, high = workload.value_range
        self._scale, self._low = np.float32((high - low) / 255), np.float32(low)
        self._table: Any = None
        if self._is_float and workload.normalization != "none":
            levels = np.arange(256, dtype=np.float32)
            values = in_range(np.stack([levels] * 3, axis=-1), workload)
            self._table = np.ascontiguousarray(values.reshape(1, 256, 3))
            self._is_bgr = workload.values.is_bgr

    def put(self, pixels: Array, delivered: Array) -> None:
        """Fit a picture `[height, width, 3]` uint8, and write it to its place in the batch."""
        if self._is_bytes:
            self._fit(pixels, delivered)
            return
        levels = self._fit(pixels, self._levels())
        if not self._is_float:
            delivered[...] = self._values(levels)
        elif self._table is None:
            np.multiply(levels, self._scale, out=delivered, dtype=np.float32)
            if self._low:
                delivered += self._low
        else:  # NumPy is slow with three numbers in turn: this is a table of the 256 levels
            cv2.LUT(levels[..., ::-1].copy() if self._is_bgr else levels, self._table, delivered)

    def _levels(self) -> Array:
        """Return memory of this thread for an image, which it uses again."""
        levels: Array | None = getattr(self._memory, "levels", None)
        if levels is None:
            levels = self._memory.levels = np.empty((*self._size, 3), np.uint8)
        return levels

    def _fit(self, pixels: Array, levels: Array) -> Array:
        """Resize a picture by OpenCV's bilinear rule, which is TensorFlow's, into `levels`."""
        height, width = self._size
        place = placement(self._workload.fit, pixels.shape[:2], self._size)
        left, top, right, bottom = place.box
        part, size = pixels[top:bottom, left:right], (place.width, place.height)
        if (place.height, place.width, place.top, place.left) == (height, width, 0, 0):
            cv2.resize(part, size, dst=levels, interpolation=cv2.INTER_LINEAR)
            return levels
        resized = cv2.resize(part, size, interpolation=cv2.INTER_LINEAR)
        rows, of_rows = _overlap(place.top, place.height, height)
        columns, of_columns = _overlap(place.left, place.width, width)
        levels[...] = 0
        levels[rows, columns] = resized[of_rows, of_columns]
        return levels

    def _values(self, levels: Array) -> Array:
        """Return levels `[height, width, 3]` as the workload's values, in its layout."""
        work = self._workload
        if work.channels == 1:
            levels = (levels @ np.asarray(LUMA, np.float32))[..., np.newaxis]
        values = np.rint(levels) if work.dtype == "uint8" else in_range(levels, work)
        return np.moveaxis(values, -1, 0) if work.data_format == "channels_first" else values


def _overlap(at: int, length: int, side: int) -> tuple[slice, slice]:
    """Return where a part that begins `at` is on a side, and which of it is there."""
    return slice(max(at, 0), at + length), slice(max(-at, 0), side - at)
