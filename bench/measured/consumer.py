"""The consumer that all pipelines share, and what it costs per batch."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable
from statistics import median
from typing import Protocol

from feedbench.bench.measured.batches.batch_checks import EpochLedger
from feedbench.bench.measured.batches.timed_batches import TimedBatches
from feedbench.bench.records.windows import Windows
from feedbench.pipelines.contract import Workload

Receive = Callable[[object], int]
"""Checks a batch, and returns its number of images."""

_MOST_CALLS, _MOST_SECONDS = 300, 0.02


class Timed(Protocol):
    """Divides arrivals into windows."""

    def arrived(self, at: float, images: int) -> bool:
        """Count a batch of `images` that arrived at second `at`; return whether it is an edge."""
        ...


class Consumer:
    """Takes batches as they arrive: records the time, checks each one, counts its images.

    All pipelines have the same one.
    """

    def __init__(
        self,
        receive: Receive,
        images: int,
        windows: Timed,
        arrivals: array[float],
        on_edge: Callable[[float], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._receive = receive
        self._ledger = EpochLedger(images)
        self._windows: Timed = windows
        self._arrivals = arrivals
        self._on_edge = on_edge
        self._clock = clock
        self.first_waits = array("d")  # seconds until the first batch of each epoch but the first
        self._latest: float | None = None  # when the last batch arrived

    @property
    def remaining(self) -> int:
        """The images until the end of the current epoch."""
        return self._ledger.remaining

    def time_by(self, windows: Timed, arrivals: array[float]) -> None:
        """Divide what arrives from now on by other windows, and report no edge of these."""
        self._windows = windows
        self._arrivals = arrivals
        self._on_edge = lambda _: None

    def take(self, delivered: object) -> bool:
        """Count a batch; return whether a window ended with it."""
        at = self._clock()
        if self._ledger.is_at_end and self._latest is not None:
            self.first_waits.append(at - self._latest)
        self._latest = at
        self._arrivals.append(at)
        images = self._receive(delivered)
        self._ledger.delivered(images)
        is_edge = self._windows.arrived(at, images)
        if is_edge:
            self._on_edge(at)
        return is_edge


def consumer_seconds(delivered: object, workload: Workload) -> float:
    """Return the seconds that the consumer takes for such a batch, the median of many times.

    Windows include this time, although it is not the pipeline's.
    """
    timed = TimedBatches(workload)
    images = timed.take(delivered)
    consumer = Consumer(timed.take, images, Windows(), array("d"), lambda _: None)
    first = begun = time.perf_counter()
    seconds: list[float] = []
    while len(seconds) < _MOST_CALLS and begun - first < _MOST_SECONDS:
        consumer.take(delivered)
        done = time.perf_counter()
        seconds.append(done - begun)
        begun = done
    return median(seconds)
