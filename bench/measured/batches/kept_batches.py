"""A few batches of the timed part, kept at random, to be compared after the last window."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field

from feedbench.bench.measured.batches.batch_forms import Array
from feedbench.bench.measured.batches.page_reads import page_values

_PAIRS = 2


@dataclass(frozen=True, kw_only=True)
class KeptBatch:
    """A batch of the timed part, as it was delivered.

    Its images are kept by reference, as a copy of 20 MB would cost what the window times. A loader
    may fill the same memory again: then `is_intact` is false, and only `copied` is evidence.
    """

    epoch: int  # of the timed part, from 1
    images: Array  # not copied
    labels: Array  # copied
    page_values: bytes  # of the images, when they were delivered
    place: int  # of the image that was copied
    copied: Array  # `[1, ...]`

    @property
    def is_intact(self) -> bool:
        """Whether the images are as they were delivered."""
        return page_values(self.images) == self.page_values


@dataclass
class _Pair:
    """A batch that any batch may become, each with the same chance, and a later one of its epoch.

    In a pair from one epoch, no image comes twice.
    """

    first: KeptBatch | None = None
    second: KeptBatch | None = None
    first_due: int = 1  # the number of the next batch to keep
    second_due: float = math.inf  # images, and the batch with the next one is kept


@dataclass
class KeptBatches:
    """Two pairs of batches, chosen among all batches of the timed part.

    The system's generator chooses, so that no loader can predict which. At most
    four batches stay in memory. Of `n` batches, about `4 * log(n)` are kept for a while.
    """

    epoch_images: int
    rng: random.Random = field(default_factory=random.SystemRandom)
    _pairs: list[_Pair] = field(default_factory=lambda: [_Pair() for _ in range(_PAIRS)])
    _batches: int = 0
    _images: int = 0
    _first_due: int = 1
    _second_due: float = math.inf

    def take(self, images: Array, labels: Array, values: bytes) -> None:
        """Count a batch, and keep it if it is due. `values` are its `page_values`."""
        self._batches += 1
        self._images += len(images)
        if self._batches >= self._first_due or self._images > self._second_due:
            self._keep(images, labels, values)

    @property
    def batches(self) -> list[KeptBatch]:
        """The batches that are kept, in the order of their delivery; each once."""
        kept = [batch for pair in self._pairs for batch in (pair.first, pair.second) if batch]
        return sorted({id(batch): batch for batch in kept}.values(), key=lambda it: it.epoch)

    def _keep(self, images: Array, labels: Array, values: bytes) -> None:
        place = self.rng.randrange(len(images))
        batch = KeptBatch(
            epoch=(self._images - 1) // self.epoch_images + 1,
            images=images,
            labels=labels.copy(),
            page_values=values,
            place=place,
            copied=images[place : place + 1].copy(),
        )
        for pair in self._pairs:
            if self._batches == pair.first_due:
                self._begin(pair, batch)
            elif self._images > pair.second_due:
                pair.second, pair.second_due = batch, math.inf
        self._first_due = min(pair.first_due for pair in self._pairs)
        self._second_due = min(pair.second_due for pair in self._pairs)

    def _begin(self, pair: _Pair, batch: KeptBatch) -> None:
        """Keep a batch as the first of a pair, and choose when the others are due."""
        pair.first, pair.second, pair.second_due = batch, None, math.inf
        # The next first is batch m or a later one with the chance n / m, as in a reservoir of one.
        pair.first_due = int(self._batches / (1.0 - self.rng.random())) + 1
        if unread := -self._images % self.epoch_images:  # images of the epoch
            pair.second_due = self._images + self.rng.randrange(unread)
