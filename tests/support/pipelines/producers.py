"""Producers of batches at a known rate, under a clock that nobody waits for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from feedbench.pipelines.contract import Batch
from tests.support.clock import ClaimedClock
from tests.support.pipelines.claimed_feeds import a_batch

BATCH = 8  # images


@dataclass(kw_only=True)
class Producer:
    """Makes a batch in `batch_seconds`, while its consumer works if it has a `buffer` of batches.

    With a `burst` it makes so many batches at once, in as much time together.
    """

    clock: ClaimedClock
    batch_seconds: float
    buffer: int = 0
    burst: int = 1
    images: int = BATCH

    def __iter__(self) -> Iterator[Batch]:
        yield a_batch(self.images)

    def repeat(self) -> Iterator[Batch]:
        done = self.clock.now
        taken: list[float] = []
        number = 0
        while True:
            seconds = 0.0 if number % self.burst else self.burst * self.batch_seconds
            begins = done
            if not self.buffer:
                begins = self.clock.now  # it works only when it is asked
            elif number >= self.buffer:
                begins = max(done, taken[number - self.buffer])
            done = begins + seconds
            self.clock.now = max(self.clock.now, done)
            taken.append(self.clock.now)
            number += 1
            yield a_batch(BATCH)
