"""Images in the format of Dataset.save: several files, each read by one thread.

Imports TensorFlow, and starts its runtime; pipelines import this inside `prepare` and `open`.
"""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from feedbench.pipelines.built_in import steps
from feedbench.pipelines.built_in.autotune import untuned
from feedbench.pipelines.tfrecords.record_plan import gone

if TYPE_CHECKING:
    from pathlib import Path

    from feedbench.pipelines.built_in.tail_knobs import TailKnobs
    from feedbench.pipelines.contract import Until, Workload
    from feedbench.pipelines.tfrecords.example import Content

Size = tuple[int, int, int]
"""Of pixels: height, width, channels."""

_MOST_WAITING = 256_000_000  # bytes in memory that the disk has not taken yet
_STEP = 16_000_000  # bytes, after which what is on the disk is counted again
_LEAST_FREE = 1_000_000  # bytes: with fewer, what waits has no room
_PAUSE_SECONDS, _STALLED_SECONDS = 0.01, 120.0


def save(
    images: Iterable[Content],
    labels: Sequence[int],
    folder: Path,
    *,
    shards: int,
    size: Size | None,
) -> None:
    """Save each image with its label and its place; file `k` of `n` has every n-th, from k on.

    `size` is that of images which are pixels; None: they are encoded. Raises what `images` raises,
    OSError or ResourceExhaustedError if the disk is full, and TimeoutError if it takes nothing.
    """
    source = _Source(images, labels, folder, size)
    image = tf.TensorSpec([], tf.string) if size is None else tf.TensorSpec(size, tf.uint8)
    spec = (tf.TensorSpec([], tf.int64), image, tf.TensorSpec([], tf.int32))
    dataset = tf.data.Dataset.from_generator(source.elements, output_signature=spec)
    options = tf.data.Options()
    # Its generator waits for other datasets: in TensorFlow's only thread, it would wait for ever.
    options.threading.private_threadpool_size = 1
    dataset = untuned(dataset.with_options(options))
    dataset.save(os.fspath(folder), shard_func=lambda place, *_: place % shards)
    if source.error is not None:
        raise source.error


def opened(
    workload: Workload,
    knobs: TailKnobs,
    folder: Path,
    scratch: Path,
    until: Until | None = None,
) -> tf.data.Dataset:
    """Return a dataset of batches of the saved images, several files read at once.

    Raises PreparationError if the files are gone.
    """
    files = [*folder.rglob("*.snapshot")]
    if not files:
        raise gone(folder)
    at_once, calls = steps.files_at_once(len(files), knobs)

    def interleaved(saved: tf.data.Dataset) -> tf.data.Dataset:
        return saved.interleave(lambda file: file, cycle_length=at_once, num_parallel_calls=calls)

    def read(place: tf.Tensor, image: tf.Tensor, label: tf.Tensor) -> Any:  # noqa: ARG001
        return image, label

    listed = tf.data.Dataset.load(os.fspath(folder), reader_func=interleaved)
    image_bytes = sum(file.stat().st_size for file in files) // workload.images
    return steps.tail(listed, read, workload, knobs, scratch, image_bytes, until)


class _Source:
    """The elements that are saved. After an error they end, and it is in `error`.

    Dataset.save would wait for ever if its input raised the error (TensorFlow's issue 61736). It
    keeps in memory what the disk has not taken yet. So the source waits where that is too much.
    """

    def __init__(
        self, images: Iterable[Content], labels: Sequence[int], folder: Path, size: Size | None
    ) -> None:
        self._images, self._labels = images, labels
        self._folder, self._size = folder, size
        self.error: Exception | None = None

    def elements(self) -> Iterator[tuple[int, Any, int]]:
        """Yield each image's place, the image and its label."""
        given = counted = 0
        try:
            for place, (image, label) in enumerate(zip(self._images, self._labels, strict=True)):
                yield place, self._element(image), label
                given += len(image)
                if given - counted > _STEP:
                    self._wait(given)
                    counted = given
        except Exception as error:  # noqa: BLE001 - `save` raises it
            self.error = error

    def _element(self, image: Content) -> Any:
        return image if self._size is None else np.frombuffer(image, np.uint8).reshape(self._size)

    def _wait(self, given: int) -> None:
        """Wait until the disk has taken enough of the bytes that were given."""
        on_disk, since = 0, time.monotonic()
        while given - (now := _written(self._folder)) > _MOST_WAITING:
            if now > on_disk:
                on_disk, since = now, time.monotonic()
            if shutil.disk_usage(self._folder).free < _LEAST_FREE:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._folder))
            if time.monotonic() - since > _STALLED_SECONDS:
                raise TimeoutError(
                    f"{self._folder}: no byte was written for {_STALLED_SECONDS:g} s"
                )
            time.sleep(_PAUSE_SECONDS)


def _written(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*.snapshot"))
