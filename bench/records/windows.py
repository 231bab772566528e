"""Timed windows over the arrivals of batches, and when they have become steady. Pure.

A window counts exactly what it times: from one batch's arrival to another's, and the images of
the batches after the first. Windows follow one another without a pause.
"""

from __future__ import annotations

import msgspec

from feedbench.bench.records.pace import USUAL, Pace

LEAST_BATCHES = 8  # with the pace's least seconds a window is long enough, ...
FEW_BATCHES = 4  # ... or with its long seconds; whichever comes first
STEADY_RUN = 3  # windows in a row, of which ...
STEADY_CHANGE = 0.05  # ... the last lies within this share of the first
MOST_RESTARTS = 5  # epochs, however short they are
MOST_UNSTEADY = 12  # windows after which a rate that still ramps is taken as it is


class Window(msgspec.Struct, frozen=True):
    """One timed stretch."""

    images: int
    seconds: float

    @property
    def rate(self) -> float:
        """Images per second."""
        return self.images / self.seconds


class Windows:
    """Cuts arrivals into windows until they are steady and `steady_seconds` have been timed."""

    def __init__(self, steady_seconds: float = 0.0, pace: Pace = USUAL) -> None:
        self.windows: list[Window] = []
        self._steady_seconds = steady_seconds
        self._pace = pace
        self._edge: float | None = None
        self._images = 0
        self._batches = 0

    def arrived(self, at: float, images: int, batches: int = 1) -> bool:
        """Count a batch of `images` that arrived at second `at`; say whether it is an edge.

        Or several batches, of which the last arrived then: a window ends at no other.
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
    """Return the place of the first steady window: it and all later ones count.

    None where no three windows in a row are such that the third is within 5 % of the first.
    """
    for place in range(len(windows) - STEADY_RUN + 1):
        first, last = windows[place], windows[place + STEADY_RUN - 1]
        if abs(last.rate / first.rate - 1) <= STEADY_CHANGE:
            return place
    return None


def counted_from(windows: list[Window]) -> int:
    """Return the place of the first window that counts: the first steady one, else the last three.

    Also that of the edge at which it begins: edges are one more than windows.
    """
    place = steady_from(windows)
    return max(len(windows) - STEADY_RUN, 0) if place is None else place


def counted(windows: list[Window]) -> list[Window]:
    """Return the windows that count."""
    return windows[counted_from(windows) :]
