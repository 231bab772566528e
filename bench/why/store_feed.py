"""The read ceiling of a store: a feed that reads as many images at once as it can. No decoding."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count

import numpy as np

from feedbench.pipelines.contract import Batch, Workload
from feedbench.pipelines.remote.file_systems import CONNECTIONS
from feedbench.pipelines.remote.reading import read


def reading(workload: Workload) -> Reading:
    """Return a feed that reads each image's bytes from its store."""
    return Reading(workload)


class Reading:
    """Batches of stand-ins `[B, 1]`: the bytes of each image. CONNECTIONS are read at once."""

    def __init__(self, workload: Workload) -> None:
        self._workload = workload
        self._labels = np.asarray(workload.labels, np.int32)

    def __iter__(self) -> Iterator[Batch]:
        """Yield the batches of one epoch."""
        yield from self._batches(epochs=1)

    def repeat(self) -> Iterator[Batch]:
        """Yield the batches of one epoch after another."""
        yield from self._batches(epochs=None)

    def _batches(self, epochs: int | None) -> Iterator[Batch]:
        size, files = self._workload.batch_size, self._workload.files
        parts = [range(len(files))[first : first + size] for first in range(0, len(files), size)]
        pool = ThreadPoolExecutor(CONNECTIONS)
        ahead: deque[tuple[range, list[Future[int]]]] = deque()
        most_ahead = max(2 * CONNECTIONS // size, 1)  # so that no connection waits for a batch
        try:
            for epoch in count():
                if epoch == epochs:
                    break
                for part in parts:
                    ahead.append((part, [pool.submit(_bytes_of, files[at]) for at in part]))
                    if len(ahead) > most_ahead:
                        yield self._complete(*ahead.popleft())
            while ahead:
                yield self._complete(*ahead.popleft())
        finally:
            pool.shutdown(cancel_futures=True)

    def _complete(self, part: range, reads: list[Future[int]]) -> Batch:
        sizes = np.asarray([[each.result()] for each in reads])
        return sizes, self._labels[part.start : part.stop]


def _bytes_of(file: str) -> int:
    return len(read(file))
