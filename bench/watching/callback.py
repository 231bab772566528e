"""The callback for Keras' `fit`, on TensorFlow."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras

from feedbench.bench.watching.recorder import Recorder
from feedbench.pipelines.errors import RequestError

if TYPE_CHECKING:
    from feedbench.bench.records.trainings.watch import WatchRecord
    from feedbench.bench.watching.tf_inputs import Channel


class WatchCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """Measures how long each training step of `fit` waits for its input, whatever `x` is.

    `fit` makes a tf.data dataset of arrays, generators, a PyDataset or a DataLoader. Its compiled
    function takes batches from that. The callback replaces the iterator by one that tells when a
    batch was asked for and when it arrived. Validation is not measured.

    Its arguments are those of `watch`. It reports at the end of `fit`.
    """

    def __init__(
        self,
        *,
        name: str = "fit",
        out: str | Path | None = None,
        logdir: str | Path | None = None,
    ) -> None:
        super().__init__()
        if keras.backend.backend() != "tensorflow":
            raise RequestError(
                "WatchCallback: expected Keras on TensorFlow;"
                f" found Keras on {keras.backend.backend()}",
                hint="write the loop over batches yourself, and wrap them in feedbench.watch",
            )
        self._recorder = Recorder(
            name,
            "",
            None if out is None else Path(out),
            None if logdir is None else Path(logdir),
        )
        self._channel: Channel | None = None

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Put the watched iterator in front of the compiled function."""
        from feedbench.bench.watching.tf_inputs import Channel

        if self._channel is None:
            self._channel = Channel(self._recorder)
        function = self.model.train_function
        if isinstance(function, _WatchedFunction):  # of a `fit` that was interrupted
            function = function.original
        self._recorder.steps_per_execution = int(self.model.steps_per_execution)
        self.model.train_function = _WatchedFunction(function, self._channel)

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Begin an epoch."""
        self._recorder.begin_epoch()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Collect the epoch, and write its scalars."""
        self._recorder.end_epoch()

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Give the model its own function back, and report."""
        function = self.model.train_function
        if isinstance(function, _WatchedFunction):
            self.model.train_function = function.original
        self._recorder.report()

    def record(self) -> WatchRecord:
        """Return the figures so far."""
        return self._recorder.record()


class _WatchedFunction:
    """A model's training function that gets a watched iterator."""

    def __init__(self, original: Callable[[Any], Any], channel: Channel) -> None:
        self.original = original
        self._channel = channel
        self._iterator: Any = None  # of the epoch
        self._watched: Any = None

    def __call__(self, iterator: Any) -> Any:
        import tensorflow as tf

        recorder = self._channel.recorder
        if iterator is not self._iterator:
            self._iterator, self._watched = iterator, self._over(iterator)
        asked = time.perf_counter()
        try:
            return self.original(self._watched)
        except tf.errors.OutOfRangeError:
            self._channel.collect()
            if recorder.epoch.end_seconds is None:  # a compiled function has no time of its end
                recorder.epoch.finish(time.perf_counter() - asked)
            raise

    def _over(self, iterator: Any) -> Any:
        import tensorflow as tf

        from feedbench.bench.watching.tf_inputs import WatchedIterator

        recorder = self._channel.recorder
        if isinstance(iterator, tf.data.Iterator):
            recorder.source = type(iterator).__name__
            return WatchedIterator.over(iterator, self._channel)
        recorder.blind = (
            f"this strategy of tf.distribute takes batches in the background"
            f" ({type(iterator).__name__})"
        )
        return iterator
