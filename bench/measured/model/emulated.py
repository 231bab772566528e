"""A model that is emulated: it takes a batch, and then sleeps as long as a step would take."""

from __future__ import annotations

import time
from collections.abc import Callable

from feedbench.bench.measured.batches.batch_checks import consume


class EmulatedModel:
    """Takes `appetite` images/s at most, and no core: each step is a sleep.

    A sleep ends late, here by 0.1 ms and more. The next step is shorter by as much, so that steps
    take what they should on average. A step makes up for its own length at most; `late_seconds` is
    the rest. The short last batch of an epoch takes as much less as it has fewer images.
    """

    def __init__(
        self,
        appetite: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.appetite = appetite
        self.late_seconds = 0.0
        self._late = 0.0  # of the last step, for the next one to make up for
        self._clock = clock
        self._sleep = sleep

    def step(self, delivered: object, arrived: float) -> int:
        """Take a batch that arrived at this second, until the step's end; return its images."""
        images = consume(delivered)  # a model reads its batch too; within the step's time
        seconds = images / self.appetite
        ends_at = arrived - self._late + seconds
        if (rest := ends_at - self._clock()) > 0:
            self._sleep(rest)
        late = max(self._clock() - ends_at, 0.0)
        self._late = min(late, seconds)
        self.late_seconds += late - self._late
        return images
