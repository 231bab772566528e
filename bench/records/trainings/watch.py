"""What `feedbench.watch` and its callback write: how long a training waited for its input."""

from __future__ import annotations

from typing import Literal

import msgspec

SCHEMA: Literal[1] = 1

Place = Literal["python", "graph"]
"""Where the time was taken.

python: around `next()`, in the thread that called it.
graph: around the iterator's op in the function that Keras' `fit` compiles.
"""


class WatchedEpoch(msgspec.Struct, frozen=True, kw_only=True):
    """One epoch. Steps are those after the first batch: each is a wait, and work before it."""

    batches: int
    first_seconds: float
    """The wait for the first batch."""
    seconds: float
    """From the arrival of the first batch to that of the last."""
    waited_seconds: float
    """Of these `seconds`, those of waiting."""
    median_seconds: float | None
    """The median wait of a step. None without a step."""
    longest_seconds: float | None
    """The longest wait of a step. None without a step."""
    end_seconds: float | None
    """The last wait, which brought no batch. None if nothing asked for more."""

    @property
    def steps(self) -> int:
        """The number of batches after the first."""
        return max(self.batches - 1, 0)


class WatchedStretch(msgspec.Struct, frozen=True, kw_only=True):
    """Steps in sequence, as their means."""

    first_step: int
    """The number of its first step, from 0 over all epochs. First batches are not counted."""
    steps: int
    wait_seconds: float
    step_seconds: float
    """A whole step: its wait, and the work before it."""


class WatchRecord(msgspec.Struct, frozen=True, kw_only=True):
    """All that was watched of one iterable."""

    kind: Literal["watch"] = "watch"
    schema: Literal[1] = SCHEMA
    name: str
    source: str
    """The type of what was watched."""
    place: Place
    steps_per_execution: int
    """Steps of one call of the compiled function. From 2 on, a wait can overlap a step's work."""
    blind: str = ""
    """Why nothing can be seen; empty where something can."""
    epochs: tuple[WatchedEpoch, ...]
    stretches: tuple[WatchedStretch, ...]

    @property
    def steps(self) -> int:
        """The number of steps of all epochs."""
        return sum(epoch.steps for epoch in self.epochs)

    @property
    def seconds(self) -> float:
        """The seconds of all steps."""
        return sum(epoch.seconds for epoch in self.epochs)

    @property
    def waited_seconds(self) -> float:
        """The seconds that steps waited."""
        return sum(epoch.waited_seconds for epoch in self.epochs)

    @property
    def share(self) -> float | None:
        """Waiting as a share of the seconds of all steps. None without a step."""
        return self.waited_seconds / self.seconds if self.seconds else None
