"""A feed whose batch is there already: what is measured of it is the harness's own cost."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from feedbench.pipelines.contract import Batch, Workload


def ready(workload: Workload) -> Ready:
    """Return one whose batch is there already."""
    return Ready(workload)


class Ready:
    """One batch that is there already, as a tensor: what is left is the harness's own cost.

    In the processor's memory, as what a pipeline delivers: a constant lies on a GPU where one is
    seen, and to look at it there would be to copy it back.
    """

    def __init__(self, workload: Workload) -> None:
        import tensorflow as tf

        with tf.device("CPU:0"):
            self._batches = [tuple(map(tf.constant, batch)) for batch in batches_of(workload)]

    def __iter__(self) -> Iterator[Batch]:
        return iter(self._batches)

    def repeat(self) -> Iterator[Batch]:
        """Yield the batches of epoch after epoch."""
        while True:
            yield from self._batches


def batches_of(workload: Workload) -> list[Batch]:
    """Return an epoch's batches, black, each image's label beside it."""
    form = (workload.height, workload.width, workload.channels)
    labels = np.asarray(workload.labels, np.int32)
    places = range(0, workload.images, workload.batch_size)
    parts = [labels[place : place + workload.batch_size] for place in places]
    return [(np.zeros((len(part), *form), workload.dtype), part) for part in parts]
