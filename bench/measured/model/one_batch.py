"""A pipeline whose one batch is ready: a model that it feeds never waits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from feedbench.pipelines.contract import Batch, Workload

ONE_BATCH = "from feedbench.bench.measured.model.one_batch import one_batch\n"
"""The text of a loader file whose function `one_batch` is the one here."""


def one_batch(workload: Workload) -> OneBatch:
    """Return a feed of one batch, on the device where a model is, over and over."""
    return OneBatch(workload)


class OneBatch:
    """One batch of random values, and one that is as short as the last of an epoch.

    They take their turns as in an epoch, which may be larger than the memory.
    """

    def __init__(self, workload: Workload) -> None:
        import tensorflow as tf

        size = min(workload.batch_size, workload.images)
        whole, rest = divmod(workload.images, size)
        self._whole = whole
        self._full, self._short = (
            tuple(map(tf.constant, random_batch(workload, count))) if count else ()
            for count in (size, rest)
        )

    def __iter__(self) -> Iterator[Batch]:
        for _ in range(self._whole):
            yield self._full
        if self._short:
            yield self._short

    def repeat(self) -> Iterator[Batch]:
        """Yield the batches of one epoch after another."""
        while True:
            yield from self


def random_batch(workload: Workload, count: int, seed: int = 0) -> Batch:
    """Return `count` images of random values in the workload's range, with labels of its mode."""
    import ml_dtypes  # noqa: F401 - NumPy knows bfloat16 then

    rng = np.random.default_rng(seed)
    low, high = workload.value_range
    images = rng.uniform(low, high, (count, *workload.shape)).astype(workload.dtype)
    classes = rng.integers(0, len(workload.class_names), count).astype(np.int32)
    match workload.label_mode:
        case "categorical":
            return images, np.eye(len(workload.class_names), dtype=np.float32)[classes]
        case "binary":
            return images, classes[:, None].astype(np.float32)
        case _:
            return images, classes
