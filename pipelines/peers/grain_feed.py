"""The feed of the pipeline `grain`. Imports Grain, OpenCV and simplejpeg, and no TensorFlow."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import cv2
import grain
import numpy as np

from feedbench.pipelines.built_in.form import dtype_of, labels_in_mode
from feedbench.pipelines.built_in.threaded.decoder import Decoder
from feedbench.pipelines.built_in.threaded.image_form import Array, ImageForm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from feedbench.pipelines.contract import Batch, Workload


class GrainFeed:
    """Epochs of a workload, each in a new order of Grain's own."""

    def __init__(
        self, workload: Workload, *, workers: int, threads: int, prefetch: int, is_scaled: bool
    ) -> None:
        """Take the number of worker processes, and in each its threads and batches ahead."""
        self._options = grain.ReadOptions(
            num_threads=min(threads, prefetch), prefetch_buffer_size=prefetch
        )
        self._workers = workers
        self._epochs = count()
        # Batches are made before `repeat`: each epoch keeps its own last short batch.
        self._batches = (
            grain.MapDataset.range(workload.images)
            .seed(workload.seed)
            .shuffle()
            .map(_Loading(workload, is_scaled=is_scaled))
            .batch(workload.batch_size)
            .map(_Labelling(workload))
        )

    def __iter__(self) -> Iterator[Batch]:
        first = self._first()
        yield from self._read(self._batches.repeat()[first : first + len(self._batches)])

    def repeat(self) -> Iterator[Batch]:
        """Yield epoch after epoch, each in a new order; Grain does not wait between them."""
        yield from self._read(self._batches.repeat()[self._first() :])

    def _first(self) -> int:
        """Return the first batch of the next epoch that no iterator has begun with."""
        return next(self._epochs) * len(self._batches)

    def _read(self, batches: Any) -> Iterator[Batch]:
        dataset = batches.to_iter_dataset(self._options)
        if self._workers:
            dataset = dataset.mp_prefetch(grain.MultiprocessingOptions(num_workers=self._workers))
        iterator = iter(dataset)
        try:
            yield from iterator
        finally:
            iterator.close()  # Grain asks for it: it ends threads and processes at once


class _Loading:
    """Makes the image and the label of a place in the list. Worker processes receive a copy."""

    def __init__(self, workload: Workload, *, is_scaled: bool) -> None:
        self._workload = workload
        self._is_scaled = is_scaled
        self._tools: tuple[Decoder, ImageForm] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_tools": None}  # memory of threads stays in its process

    def __call__(self, place: int) -> tuple[Array, np.int32]:
        if self._tools is None:
            cv2.setNumThreads(1)  # Grain's threads use all cores
            scaled_for = self._workload if self._is_scaled else None
            self._tools = Decoder(scaled_for), ImageForm(self._workload)
        decoder, form = self._tools
        image = np.empty(self._workload.shape, dtype_of(self._workload.dtype))
        form.put(decoder.pixels(self._workload.files[place]), image)
        return image, np.int32(self._workload.labels[place])


class _Labelling:
    """Brings the labels of a batch into the workload's mode."""

    def __init__(self, workload: Workload) -> None:
        self._workload = workload

    def __call__(self, batch: Batch) -> Batch:
        images, labels = batch
        return images, labels_in_mode(labels, self._workload)
