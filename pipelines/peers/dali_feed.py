"""The feed of the pipelines `dali_cpu` and `dali_gpu`. Imports DALI, and no TensorFlow."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
from nvidia.dali import fn, pipeline_def, types

from feedbench.pipelines.built_in.epoch_orders import EpochOrders
from feedbench.pipelines.built_in.form import dtype_of, labels_in_mode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from feedbench.pipelines.contract import Batch, Workload

_DTYPES = {"float32": types.FLOAT, "float16": types.FLOAT16, "uint8": types.UINT8}
"""DALI's names. It has no bfloat16, which NumPy makes of float32."""


class DaliFeed:
    """Epochs of a workload, each in a new order."""

    def __init__(
        self, workload: Workload, *, device: str, threads: int | None, prefetch: int
    ) -> None:
        """Take "cpu" or "gpu", the number of threads, None: one a core, and of batches ahead."""
        self._workload = workload
        self._device = device
        self._threads = threads or len(os.sched_getaffinity(0))
        self._prefetch = prefetch
        self._orders = EpochOrders(workload)

    def __iter__(self) -> Iterator[Batch]:
        yield from self._epoch(self._pipeline())

    def repeat(self) -> Iterator[Batch]:
        """Yield epoch after epoch, each in a new order; DALI does not wait between them."""
        pipeline = self._pipeline()
        while True:
            yield from self._epoch(pipeline)

    def _epoch(self, pipeline: Any) -> Iterator[Batch]:
        """Yield one epoch; the last batch without the copies that fill it up."""
        work = self._workload
        for first in range(0, work.images, work.batch_size):
            images, labels = (_on_host(part) for part in pipeline.run())
            size = min(work.images - first, work.batch_size)
            if work.dtype == "bfloat16":
                images = images.astype(dtype_of("bfloat16"))
            yield images[:size], labels_in_mode(labels.ravel()[:size], work)

    def _pipeline(self) -> Any:
        work = self._workload
        # DALI shuffles after each epoch, always from the same seed: this is the first one's order.
        order = self._orders.next()
        pipeline = pipeline_def(_batch)(
            work,
            [int(place) for place in order],
            self._device,
            batch_size=work.batch_size,
            num_threads=self._threads,
            device_id=0 if self._device == "gpu" else None,
            prefetch_queue_depth=self._prefetch,
            seed=work.seed,
        )
        pipeline.build()
        return pipeline


def _batch(work: Workload, order: list[int], device: str) -> tuple[Any, Any]:
    """Return the nodes of DALI's graph: images in the workload's form, and labels int32."""
    encoded, labels = fn.readers.file(
        files=[work.files[place] for place in order],
        labels=[work.labels[place] for place in order],
        shuffle_after_epoch=True,
        pad_last_batch=True,
    )
    images = fn.decoders.image(
        encoded,
        device="mixed" if device == "gpu" else "cpu",
        output_type=_colours(work),
    )
    images = fn.resize(
        images,
        resize_x=work.width,
        resize_y=work.height,
        interp_type=types.INTERP_LINEAR,
        antialias=False,
    )
    images = _in_form(images, work)
    return (images.cpu() if device == "gpu" else images), labels


def _colours(work: Workload) -> Any:
    if work.channels == 1:
        return types.GRAY
    return types.BGR if work.values.is_bgr else types.RGB


def _in_form(images: Any, work: Workload) -> Any:
    """Bring levels of 0 to 255 into the workload's range, dtype and layout."""
    is_last = work.data_format == "channels_last"
    if work.dtype == "uint8" and is_last:
        return images
    if work.normalization != "none":
        mean, std = list(work.values.mean), list(work.values.std)
    else:
        low, high = work.value_range
        scale = 255 / (high - low)
        mean, std = [-low * scale], [scale]
    return fn.crop_mirror_normalize(
        images,
        dtype=_DTYPES.get(work.dtype, types.FLOAT),
        mean=mean,
        std=std,
        output_layout="HWC" if is_last else "CHW",
    )


def _on_host(part: Any) -> np.ndarray[Any, Any]:
    """Return a batch of DALI as an array of NumPy, which keeps DALI's memory alive."""
    array: np.ndarray[Any, Any] = np.from_dlpack(part.as_tensor())
    return array
