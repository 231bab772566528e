"""The orders in which loaders in Python deliver the images: full shuffles, by the seed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from feedbench.pipelines.contract import Workload

Places = npt.NDArray[np.int64]
"""Places in the workload's list of files."""


class EpochOrders:
    """A new order of all images for each epoch; the seed decides all of them."""

    def __init__(self, workload: Workload) -> None:
        self._workload = workload
        self._epochs = count()

    def next(self) -> Places:
        """Return the next epoch's order, `[images]`."""
        rng: Any = np.random.default_rng([self._workload.seed, next(self._epochs)])
        order: Places = rng.permutation(self._workload.images)
        return order

    def epoch(self) -> Iterator[Places]:
        """Yield for each batch of the next epoch the places of its images."""
        order = self.next()
        size = self._workload.batch_size
        for first in range(0, len(order), size):
            yield order[first : first + size]

    def endless(self) -> Iterator[Places]:
        """Yield batches of epoch after epoch."""
        while True:
            yield from self.epoch()
