"""A Keras PyDataset as a feed: its batches as `model.fit` reads them.

`workers`, `use_multiprocessing`, `max_queue_size`, `on_epoch_begin` and `on_epoch_end` do nothing
where a PyDataset is merely iterated: `fit` makes them work. Keras has no public name for that part
of `fit`. So this module uses two private ones, which Keras has had since 3.0:
`keras.src.backend.tensorflow.trainer.TFEpochIterator`, the loop over epochs of `fit` itself, and
`PyDatasetAdapter`. A test pins both, and another Keras without them gets a sentence.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeGuard

from feedbench.pipelines.errors import RequestError

if TYPE_CHECKING:
    from feedbench.pipelines.contract import Batch, Workload


def is_py_dataset(made: object) -> TypeGuard[Any]:
    """Whether this is a `keras.utils.PyDataset`; its old name is Sequence.

    Keras' iterators over folders and data frames are PyDatasets too. Imports no Keras.
    """
    keras = sys.modules.get("keras")  # without it there is no such object
    return keras is not None and isinstance(made, keras.utils.PyDataset)


class FitFeed:
    """Epochs of a PyDataset, each as an epoch of `model.fit(dataset)`.

    `fit` shuffles the order of the batches, unless it is called with `shuffle=False`. If there are
    several workers, it restarts them for each epoch. So an epoch's end is a part of its
    speed, and there is no `repeat()`: a window is whole epochs, as in Keras' own progress bar.
    """

    def __init__(self, dataset: Any, workload: Workload) -> None:
        """Open the dataset, which reads its first two batches to learn their shapes, as `fit` does.

        Raises RequestError if this Keras reads a PyDataset in another way.
        """
        self._dataset = dataset
        # Only one that does not know its length is given the steps, as in fit(steps_per_epoch=...).
        is_endless = dataset.num_batches is None
        self._steps = math.ceil(workload.images / workload.batch_size) if is_endless else None
        self._is_within_epoch = False
        self._begin()

    @property
    def workers(self) -> str:
        """What reads the batches, and how many wait: such as `4 threads (max_queue_size=10)`."""
        dataset = self._dataset
        kind = "process" if dataset.use_multiprocessing else "thread"
        if dataset.workers < 1 or (dataset.workers == 1 and kind == "thread"):
            return "1 thread"
        plural = "" if dataset.workers == 1 else {"process": "es", "thread": "s"}[kind]
        return f"{dataset.workers} {kind}{plural} (max_queue_size={dataset.max_queue_size})"

    def __iter__(self) -> Iterator[Batch]:
        """Yield an epoch: `on_epoch_begin`, the batches as tensors, `on_epoch_end`.

        Raises what the dataset raises.
        """
        import tensorflow as tf

        if self._is_within_epoch:
            # Otherwise the queue of the unfinished epoch would be delivered again.
            self._begin()
        self._is_within_epoch = True
        try:
            for _, _, batches in self._epochs:
                yield from _next_of(batches)
        except tf.errors.OpError:
            if self._adapter.error is None:
                raise
            raise self._adapter.error from None  # TensorFlow turned it into text
        self._is_within_epoch = False

    def _begin(self) -> None:
        """Do what `fit` does before its first epoch."""
        import tensorflow as tf

        iterator_class, adapter_class = _private_classes()
        self._adapter = _keeping_errors(adapter_class)(self._dataset, shuffle=True)
        self._epochs = iterator_class(
            x=self._adapter,
            steps_per_epoch=self._steps,
            distribute_strategy=tf.distribute.get_strategy(),
        )
        self._epochs.reset()


def _next_of(batches: Iterator[Batch]) -> Iterator[Batch]:
    """Yield the next batch, or nothing if there is none: `fit` warns of that and continues."""
    try:
        batch = next(batches)
    except StopIteration:
        return
    yield batch


def _private_classes() -> tuple[Any, Any]:
    """Return Keras' loop over epochs, and its adapter for a PyDataset."""
    import keras

    try:
        from keras.src.backend.tensorflow.trainer import TFEpochIterator
        from keras.src.trainers.data_adapters.py_dataset_adapter import PyDatasetAdapter
    except ImportError as error:
        raise RequestError(
            f"Feedbench cannot read a PyDataset as fit() does with Keras {keras.__version__}"
            f" ({error})",
            hint="use another version of Keras, or return the batches from a generator",
        ) from error
    return TFEpochIterator, PyDatasetAdapter


def _keeping_errors(adapter_class: Any) -> Any:
    """Return the adapter's class with `error`, the exception that the dataset raised."""

    class Adapter(adapter_class):  # type: ignore[misc]
        error: Exception | None = None

        def _get_iterator(self) -> Iterator[Any]:
            try:
                yield from super()._get_iterator()
            except Exception as error:
                self.error = error
                raise

    return Adapter
