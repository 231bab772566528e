"""Feeds a model with a pipeline's batches, and times its steps and its waiting."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any, Protocol

from feedbench.bench.measured.iterators import following, lasting
from feedbench.bench.records.demand.feeding import Steps
from feedbench.bench.records.windows import Windows
from feedbench.pipelines.errors import WrongWorkError

_WAITED_SHARE = 0.5  # of a batch's time: a batch that was ready comes in a small part of it


class Model(Protocol):
    """Takes one batch after the other."""

    def step(self, delivered: object, arrived: float) -> int:
        """Take a batch that arrived at this second, until the step's end; return its images."""
        ...


def feed(
    batches: Iterator[Any],
    model: Model,
    windows: Windows,
    on_edge: Callable[[float], object] = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
    *,
    most_windows: float = math.inf,
) -> list[Steps]:
    """Feed a model until its windows are done, or `most_windows`; return the steps of each.

    The time begins when the first batch arrives. From then on each second is one of the model's
    step, or one in which it waits for a batch: its next batch is asked for when a step has ended.
    """
    steps: list[Steps] = []
    delivered = following(batches)
    arrived = edge = clock()
    windows.arrived(arrived, 0)
    on_edge(arrived)
    count = images = 0
    waiting = 0.0
    while not windows.done and len(steps) < most_windows:
        taken = model.step(delivered, arrived)
        asked = clock()
        delivered = following(batches)
        arrived = clock()
        count, images, waiting = count + 1, images + taken, waiting + (arrived - asked)
        # The images of the step that has ended: the window timed it, and not the one to come.
        if windows.arrived(arrived, taken):
            steps.append(
                Steps(steps=count, images=images, seconds=arrived - edge, waiting_seconds=waiting)
            )
            edge, count, images, waiting = arrived, 0, 0, 0.0
            on_edge(arrived)
    return steps


def drain(
    batches: Iterator[Any],
    batch_seconds: float,
    clock: Callable[[], float] = time.monotonic,
    *,
    most_seconds: float = 1.0,
) -> None:
    """Take batches as fast as they come, until one takes about as long as it usually does.

    Then nothing is ready in a buffer: what is ready would hide how long a model waits.
    """
    begun = before = clock()
    while before - begun < most_seconds:
        following(batches)
        now = clock()
        if now - before >= _WAITED_SHARE * batch_seconds:
            return
        before = now


def epochs_of(feed: Any) -> Iterator[Any]:
    """Return an iterator over epoch after epoch, as a trial's windows have it."""
    if hasattr(feed, "repeat"):
        return lasting(feed.repeat())
    return lasting(_restarted(feed))


def _restarted(feed: Any) -> Iterator[Any]:
    while True:
        epoch = iter(feed)
        try:
            first = next(epoch)
        except StopIteration:
            raise WrongWorkError(
                "it delivered no images in a later epoch; expected those of the first"
            ) from None
        yield from chain([first], epoch)
