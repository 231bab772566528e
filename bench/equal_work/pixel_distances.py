"""The distances of delivered images from their references, added up image by image."""

from __future__ import annotations

import heapq
from collections.abc import Collection
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt

from feedbench.bench.equal_work.identity.image_counts import file_id
from feedbench.bench.equal_work.judgement import ROUNDING, is_off
from feedbench.bench.equal_work.reference_files import ReferenceFiles
from feedbench.bench.equal_work.references import Levels
from feedbench.bench.records.proof import Distance
from feedbench.pipelines.contract import Workload

WORST = 3  # images that are kept to be shown
_BINS = 8  # of a grey level
_ROWS = 4  # one row in four counts for the percentile, which takes the longest to compute
_P99 = 0.99


@dataclass
class _From:
    """Distances from one of the references."""

    total: float = 0.0
    images: int = 0
    worst: float = -1.0
    worst_place: int = 0
    histogram: npt.NDArray[Any] = field(default_factory=lambda: np.zeros(256 * _BINS + 1, np.int64))

    def add(self, place: int, differences: Levels) -> float:
        """Add an image's absolute differences, and return their mean."""
        mean = float(differences.mean())
        self.total += mean
        self.images += 1
        if mean > self.worst:
            self.worst, self.worst_place = mean, place
        bins = (differences[::_ROWS] * _BINS).astype(np.uint16).reshape(-1)
        self.histogram += np.bincount(bins, minlength=len(self.histogram))
        return mean

    def distance(self, workload: Workload) -> Distance | None:
        if not self.images:
            return None
        counts = self.histogram.cumsum()
        at = int(np.searchsorted(counts, _P99 * counts[-1]))
        return Distance(
            mean=self.total / self.images,
            p99=at / _BINS,
            worst=self.worst,
            worst_file=file_id(workload, self.worst_place),
        )


class Pixels:
    """The pixels' distances so far. Keeps the pixels of the images `to_keep`, and the worst."""

    def __init__(self, workload: Workload, files: ReferenceFiles, to_keep: Collection[int]) -> None:
        self.kept: dict[int, Levels] = {}
        self._nearer: list[float] = []  # grey levels of each image from the nearer reference
        self._far: list[tuple[float, float, float]] = []  # from both, and between the two
        self._between = 0.0  # grey levels between the two references: the sum over the images
        self._workload = workload
        self._files = files
        self._to_keep = frozenset(to_keep)
        self._sampled, self._filtered = _From(), _From()
        self._worst: list[tuple[float, int, int, Levels]] = []

    def add(self, place: int, delivered: Levels) -> None:
        """Compare an image with its references, if it has any."""
        pair = self._files.pixels(place)
        if pair is None:
            return
        first, second = pair
        sampled = self._sampled.add(place, np.abs(delivered - first))
        filtered = self._filtered.add(place, np.abs(delivered - second))
        nearer = min(sampled, filtered)
        self._nearer.append(nearer)
        between = float(np.abs(first - second).mean())
        self._between += between
        if is_off(sampled, filtered, 0.0):
            self._far.append((sampled, filtered, between))
        if place in self._to_keep:
            self.kept[place] = delivered.copy()
        if len(self._worst) < WORST or nearer > self._worst[0][0]:
            # The count keeps arrays from being compared where all else is equal.
            heapq.heappush(self._worst, (nearer, self.compared, place, delivered.copy()))
        if len(self._worst) > WORST:
            heapq.heappop(self._worst)

    @property
    def off(self) -> int:
        """The number of images that are wrong on their own."""
        return len(self._off())

    @property
    def others_mean(self) -> float:
        """Grey levels from the nearer reference: the mean of the images that are not off."""
        off = self._off()
        return (sum(self._nearer) - sum(off)) / max(self.compared - len(off), 1)

    def _off(self) -> list[float]:
        """Return the distance from the nearer reference of each image that is off."""
        # If most images match a reference exactly, a filter does not explain the others.
        is_exact = bool(self._nearer) and np.median(self._nearer) <= ROUNDING
        return [
            min(sampled, filtered)
            for sampled, filtered, between in self._far
            if is_off(sampled, filtered, 0.0 if is_exact else between)
        ]

    @property
    def compared(self) -> int:
        """The number of images that were compared."""
        return self._sampled.images

    @property
    def between(self) -> float:
        """Grey levels between the two references: the mean over the images compared."""
        return self._between / max(self.compared, 1)

    @property
    def worst(self) -> dict[int, Levels]:
        """The images that are farthest from the nearer reference, by place, worst first."""
        worst_first = sorted(self._worst, key=itemgetter(0, 1), reverse=True)
        return {place: levels for _, _, place, levels in worst_first}

    @property
    def nearer(self) -> float | None:
        """Grey levels from the nearer reference, the mean over all; None: nothing was compared."""
        means = [distance.mean for distance in self.distances() if distance is not None]
        return min(means, default=None)

    def distances(self) -> tuple[Distance | None, Distance | None]:
        """Return the distances from both references; None if nothing was compared."""
        return self._sampled.distance(self._workload), self._filtered.distance(self._workload)
