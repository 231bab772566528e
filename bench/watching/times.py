"""When batches were asked for, and when they arrived."""

from __future__ import annotations

from array import array
from collections.abc import Iterator


class EpochTimes:
    """The times of one epoch, in seconds of one clock. Adding a batch takes under a microsecond."""

    def __init__(self) -> None:
        self.end_seconds: float | None = None
        self._times = array("d")  # asked, arrived, asked, arrived
        self.add = self._times.extend

    def __len__(self) -> int:
        return len(self._times) // 2

    @property
    def asked(self) -> array[float]:
        """When each batch was asked for."""
        return self._times[::2]

    @property
    def arrived(self) -> array[float]:
        """When each batch arrived."""
        return self._times[1::2]

    def finish(self, seconds: float) -> None:
        """Take the wait that brought no batch. Several of them count together."""
        self.end_seconds = (self.end_seconds or 0.0) + seconds

    def steps(self, first: int = 0) -> Iterator[tuple[float, float, float]]:
        """Yield each step's arrival, wait and whole duration, from step `first` on.

        Step 0 is the second batch. A step begins as the batch before it arrives.
        """
        asked, arrived = self.asked, self.arrived
        for place in range(first + 1, len(self)):
            wait = max(arrived[place] - asked[place], 0.0)
            yield arrived[place], wait, max(arrived[place] - arrived[place - 1], wait)
