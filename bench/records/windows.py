"""Timed windows over the arrivals of batches, and when they are steady. Pure.

A window lasts from one batch's arrival to another's, and counts the images of the batches after
the first: exactly those that it times. Windows follow one another without a pause.
"""

from __future__ import annotations

import msgspec

from feedbench.bench.records.pace import USUAL, Pace

LEAST_BATCHES = 8  # with the pace's least seconds a window is long enough, ...
FEW_BATCHES = 4  # ... or with its long seconds; whichever comes first
STEADY_RUN = 3  # windows in a row, of which ...
STEADY_CHANGE = 0.05  # ... the last is within this share of the first
MOST_RESTARTS = 5  # epochs, however short they are
LONGEST_EPOCH = 5.0  # seconds, of a feed that takes turns of whole epochs
MOST_UNSTEADY = 12  # windows after which a rate counts even if it still changes


class Window(msgspec.Struct, frozen=True):
    """One timed stretch."""

    images: int
    seconds: float

    @property
    def rate(self) -> float:
        """Images per second."""
        return self.images / self.seconds


class Windows:
    """Divides arrivals into windows until these are steady and have timed `steady_seconds`."""

    def __init__(self, steady_seconds: float = 0.0, pace: Pace = USUAL) -> None:
        self.windows: list[Window] = []
        self._steady_seconds = steady_seconds
        self._pace = pace
        self._edge: float | None = None
        self._images = 0
        self._batches = 0

    def arrived(self, at: float, images: int, batches: int = 1) -> bool:
        """Count a batch of `images` that arrived at second `at`; return whether it is an edge.

        With several `batches`, `at` is the arrival of the last one, the only possible edge.
        """
        if self._edge is None:
            self._edge = at
            return True
        self._images += images
        self._batches += batches
        seconds = at - self._edge
        enough = seconds >= self._pace.least_seconds and self._batches >= LEAST_BATCHES
        long = seconds >= self._pace.long_seconds and self._batches >= FEW_BATCHES
        if not enough and not long:
            return False
        self.windows.append(Window(self._images, seconds))
        self._edge, self._images, self._batches = at, 0, 0
        return True

    @property
    def done(self) -> bool:
        """Whether enough has been timed."""
        place = steady_from(self.windows)
        if place is None:
            return len(self.windows) >= MOST_UNSTEADY
        return sum(window.seconds for window in self.windows[place:]) >= self._steady_seconds


def steady_from(windows: list[Window]) -> int | None:
    """Return the index of the first steady window: it and all later ones count.

    Steady means three windows in a row of which the third is within 5 % of the first. None if
    there are none.
    """
    for place in range(len(windows) - STEADY_RUN + 1):
        first, last = windows[place], windows[place + STEADY_RUN - 1]
        if abs(last.rate / first.rate - 1) <= STEADY_CHANGE:
            return place
    return None


def still_changes(windows: list[Window]) -> bool:
    """Return whether there are enough windows to be steady, and they are not."""
    return len(windows) >= STEADY_RUN and steady_from(windows) is None


def counted_from(windows: list[Window]) -> int:
    """Return the index of the first window that counts: the first steady one, or the third last.

    It is also the index of the edge at which that window begins.
    """
    place = steady_from(windows)
    return max(len(windows) - STEADY_RUN, 0) if place is None else place


def counted(windows: list[Window]) -> list[Window]:
    """Return the windows that count."""
    return windows[counted_from(windows) :]
