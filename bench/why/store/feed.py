"""The read ceiling of a store: a feed that reads images, and does not decode them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import cycle, islice

import numpy as np

from feedbench.bench.why.store.readers import Concurrency, Readers
from feedbench.pipelines.contract import Batch, Workload


class Reading:
    """Batches of stand-ins `[B, 1]`: the bytes of images, as other processes read them.

    An epoch has as many as the workload, by the order in which they arrive.
    """

    def __init__(self, workload: Workload, concurrency: Concurrency) -> None:
        self._files = workload.files
        self._concurrency = concurrency
        labels = np.asarray(workload.labels, np.int32)
        self._labels = np.split(
            labels, range(workload.batch_size, len(labels), workload.batch_size)
        )

    def __iter__(self) -> Iterator[Batch]:
        """Yield the batches of one epoch."""
        yield from islice(self.repeat(), len(self._labels))

    def repeat(self) -> Iterator[Batch]:
        """Yield the batches of one epoch after another."""
        sizes: deque[int] = deque()
        with Readers(self._files, self._concurrency) as readers:
            readers.warm_up()
            for labels in cycle(self._labels):
                while len(sizes) < len(labels):
                    sizes.extend(readers.take())
                yield np.asarray([[sizes.popleft()] for _ in labels]), labels
