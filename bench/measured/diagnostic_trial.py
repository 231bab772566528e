"""Trials of the diagnosis. Their rates never count as a pipeline's rate."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from feedbench.bench.measured.batches.batch_checks import consume
from feedbench.bench.measured.consumer import Consumer
from feedbench.bench.measured.iterators import endless
from feedbench.bench.measured.sampling.sampler import be_sampled, sample
from feedbench.bench.measured.trial import Trial
from feedbench.bench.records.measurement import Measurement, Profile
from feedbench.bench.records.messages import Request
from feedbench.bench.records.windows import Windows
from feedbench.pipelines.built_in.truncated import truncate
from feedbench.pipelines.contract import Pipeline, Until

_WINDOWS = 2  # that count, after one in which the rate becomes steady


class Diagnostic(Trial):
    """A trial after the blocks that explains a pipeline's speed."""

    def short(self, request: Request) -> Measurement:
        """Time two windows. Checks nothing, since the pipeline may be cut short."""
        opened = self.open(request)
        batches = endless(opened.feed)
        windows, edges = Windows(pace=request.pace), list[float]()

        def at_edge(at: float) -> None:
            edges.append(at)
            if len(edges) > 1:
                self._edge(at)

        images, arrivals = self.workload.images, self._arrivals
        consumer = Consumer(consume, images, windows, arrivals, at_edge, self.clock)
        while len(windows.windows) <= _WINDOWS:
            consumer.take(next(batches))
        return Measurement(
            prepare_seconds=opened.prepare_seconds,
            open_seconds=opened.seconds,
            first_batch_seconds=0.0,
            first_batch_at=edges[0],
            first_epoch_seconds=0.0,
            first_epoch_images=0,
            windows=windows.windows[1:],
        )

    def trace(self, request: Request) -> Profile:
        """Trace some batches with TensorFlow's profiler or a sampler, after caches are full."""
        if request.sampler:
            be_sampled()
        feed = self.open(request).feed
        images = 0
        for delivered in feed:
            images += consume(delivered)
            if images > self.workload.images:
                break
        if request.sampler:
            return sample(endless(feed), Path(request.trace), request.sampler)
        from feedbench.bench.measured.profiler import profile

        return profile(endless(feed), Path(request.trace))


def cut_off(pipeline: Pipeline, until: Until | Literal["", "all"]) -> Pipeline:
    """Return the pipeline without the steps after `until`; unchanged for "" and "all".

    Raises RequestError if it is a user's own pipeline.
    """
    match until:
        case "" | "all":
            return pipeline
        case _:
            return truncate(pipeline, until)
