"""The timed window of a turn in a rotation. Pure.

While a pipeline is stopped, it makes nothing. Yet some batches are there at once when it wakes:
those in its buffers, those that its threads finished before they stopped, and, if it works by the
clock, those that have become due meanwhile. All of them were made outside the turn. They are
recognised by their speed: they arrive faster than the pipeline can make them. When the consumer has
to wait for a batch about as long as one takes, nothing is ready any more, and the window begins.

Consumers wait at both edges of the window: a window ends with the first batch after its least time,
which is mostly one that was waited for. So as much is ready at its end as at its beginning.

A pipeline that stands still between two epochs for longer than a turn would have turns with and
without such a stop. Its windows last from the end of an epoch to the end of another one.
"""

from __future__ import annotations

from feedbench.bench.records.pace import USUAL, Pace
from feedbench.bench.records.windows import FEW_BATCHES, LEAST_BATCHES

# A wait is at least this share of the time that a batch usually takes. Batches that are ready
# arrive in a small part of it; those of a loader that makes up leeway, in a half and more.
WAITED_SHARE = 0.75
_MOST_EPOCHS = 4  # after which a window need not hold whole epochs


class TurnWindow:
    """Divides the arrivals of one turn into what is dropped and a window.

    `woke` is the moment of waking up, and `batch_seconds` what a batch usually takes. A feed that
    can only be restarted has `epoch_images`: its window holds whole epochs, so that each of them
    includes a restart. With `remaining`, the images until the end of the epoch, the window begins
    and ends with an epoch.
    """

    def __init__(
        self,
        woke: float,
        batch_seconds: float,
        pace: Pace = USUAL,
        *,
        epoch_images: int | None = None,
        remaining: int | None = None,
    ) -> None:
        self.at: float | None = None  # when the window began; None: it has not yet
        self.images = 0
        self.seconds = 0.0
        self.batches = 0
        self.dropped_images = 0
        self.dropped_seconds = 0.0
        self.is_settled = False
        self.is_done = False
        self._woke = woke
        self._latest = woke
        self._wait_seconds = WAITED_SHARE * batch_seconds
        self._pace = pace
        self._epoch_images = epoch_images
        self._remaining = remaining

    def arrived(self, at: float, images: int) -> bool:
        """Count a batch of `images` that arrived at second `at`; return whether it is an edge."""
        waited, self._latest = at - self._latest, at
        if self._remaining is not None:
            self._remaining -= images
            if not self._remaining:
                assert self._epoch_images is not None
                self._remaining = self._epoch_images
        if self.at is None:
            self.dropped_images += images
            return self._begins(at, waited)
        self.images += images
        self.batches += 1
        self.seconds = at - self.at
        self.is_done = self._is_long_enough()
        return self.is_done

    def _begins(self, at: float, waited: float) -> bool:
        awake = at - self._woke
        is_empty = waited >= self._wait_seconds and awake >= self._pace.settle_seconds
        # What waits for the end of an epoch stays settled: only the consumer could let it make up.
        self.is_settled = is_empty or (self._remaining is not None and self.is_settled)
        if not self.is_settled and awake < self._pace.most_settle_seconds:
            return False
        if not self._is_at_edge():
            return False
        self.at, self.dropped_seconds = at, awake
        return True

    def _is_at_edge(self) -> bool:
        return self._remaining in (None, self._epoch_images)

    def _is_long_enough(self) -> bool:
        if self._remaining is not None:
            return self._is_at_edge() and self.seconds >= self._pace.turn_seconds
        if self._epoch_images is not None:
            is_whole = self.images % self._epoch_images == 0
            is_far = self.images >= _MOST_EPOCHS * self._epoch_images  # batches of changing sizes
            return (is_whole or is_far) and self.seconds >= self._pace.turn_seconds
        enough = self.seconds >= self._pace.turn_seconds and self.batches >= LEAST_BATCHES
        return enough or (
            self.seconds >= self._pace.long_turn_seconds and self.batches >= FEW_BATCHES
        )
