"""A clock that shows what was claimed: nobody waits."""

from __future__ import annotations


class ClaimedClock:
    """Seconds that pass only by `sleep`, or by adding to `now`."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.now += seconds
