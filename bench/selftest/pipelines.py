"""Pipelines of known behaviour, which test the harness itself.

Each delivers ready batches at moments that follow only from its definition. They are functions of
a workload, as in a user's own loader; tests may replace the clock and the sleep.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

from feedbench.bench.selftest.neighbour import touch
from feedbench.bench.why.ceilings.ready_feed import batches_of
from feedbench.pipelines.contract import Batch, Workload

PERIOD = 0.02  # seconds a batch
SLOWER = 1.1  # times as long
TEARDOWN_SECONDS = 0.3
BURST = 8  # batches that arrive at once
BUFFER = 16  # batches that a prefetcher works ahead
RAMP_BATCHES = 100  # over these, a batch's time falls evenly from three periods to one
_RAMP = 2  # how much longer than a period the first one takes, in periods
TOUCHED = "touched"  # the file, in the workload's folder, that makes a neighbour busy


class Metronome:
    """A batch every `period` seconds from the iterator's beginning: errors do not add up."""

    def __init__(
        self,
        workload: Workload,
        *,
        period: float = PERIOD,
        teardown: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.period = period
        self._teardown = teardown
        self._clock = clock
        self._sleep = sleep
        self._batches = batches_of(workload)

    def moment(self, number: int) -> float:
        """Return when batch `number`, from 1, is due, in seconds after the iterator's beginning."""
        return number * self.period

    def __iter__(self) -> Iterator[Batch]:
        begun = self._clock()
        try:
            for number, batch in enumerate(self._batches, 1):
                self._wait_until(begun + self.moment(number))
                yield batch
        finally:
            if self._teardown:
                self._sleep(self._teardown)

    def repeat(self) -> Iterator[Batch]:
        """Yield the batches of one epoch after another."""
        begun = self._clock()
        for number in count(1):
            self._wait_until(begun + self.moment(number))
            yield self._batches[(number - 1) % len(self._batches)]

    def _wait_until(self, moment: float) -> None:
        seconds = moment - self._clock()
        if seconds > 0:
            self._sleep(seconds)


class Bursts(Metronome):
    """The same rate, but BURST batches at once."""

    def moment(self, number: int) -> float:
        """Return when the batch's burst is due."""
        return math.ceil(number / BURST) * BURST * self.period


class Ramp(Metronome):
    """A loader that becomes faster and faster, until it is a metronome."""

    def moment(self, number: int) -> float:
        """Return the sum of the batches' times: an arithmetic series, and then constant times.

        Batch i takes the period plus `_RAMP * (1 - i / RAMP_BATCHES)` of it, if that is positive.
        """
        ramping = min(number, RAMP_BATCHES)
        beyond = _RAMP * (ramping - ramping * (ramping + 1) / (2 * RAMP_BATCHES))
        return (number + beyond) * self.period


class Prefetcher(Metronome):
    """A producer that works ahead by up to BUFFER batches.

    Like a thread with a queue: a batch begins when the one before is done and the queue has room,
    and takes the period.
    """

    def __iter__(self) -> Iterator[Batch]:
        return self._ahead(iter(self._batches))

    def repeat(self) -> Iterator[Batch]:
        """Yield the batches of one epoch after another."""
        return self._ahead(self._batches[n % len(self._batches)] for n in count())

    def _ahead(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        done = self._clock()
        taken: list[float] = []
        for number, batch in enumerate(batches):
            room = taken[number - BUFFER] if number >= BUFFER else done
            done = max(done, room) + self.period
            self._wait_until(done)
            taken.append(self._clock())
            yield batch


class WithNeighbour(Metronome):
    """A metronome that makes a neighbour busy, but uses no core itself."""

    def __init__(self, workload: Workload) -> None:
        super().__init__(workload)
        self._file = Path(workload.folder) / TOUCHED

    def _wait_until(self, moment: float) -> None:
        touch(self._file)
        super()._wait_until(moment)


def metronome(workload: Workload) -> Metronome:
    """Return a feed of a known rate."""
    return Metronome(workload)


def slower(workload: Workload) -> Metronome:
    """Return a feed whose batches take SLOWER times as long."""
    return Metronome(workload, period=SLOWER * PERIOD)


def teardown(workload: Workload) -> Metronome:
    """Return a feed whose iterator takes TEARDOWN_SECONDS to end."""
    return Metronome(workload, teardown=TEARDOWN_SECONDS)


def bursts(workload: Workload) -> Bursts:
    """Return a feed whose batches arrive in bursts."""
    return Bursts(workload)


def ramp(workload: Workload) -> Ramp:
    """Return a feed that becomes faster for a while."""
    return Ramp(workload)


def prefetcher(workload: Workload) -> Prefetcher:
    """Return a feed that works ahead."""
    return Prefetcher(workload)


def with_neighbour(workload: Workload) -> WithNeighbour:
    """Return a feed with a busy neighbour."""
    return WithNeighbour(workload)
