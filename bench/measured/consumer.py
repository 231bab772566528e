"""The one consumer of every pipeline's windows, and what it costs a batch."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable
from statistics import median

from feedbench.bench.measured.batch_checks import EpochLedger, consume
from feedbench.bench.measured.batch_forms import pair
from feedbench.bench.records.windows import Windows

_MOST_CALLS, _MOST_SECONDS = 300, 0.02


class Consumer:
    """Takes batches as they come: when, that it is really there, and how many images it has."""

    def __init__(
        self,
        images: int,
        windows: Windows,
        arrivals: array[float],
        on_edge: Callable[[float], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger = EpochLedger(images)
        self._windows = windows
        self._arrivals = arrivals
        self._on_edge = on_edge
        self._clock = clock

    def take(self, delivered: object) -> bool:
        """Count a batch of windows over many epochs; say whether a window ended with it."""
        at = self._clock()
        self._arrivals.append(at)
        images = consume(delivered)
        self._ledger.delivered(images)
        is_edge = self._windows.arrived(at, images)
        if is_edge:
            self._on_edge(at)
        return is_edge


def consumer_seconds(delivered: object) -> float:
    """Return the seconds that it takes to take such a batch: the median of many times.

    It is no time of the pipeline's, and yet within its windows.
    """
    consumer = Consumer(len(pair(delivered)[0]), Windows(), array("d"), lambda _: None)
    first = begun = time.perf_counter()
    seconds: list[float] = []
    while len(seconds) < _MOST_CALLS and begun - first < _MOST_SECONDS:
        consumer.take(delivered)
        done = time.perf_counter()
        seconds.append(done - begun)
        begun = done
    return median(seconds)
