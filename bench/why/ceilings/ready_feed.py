"""A feed whose batch is there already: what is measured of it is the harness's own cost."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from feedbench.pipelines.contract import Batch, Workload


def ready(workload: Workload) -> Ready:
    """Return a feed whose batches are ready."""
    return Ready(workload)


class Ready:
    """Ready batches as tensors, so that only the harness's own cost remains.

    They are in the CPU's memory, like the batches of a pipeline. By default a constant is placed on
    a GPU if there is one, and reading it would copy it back.
    """

    def __init__(self, workload: Workload) -> None:
        import tensorflow as tf

        with tf.device("CPU:0"):
            self._batches = [tuple(map(tf.constant, batch)) for batch in batches_of(workload)]

    def __iter__(self) -> Iterator[Batch]:
        return iter(self._batches)

    def repeat(self) -> Iterator[Batch]:
        """Yield the batches of one epoch after another."""
        while True:
            yield from self._batches


def batches_of(workload: Workload) -> list[Batch]:
    """Return an epoch's batches of black images, with their labels."""
    import ml_dtypes  # noqa: F401 - NumPy knows bfloat16 then

    labels = np.asarray(workload.labels, np.int32)
    places = range(0, workload.images, workload.batch_size)
    parts = [labels[place : place + workload.batch_size] for place in places]
    return [(np.zeros((len(part), *workload.shape), workload.dtype), part) for part in parts]
