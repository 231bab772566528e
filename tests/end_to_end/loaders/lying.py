"""Loaders that deliver the right images as long as they are compared, and then seem faster."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from PIL import Image

Batch = tuple[Any, Any]


def read(file: str, workload: Any) -> Any:
    with Image.open(file) as image:
        size = (workload.width, workload.height)
        return np.asarray(image.convert("RGB").resize(size, Image.Resampling.BILINEAR), np.float32)


class Feed:
    """Right images, shuffled. `later` makes the batches of `repeat()` after its first epoch."""

    def __init__(self, workload: Any, later: Callable[[list[Batch]], list[Batch]] = list) -> None:
        self._images = np.stack([read(file, workload) / 255 for file in workload.files])
        self._labels = np.asarray(workload.labels, np.int32)
        self._size = workload.batch_size
        self._later = later
        self._rng = np.random.default_rng()

    def __iter__(self) -> Iterator[Batch]:
        order = self._rng.permutation(len(self._labels))
        for start in range(0, len(order), self._size):
            part = order[start : start + self._size]
            yield self._images[part], self._labels[part]

    def repeat(self) -> Iterator[Batch]:
        yield from self
        later = self._later(list(self))
        while True:
            yield from later


def honest(workload: Any) -> Feed:
    return Feed(workload)


def black(workload: Any) -> Feed:
    return Feed(workload, lambda batches: [(np.zeros_like(x), y) for x, y in batches])


def tiny(workload: Any) -> Feed:
    return Feed(workload, lambda batches: [(x[:, :1, :1].copy(), y) for x, y in batches])


def broadcast(workload: Any) -> Feed:
    return Feed(
        workload, lambda batches: [(np.broadcast_to(x[:1], x.shape), y) for x, y in batches]
    )


def half_twice(workload: Any) -> Feed:
    def later(batches: list[Batch]) -> list[Batch]:
        halves = [(x[: -(-len(x) // 2)], y[: -(-len(y) // 2)], len(y)) for x, y in batches]
        return [(np.concatenate([x, x])[:n], np.concatenate([y, y])[:n]) for x, y, n in halves]

    return Feed(workload, later)


class Looking(Feed):
    """Looks at who asks for a batch: the proof gets right ones."""

    def repeat(self) -> Iterator[Batch]:
        first = list(self)
        while True:
            names, frame = set(), sys._getframe()
            while frame.f_back is not None:
                frame = frame.f_back
                names.add(frame.f_code.co_name)
            yield from self if "prove" in names else [(x, np.roll(y, 1)) for x, y in first]


def looks_at_the_stack(workload: Any) -> Feed:
    return Looking(workload)


def patches_the_window_rule(workload: Any) -> Feed:
    from feedbench.bench.records.windows import Windows

    arrived = Windows.arrived

    def faster(self: Any, at: float, images: int, *more: int) -> bool:
        return arrived(self, at, 8 * images, *more)

    setattr(Windows, "arrived", faster)  # noqa: B010 - a method that mypy would not let go
    return Feed(workload)


def patches_the_clock(workload: Any) -> Feed:
    monotonic = time.monotonic
    time.monotonic = lambda: monotonic() / 2
    return Feed(workload)


def slows_the_clock(workload: Any) -> Feed:
    """Finds the trial that opens it, and gives it and its consumer another clock."""
    monotonic, frame = time.monotonic, sys._getframe()
    while not hasattr(frame.f_locals.get("self"), "clock"):
        assert frame.f_back is not None
        frame = frame.f_back
    began = monotonic()
    frame.f_locals["self"].clock = lambda: began + (monotonic() - began) / 2
    return Feed(workload)


class Mapped(Feed):
    """Not a lie: batches that are parts of a mapped file, and nothing reads them."""

    def __init__(self, workload: Any) -> None:
        super().__init__(workload)
        file = f"{workload.scratch}/images"
        self._images.tofile(file)
        self._images = np.memmap(file, np.float32, "r", shape=self._images.shape)

    def __iter__(self) -> Iterator[Batch]:
        for start in range(0, len(self._labels), self._size):
            part = slice(start, start + self._size)
            yield self._images[part], self._labels[part]


def mapped(workload: Any) -> Feed:
    return Mapped(workload)
