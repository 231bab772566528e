"""A tf.data iterator and dataset whose waits are seen, in a loop and in a compiled step.

Keras' `fit` does not call `next()`: its compiled function has an op for it. So the iterator that it
gets adds two ops, `tf.timestamp` before that op and after the batch, and puts both times in a
queue. Nothing else of the pipeline or of the function changes.

TensorFlow's clock there is the wall clock, in microseconds. In a loop in Python it is
`time.perf_counter` around the call, which is the clock of all other iterables.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from feedbench.bench.watching.recorder import Recorder

_COLLECT_EVERY = 1024  # calls: so the queue of a long epoch stays small
_CHANNELS: dict[int, Channel] = {}  # by number, since a spec can only have plain values
_NUMBERS = itertools.count()

_OwnedIterator: Any = tf.data.IteratorSpec(tf.TensorSpec(())).value_type


class Channel:
    """The way of the times from a compiled function to a recorder: a queue without a limit."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.number = next(_NUMBERS)
        self._calls = 0
        with tf.device("CPU:0"):
            # asked, arrived, and 1.0 for a batch or 0.0 for the end
            self._queue = tf.queue.FIFOQueue(-1, [tf.float64] * 3, [[]] * 3)
        _CHANNELS[self.number] = self
        recorder.collect = self.collect

    def put(self, asked: Any, arrived: Any, has_batch: Any) -> None:
        """Add the op that puts times in the queue."""
        self._queue.enqueue([asked, arrived, has_batch])

    def called(self) -> None:
        """Collect now and then."""
        self._calls += 1
        if self._calls % _COLLECT_EVERY == 0:
            self.collect()

    def collect(self) -> None:
        """Move the times from the queue to the recorder's epoch."""
        size = int(self._queue.size())
        if not size:
            return
        self.recorder.place = "graph"
        columns = [each.numpy().tolist() for each in self._queue.dequeue_many(size)]
        for asked, arrived, has_batch in zip(*columns, strict=True):
            if has_batch:
                self.recorder.epoch.add((asked, arrived))
            else:
                self.recorder.epoch.finish(arrived - asked)


class WatchedIterator(_OwnedIterator):  # type: ignore[misc]
    """A tf.data iterator that shares another one's resource, and tells when batches came."""

    def __init__(
        self, iterator: Any, components: Any, element_spec: Any, channels: tuple[Channel, ...]
    ) -> None:
        super().__init__(components=components, element_spec=element_spec)
        self.channels = channels
        self._shared = iterator  # which owns the resource
        self._spec = WatchedIteratorSpec(element_spec, tuple(each.number for each in channels))

    @classmethod
    def over(cls, iterator: Any, channel: Channel) -> WatchedIterator:
        """Return an iterator over the same batches. It tells whom the other one tells, too."""
        before = iterator.channels if isinstance(iterator, WatchedIterator) else ()
        components = iterator._type_spec._to_components(iterator)  # noqa: SLF001 - as tf.function
        return cls(iterator, components, iterator.element_spec, (*before, channel))

    @property
    def _type_spec(self) -> WatchedIteratorSpec:
        for channel in self.channels:
            channel.called()
        return self._spec

    def __next__(self) -> Any:
        """Return the next batch."""
        if tf.executing_eagerly():
            return self._timed(super().__next__)
        return self._stamped(super().__next__)

    def get_next(self) -> Any:
        """Return the next batch, in a compiled function too."""
        if tf.executing_eagerly():
            return self._timed(super().get_next)
        return self._stamped(super().get_next)

    def get_next_as_optional(self) -> Any:
        """Return the next batch or none, in a compiled function too."""
        if tf.executing_eagerly():
            return self._timed(super().get_next_as_optional)
        return self._stamped(super().get_next_as_optional)

    def _timed(self, get: Callable[[], Any]) -> Any:
        asked = time.perf_counter()
        try:
            batch = get()
        except (StopIteration, tf.errors.OutOfRangeError):
            self._finish(time.perf_counter() - asked)
            raise
        if isinstance(batch, tf.experimental.Optional) and not batch.has_value():
            self._finish(time.perf_counter() - asked)
            return batch
        times = asked, time.perf_counter()
        for channel in self.channels:
            channel.recorder.epoch.add(times)
        return batch

    def _finish(self, seconds: float) -> None:
        for channel in self.channels:
            channel.recorder.epoch.finish(seconds)

    def _stamped(self, get: Callable[[], Any]) -> Any:
        with tf.device("CPU:0"):
            asked = tf.timestamp()
        with tf.control_dependencies([asked]):
            batch = get()
        tensors = tf.nest.flatten(batch, expand_composites=True)
        with tf.device("CPU:0"):
            with tf.control_dependencies(tensors):
                arrived = tf.timestamp()
            is_optional = isinstance(batch, tf.experimental.Optional)
            has_batch = tf.cast(batch.has_value() if is_optional else True, tf.float64)
            for channel in self.channels:
                channel.put(asked, arrived, has_batch)
        return batch


class WatchedIteratorSpec(tf.data.IteratorSpec):  # type: ignore[misc]
    """How a compiled function takes a watched iterator, and makes it anew inside."""

    __slots__ = ["_numbers"]

    def __init__(self, element_spec: Any, numbers: tuple[int, ...]) -> None:
        super().__init__(element_spec)
        self._numbers = numbers

    @property
    def value_type(self) -> type[WatchedIterator]:
        """The class of the iterator."""
        return WatchedIterator

    def _serialize(self) -> tuple[Any, ...]:
        return (*super()._serialize(), self._numbers)

    def _from_components(self, components: Any) -> WatchedIterator:
        channels = tuple(_CHANNELS[number] for number in self._numbers)
        return WatchedIterator(None, components, self._element_spec, channels)


class WatchedDataset(tf.data.Dataset):  # type: ignore[misc]
    """A dataset that is another one, with watched iterators."""

    def __init__(self, dataset: Any, recorder: Recorder) -> None:
        self._dataset = dataset
        self._channel = Channel(recorder)
        super().__init__(dataset._variant_tensor)  # noqa: SLF001 - as each dataset does

    def _inputs(self) -> list[Any]:
        return [self._dataset]

    @property
    def element_spec(self) -> Any:
        """The batches' types and shapes."""
        return self._dataset.element_spec

    def __iter__(self) -> Any:
        """Begin an epoch."""
        iterator = iter(self._dataset)
        if not tf.executing_eagerly():  # in a compiled loop over a dataset, which has no iterator
            return iterator
        self._channel.recorder.begin_epoch()
        return WatchedIterator.over(iterator, self._channel)

    def report(self) -> str:
        """Report what was seen so far: see Watched.report."""
        return self._channel.recorder.report()

    def record(self) -> Any:
        """Return what was seen so far: see Watched.record."""
        return self._channel.recorder.record()
