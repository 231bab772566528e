"""Feeds that deliver the right images, and feeds with one fault each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from feedbench.bench.equal_work import references, references_task
from feedbench.bench.equal_work.proof_task import prove
from feedbench.bench.equal_work.references import Levels
from feedbench.bench.records.messages import Event
from feedbench.bench.records.proof import Proof
from feedbench.pipelines.contract import Batch, Workload

Make = Callable[[Image.Image, Workload], Levels]
Images = npt.NDArray[np.float32]


class Feed:
    """Delivers what `make` makes of each file, shuffled, in a new order each epoch."""

    def __init__(
        self,
        workload: Workload,
        make: Make = references.sampled,
        *,
        seed: int | None = 0,
        change: Callable[[Images, Any, int], Any] = lambda images, labels, _: (
            images,
            labels,
        ),
        order: Callable[[list[int], int], list[int]] = lambda order, _: order,
    ) -> None:
        """Take what is changed of a batch, and of an epoch's order; both are told the epoch."""
        self.workload = workload
        self._images = np.stack(
            [make(references.decoded(file), workload) for file in workload.files]
        )
        self._labels = np.asarray(workload.labels, np.int32)
        self._rng = None if seed is None else np.random.default_rng(seed)
        self._change = change
        self._order = order
        self._epoch = 0

    def __iter__(self) -> Iterator[Batch]:
        self._epoch += 1
        order = list(range(self.workload.images))
        if self._rng is not None:
            self._rng.shuffle(order)
        order = self._order(order, self._epoch)
        for start in range(0, len(order), self.workload.batch_size):
            part = order[start : start + self.workload.batch_size]
            images = self._images[part] / np.float32(255)
            yield self._change(images, self._labels[part], self._epoch)


def proof_of(
    folder: Path,
    feed: Any,
    workload: Workload,
    on_event: Callable[[Event], Any] = lambda _: None,
    sheet: Path | None = None,
) -> Proof:
    """Lay a feed beside the references of its workload, which go into a new folder."""
    there = folder / "references"
    if not there.is_dir():
        there.mkdir()
        references_task.serve(workload, there, on_event)
    return prove(feed, workload, there, sheet, on_event)
