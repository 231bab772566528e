"""What a trial measures of a model that takes a pipeline's batches."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from feedbench.bench.records.windows import Window, counted_from

LEAST_STEP_SECONDS = 0.002
"""A shorter step is too short for a sleep. On two busy cores half of the sleeps ended 0.09 ms late,
and one in a hundred 3.8 ms. Over a batch that was ready, steps of 30 ms took 30.02 ms on average,
those of 5 ms 5.01 ms, those of 2 ms 2.01 ms, and those of 1 ms 1.1 ms."""


class Steps(msgspec.Struct, frozen=True, kw_only=True):
    """The steps of a model in one window. Seconds.

    The window lasts from one batch's arrival to another's. Each of its steps begins with a batch,
    and ends when the model asks for the next one, after which it waits for that.
    """

    steps: int
    images: int  # of these steps
    seconds: float
    waiting_seconds: float  # for the batches of the next steps

    @property
    def busy_seconds(self) -> float:
        """The seconds that the model itself took."""
        return self.seconds - self.waiting_seconds


class Feeding(msgspec.Struct, frozen=True, kw_only=True):
    """One model that takes batches as fast as it can, or as fast as it is emulated to do."""

    appetite: float | None = None  # images/s of the emulated model; null: a real one
    windows: list[Steps]
    first_steps_seconds: float = 0.0  # of a real model: tracing and compiling, before the windows
    late_seconds: float = 0.0  # by which an emulated step ended too late, and nothing made up for
    is_steady: bool = True
    cores: int = 0  # to which the trial's processes were pinned; 0: to none

    @property
    def counted(self) -> list[Steps]:
        """The windows that count, by the same rule as those of a rate."""
        return self.windows[counted_from([Window(w.images, w.seconds) for w in self.windows]) :]

    @property
    def rate(self) -> float:
        """Images/s that the model takes."""
        return _images(self.counted) / _seconds(self.counted)

    @property
    def busy_rate(self) -> float:
        """Images/s that it would take if it never waited and each step took as long as here."""
        busy = sum(window.busy_seconds for window in self.counted)
        return _images(self.counted) / busy

    @property
    def utilisation(self) -> float:
        """The share of the time in which the model does not wait for a batch: 0 to 1."""
        busy = sum(window.busy_seconds for window in self.counted)
        return busy / _seconds(self.counted)

    @property
    def step_seconds(self) -> float:
        """What a step takes, on average, without waiting."""
        busy = sum(window.busy_seconds for window in self.counted)
        return busy / sum(window.steps for window in self.counted)


def _images(windows: Sequence[Steps]) -> int:
    return sum(window.images for window in windows)


def _seconds(windows: Sequence[Steps]) -> float:
    return sum(window.seconds for window in windows)
