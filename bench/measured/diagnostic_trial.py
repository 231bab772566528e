"""Trials that tell why a pipeline is as fast as it is. Their rates are no pipeline's."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from feedbench.bench.measured.batch_checks import consume
from feedbench.bench.measured.consumer import Consumer
from feedbench.bench.measured.iterators import endless
from feedbench.bench.measured.trial import Trial
from feedbench.bench.records.measurement import Measurement, Profile
from feedbench.bench.records.messages import Request
from feedbench.bench.records.windows import Windows
from feedbench.pipelines.built_in.truncated import truncate
from feedbench.pipelines.contract import Pipeline, Until

_WINDOWS = 2  # that count, after one in which the rate becomes steady


class Diagnostic(Trial):
    """A trial of its own, after the blocks."""

    def short(self, request: Request) -> Measurement:
        """Time two windows. What is delivered is not checked: it may be cut off."""
        opened = self.open(request)
        batches = endless(opened.feed)
        windows, edges = Windows(pace=request.pace), list[float]()

        def at_edge(at: float) -> None:
            edges.append(at)
            if len(edges) > 1:
                self._edge(at)

        images, arrivals = self.workload.images, self._arrivals
        consumer = Consumer(images, windows, arrivals, at_edge, self.clock)
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
        """Have TensorFlow's profiler trace some batches, once caches are full."""
        from feedbench.bench.measured.profiler import profile

        feed = self.open(request).feed
        images = 0
        for delivered in feed:
            images += consume(delivered)
            if images > self.workload.images:
                break
        return profile(endless(feed), Path(request.trace))


def cut_off(pipeline: Pipeline, until: Until | Literal["", "all"]) -> Pipeline:
    """Return the pipeline without what follows a step; itself where nothing is to be cut off.

    Raises RequestError where it is a person's own.
    """
    match until:
        case "" | "all":
            return pipeline
        case _:
            return truncate(pipeline, until)
