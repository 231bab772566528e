"""The turns of a trial in a rotation: short windows, while the other pipelines are stopped."""

from __future__ import annotations

import msgspec


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One turn. Seconds; moments are CLOCK_MONOTONIC.

    A turn has two parts. First, batches are dropped: those that were ready when the pipeline woke.
    Then its window counts the images of the batches after the window's first edge.
    """

    round: int  # from 1: all pipelines have one turn in each
    at: float  # when the window began
    images: int  # of the window
    seconds: float  # that the window took
    dropped_images: int = 0  # before the window
    dropped_seconds: float = 0.0  # from waking up to the beginning of the window
    awake_seconds: float = 0.0  # from waking up to stopping, by the parent's clock
    others_share: float | None = None  # of the cores, used by other programs while it was awake
    is_settled: bool = True  # it had to wait for a batch before the window began

    @property
    def rate(self) -> float:
        """Images per second."""
        return self.images / self.seconds
