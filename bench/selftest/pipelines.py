"""Pipelines of known behaviour, by which the harness itself is measured.

Each delivers ready batches at moments that follow from its definition alone. Functions of a
workload, as in a user's own loader; the clock and the sleep may be claimed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

from feedbench.bench.selftest.neighbour import touch
from feedbench.bench.why.ready_feed import batches_of
from feedbench.pipelines.contract import Batch, Workload

PERIOD = 0.02  # seconds a batch
SLOWER = 1.1  # times as long
TEARDOWN_SECONDS = 0.3
BURST = 8  # batches that come at once
BUFFER = 16  # batches that a prefetcher works ahead
RAMP_BATCHES = 100  # over which a batch's time falls evenly from thrice to once the period
_RAMP = 2  # what the first one takes beyond the period, in periods
TOUCHED = "touched"  # the file, in the workload's folder, that makes a neighbour burn


class Metronome:
    """A batch every `period` seconds, counted from the iterator's beginning: no error adds up."""

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
        """Return when batch `number`, from 1, is due: seconds after the iterator's beginning."""
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
        """Yield the batches of epoch after epoch."""
        begun = self._clock()
        for number in count(1):
            self._wait_until(begun + self.moment(number))
            yield self._batches[(number - 1) % len(self._batches)]

    def _wait_until(self, moment: float) -> None:
        seconds = moment - self._clock()
        if seconds > 0:
            self._sleep(seconds)


class Bursts(Metronome):
    """As many batches, BURST of them at once."""

    def moment(self, number: int) -> float:
        """Return the end of the burst's own time."""
        return math.ceil(number / BURST) * BURST * self.period


class Ramp(Metronome):
    """A loader that becomes faster and faster, until it is a metronome."""

    def moment(self, number: int) -> float:
        """Return the sum of what the batches take: the sum of an arithmetic series, and the rest.

        Batch i takes the period and `_RAMP * (1 - i / RAMP_BATCHES)` of it, while that is positive.
        """
        ramping = min(number, RAMP_BATCHES)
        beyond = _RAMP * (ramping - ramping * (ramping + 1) / (2 * RAMP_BATCHES))
        return (number + beyond) * self.period


class Prefetcher(Metronome):
    """A producer that works ahead by up to BUFFER batches.

    As a thread with a queue does it: a batch is begun when the one before is done and there is
    room for it, and takes the period.
    """

    def __iter__(self) -> Iterator[Batch]:
        return self._ahead(iter(self._batches))

    def repeat(self) -> Iterator[Batch]:
        """Yield the batches of epoch after epoch."""
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
    """A metronome that tells a neighbour to burn, and touches no core itself."""

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
    """Return one whose batches take SLOWER times as long."""
    return Metronome(workload, period=SLOWER * PERIOD)


def teardown(workload: Workload) -> Metronome:
    """Return one whose iterator takes TEARDOWN_SECONDS to come to its end."""
    return Metronome(workload, teardown=TEARDOWN_SECONDS)


def bursts(workload: Workload) -> Bursts:
    """Return one whose batches come in bursts."""
    return Bursts(workload)


def ramp(workload: Workload) -> Ramp:
    """Return one that becomes faster for a while."""
    return Ramp(workload)


def prefetcher(workload: Workload) -> Prefetcher:
    """Return one that works ahead."""
    return Prefetcher(workload)


def with_neighbour(workload: Workload) -> WithNeighbour:
    """Return one that brings a neighbour with it."""
    return WithNeighbour(workload)
