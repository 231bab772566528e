"""A PyDataset that records what is called of it. Imports Keras."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import keras
import numpy as np

from feedbench.pipelines.contract import Workload


class Photos(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of images `[N, H, W, C]` that are there already, with the workload's labels."""

    def __init__(
        self,
        images: Any,
        workload: Workload,
        *,
        shuffles: bool = False,
        is_endless: bool = False,
        seconds: float = 0.0,
        **given: Any,
    ) -> None:
        """Take `seconds` for a batch; the rest of `given` is Keras' own: workers and so on."""
        super().__init__(**given)
        self.workload = workload
        self.calls: list[tuple[str, int]] = []
        self.readers: set[tuple[int, int]] = set()
        self.raises: Exception | None = None
        self._images = images
        self._is_endless = is_endless
        self._seconds = seconds
        self._order = np.arange(workload.images)
        self._rng = np.random.default_rng(0) if shuffles else None

    @property
    def num_batches(self) -> int | None:
        return None if self._is_endless else -(-self.workload.images // self.workload.batch_size)

    def __getitem__(self, place: int) -> Any:
        self.calls.append(("batch", place))
        self.readers.add((os.getpid(), threading.get_ident()))
        if self.raises is not None:
            raise self.raises
        time.sleep(self._seconds)
        size = self.workload.batch_size
        start = place * size % (-(-self.workload.images // size) * size)
        chosen = self._order[start : start + size]
        return self._images[chosen], np.asarray(self.workload.labels, np.int32)[chosen]

    def on_epoch_begin(self) -> None:
        self.calls.append(("begin", 0))

    def on_epoch_end(self) -> None:
        self.calls.append(("end", 0))
        if self._rng is not None:
            self._rng.shuffle(self._order)

    def by_epoch(self) -> list[tuple[str, int]]:
        """Return the calls, the batches between two others in order: fit shuffles them."""
        calls: list[tuple[str, int]] = []
        batches: list[tuple[str, int]] = []
        for call in self.calls:
            if call[0] == "batch":
                batches.append(call)
                continue
            calls += [*sorted(batches), call]
            batches = []
        return [*calls, *sorted(batches)]
