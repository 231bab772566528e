"""The feed of the pipeline `spdl`. Imports SPDL, and no TensorFlow."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import spdl.io
from spdl.pipeline import PipelineBuilder, PipelineFailure

from feedbench.pipelines.built_in.epoch_orders import EpochOrders
from feedbench.pipelines.built_in.form import Array, in_form, in_range

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from feedbench.pipelines.contract import Batch, Workload


class SpdlFeed:
    """Epochs of a workload, each in a new order."""

    def __init__(
        self, workload: Workload, *, threads: int | None, prefetch: int, resize: str
    ) -> None:
        """Take the number of threads, None: one a core; of batches ahead; and FFmpeg's filter."""
        self._workload = workload
        self._threads = threads or len(os.sched_getaffinity(0))
        self._prefetch = prefetch
        self._filter = spdl.io.get_video_filter_desc(
            scale_width=workload.width,
            scale_height=workload.height,
            scale_algo=resize,
            scale_mode=None,
            pix_fmt="rgb24",
        )
        self._labels = np.asarray(workload.labels, np.int32)
        self._orders = EpochOrders(workload)
        self._failure: RuntimeError | None = None

    def __iter__(self) -> Iterator[Batch]:
        yield from self._batches(self._orders.epoch())

    def repeat(self) -> Iterator[Batch]:
        """Yield epoch after epoch, each in a new order; the threads do not wait between them."""
        yield from self._batches(self._orders.endless())

    def _batches(self, chosen: Iterable[Array]) -> Iterator[Batch]:
        pipeline = (
            PipelineBuilder()
            .add_source(chosen)
            .pipe(self._load, concurrency=self._threads, output_order="input", max_failures=0)
            .add_sink(self._prefetch)
            .build(num_threads=self._threads)
        )
        try:
            with pipeline.auto_stop():
                yield from pipeline
        except PipelineFailure as failure:
            raise self._failure or failure from None

    def _load(self, places: Array) -> Batch:
        """Return the batch of these places in the list, by one thread."""
        work = self._workload
        frames = [self._decoded(work.files[place]) for place in places.tolist()]
        levels = spdl.io.to_numpy(spdl.io.convert_frames(frames))
        if work.dtype != "uint8":
            levels = in_range(levels.astype(np.float32), work)
        return in_form((levels, self._labels[places]), work)

    def _decoded(self, file: str) -> Any:
        """Return a file's picture in the workload's size, as a frame of FFmpeg."""
        try:
            return spdl.io.decode_packets(spdl.io.demux_image(file), filter_desc=self._filter)
        except Exception as error:
            # SPDL's own failure of a stage names neither the file nor the reason.
            self._failure = RuntimeError(f"SPDL cannot decode {file}: {error}")
            raise
