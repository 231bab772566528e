"""Waits in Keras' `fit`, on datasets and steps that take a known time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import feedbench
from feedbench.bench.records.trainings.watch import WatchRecord
from feedbench.bench.records.trainings.watch_file import read_watch

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.thorough,
    pytest.mark.alone,
    pytest.mark.filterwarnings("ignore:`shuffle=True` was passed:UserWarning"),
    pytest.mark.filterwarnings("ignore:Your input ran out of data:UserWarning"),
]

BATCHES = 12
BATCH_SECONDS, STEP_SECONDS = 0.030, 0.010
NEAR = 0.004  # seconds


def a_dataset(seconds: float = BATCH_SECONDS, *, is_buffered: bool = False) -> Any:
    """Batches that take so long, made while the model works if they are buffered."""
    import tensorflow as tf

    def slow(number: Any) -> Any:
        taken = tf.numpy_function(_sleep(seconds), [number], tf.float32)
        images = tf.ensure_shape(taken, [4, 2])
        return images, tf.reduce_sum(images, axis=1, keepdims=True)

    dataset = tf.data.Dataset.range(BATCHES).map(slow)
    if is_buffered:
        return dataset.prefetch(4)
    options = tf.data.Options()
    options.experimental_optimization.inject_prefetch = False  # which TensorFlow adds by itself
    return dataset.with_options(options)


def _sleep(seconds: float) -> Any:
    def made(number: Any) -> Any:
        time.sleep(seconds)
        return np.full((4, 2), number, np.float32)

    return made


def a_model(seconds: float = STEP_SECONDS, **given: Any) -> Any:
    """A model whose step takes so long, without a core."""
    import keras
    import tensorflow as tf

    class Slow(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.dense = keras.layers.Dense(1, kernel_initializer="ones")

        def call(self, images: Any) -> Any:
            return self.dense(images)

        def train_step(self, data: Any) -> Any:
            slept = tf.numpy_function(_slept(seconds), [data[0]], tf.float32)
            with tf.control_dependencies([slept]):
                return super().train_step(data)

    model = Slow()
    model.compile("sgd", "mse", jit_compile=False, **given)
    return model


def _slept(seconds: float) -> Any:
    def sleep(_: Any) -> Any:
        time.sleep(seconds)
        return np.float32(0)

    return sleep


def fitted(x: Any, epochs: int = 3, model: Any = None, **given: Any) -> WatchRecord:
    callback = feedbench.WatchCallback(**given)
    (model or a_model()).fit(x, epochs=epochs, verbose=0, callbacks=[callback])
    return callback.record()


def means(record: WatchRecord) -> tuple[float, float]:
    """The mean wait and the mean duration of the steps of the shortest epoch.

    The first one compiles. Others are longer where another program takes the cores meanwhile.
    """
    each = min(record.epochs[1:], key=lambda epoch: epoch.seconds)
    return each.waited_seconds / each.steps, each.seconds / each.steps


@pytest.mark.parametrize(
    ("is_buffered", "wait"),
    [(False, BATCH_SECONDS), (True, BATCH_SECONDS - STEP_SECONDS)],
    ids=["unbuffered", "buffered"],
)
def test_the_wait_of_a_step_is_what_arithmetic_says(is_buffered: bool, wait: float) -> None:
    record = fitted(a_dataset(is_buffered=is_buffered), epochs=4)
    assert record.place == "graph"
    assert [epoch.batches for epoch in record.epochs] == [BATCHES] * 4
    waited, whole = means(record)
    assert waited == pytest.approx(wait, abs=NEAR)
    assert whole == pytest.approx(wait + STEP_SECONDS, abs=NEAR)
    first = min(epoch.first_seconds for epoch in record.epochs)
    assert first == pytest.approx(BATCH_SECONDS, abs=2 * NEAR)


def test_a_model_slower_than_its_buffered_input_does_not_wait() -> None:
    record = fitted(a_dataset(0.005, is_buffered=True), model=a_model(0.02))
    waited, whole = means(record)
    assert waited < 0.001
    assert whole == pytest.approx(0.02, abs=NEAR)


def test_a_watched_dataset_in_fit_shows_the_same_waits_without_the_callback() -> None:
    watched = feedbench.watch(a_dataset(is_buffered=True))
    a_model().fit(watched, epochs=3, verbose=0)
    record = watched.record()
    assert record.place == "graph"
    assert [epoch.batches for epoch in record.epochs] == [BATCHES] * 3
    assert means(record)[0] == pytest.approx(BATCH_SECONDS - STEP_SECONDS, abs=NEAR)


def test_a_watched_dataset_in_fit_with_the_callback_is_seen_by_both() -> None:
    watched = feedbench.watch(a_dataset(0.001))
    record = fitted(watched, epochs=2)
    assert [epoch.batches for epoch in watched.record().epochs] == [BATCHES] * 2
    assert [epoch.batches for epoch in record.epochs] == [BATCHES] * 2


def test_a_watched_dataset_in_a_loop_is_timed_around_next() -> None:
    watched = feedbench.watch(a_dataset(is_buffered=True))
    for _ in range(3):
        for _ in watched:
            time.sleep(STEP_SECONDS)
    record = watched.record()
    assert record.place == "python"
    assert means(record)[0] == pytest.approx(BATCH_SECONDS - STEP_SECONDS, abs=NEAR)
    assert len(record.epochs) == 3


def test_a_compiled_loop_over_a_watched_iterator_is_seen() -> None:
    import tensorflow as tf

    watched = feedbench.watch(a_dataset(0.002))

    @tf.function  # type: ignore[untyped-decorator]
    def summed(iterator: Any) -> Any:
        total = tf.constant(0.0)
        for _ in tf.range(5):
            total += tf.reduce_sum(next(iterator)[0])
        return total

    assert float(summed(iter(watched))) == 8 * sum(range(5))
    (epoch,) = watched.record().epochs
    assert epoch.batches == 5
    assert epoch.waited_seconds >= 4 * 0.002


def test_a_dataset_made_of_a_watched_one_is_an_ordinary_one() -> None:
    watched = feedbench.watch(a_dataset(0.0))
    assert len([*watched.take(3)]) == 3  # type: ignore[attr-defined,unused-ignore]
    assert "no batch was read" in watched.report()


@pytest.mark.parametrize("kind", ["arrays", "generator", "py_dataset"])
def test_whatever_fit_takes_is_seen_by_the_callback(kind: str) -> None:
    import keras

    class Batches(keras.utils.PyDataset):  # type: ignore[misc]
        num_batches = BATCHES

        def __getitem__(self, index: int) -> tuple[Any, Any]:
            time.sleep(BATCH_SECONDS)
            return np.full((4, 2), index, np.float32), np.ones((4, 1), np.float32)

    def generated() -> Iterator[tuple[Any, Any]]:
        while True:
            yield np.ones((4, 2), np.float32), np.ones((4, 1), np.float32)

    callback = feedbench.WatchCallback()
    ones = np.ones((4 * BATCHES, 2), np.float32), np.ones((4 * BATCHES, 1), np.float32)
    model = a_model()
    if kind == "arrays":
        model.fit(*ones, batch_size=4, epochs=3, verbose=0, callbacks=[callback])
    elif kind == "generator":
        model.fit(generated(), steps_per_epoch=BATCHES, epochs=3, verbose=0, callbacks=[callback])
    else:
        model.fit(Batches(), epochs=3, verbose=0, callbacks=[callback])
    record = callback.record()
    assert [epoch.batches for epoch in record.epochs] == [BATCHES] * 3
    waited = means(record)[0]
    expected = BATCH_SECONDS - STEP_SECONDS if kind == "py_dataset" else 0.0
    assert waited == pytest.approx(expected, abs=NEAR)


def test_an_end_that_fit_has_to_look_for_is_apart() -> None:
    import tensorflow as tf

    def slow_end(number: Any) -> Any:
        time.sleep(0.1 if number == BATCHES else 0.0)
        return np.bool_(number < BATCHES)

    numbers = tf.data.Dataset.range(BATCHES + 1)
    kept = numbers.filter(
        lambda number: tf.ensure_shape(tf.numpy_function(slow_end, [number], tf.bool), [])
    )
    dataset = kept.map(lambda _: (tf.ones([4, 2]), tf.ones([4, 1])))
    record = fitted(dataset, model=a_model(0.001))
    assert record.epochs[0].end_seconds == pytest.approx(0.1, abs=0.05)
    assert means(record)[0] < 0.01


def test_several_steps_a_call_are_all_seen_and_named_as_upper_limits() -> None:
    record = fitted(a_dataset(), model=a_model(steps_per_execution=5))
    assert [epoch.batches for epoch in record.epochs] == [BATCHES] * 3
    assert record.steps_per_execution == 5
    assert 0 < means(record)[0] <= BATCH_SECONDS + NEAR


def test_steps_that_run_eagerly_are_seen() -> None:
    record = fitted(a_dataset(), model=a_model(run_eagerly=True))
    assert record.place == "python"
    assert [epoch.batches for epoch in record.epochs] == [BATCHES] * 3
    assert means(record)[0] == pytest.approx(BATCH_SECONDS, abs=NEAR)


def test_the_callback_changes_nothing_of_the_training() -> None:
    plain, watched = a_model(0.0), a_model(0.0)
    before = plain.fit(a_dataset(0.0), epochs=2, verbose=0).history
    callback = feedbench.WatchCallback()
    after = watched.fit(a_dataset(0.0), epochs=2, verbose=0, callbacks=[callback]).history
    assert before == after
    function = watched.train_function
    watched.fit(a_dataset(0.0), epochs=1, verbose=0)
    assert watched.train_function is function
    assert len(callback.record().epochs) == 2  # and none of the fit without it


def test_validation_is_not_counted() -> None:
    callback = feedbench.WatchCallback()
    validation = a_dataset(0.05)
    a_model(0.0).fit(
        a_dataset(0.0), validation_data=validation, epochs=2, verbose=0, callbacks=[callback]
    )
    record = callback.record()
    assert [epoch.batches for epoch in record.epochs] == [BATCHES] * 2
    assert record.epochs[-1].waited_seconds < 0.05


def test_a_strategy_that_takes_batches_in_the_background_is_said_to_be_unseen() -> None:
    import tensorflow as tf

    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    with strategy.scope():
        model = a_model(0.0)
    callback = feedbench.WatchCallback()
    model.fit(a_dataset(0.0), epochs=1, verbose=0, callbacks=[callback])
    record = callback.record()
    assert record.blind
    assert record.epochs == ()


def test_it_writes_the_file_and_scalars_that_tensorboard_reads(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    record = fitted(a_dataset(), out=tmp_path / "watch.json", logdir=tmp_path / "logs")
    assert read_watch(tmp_path / "watch.json") == record
    events = EventAccumulator(str(tmp_path / "logs")).Reload()
    waits = events.Scalars("input/wait_ms")
    assert [each.step for each in waits] == [*range(3 * (BATCHES - 1))]
    assert statistics.median(each.value for each in waits) == pytest.approx(30, abs=1000 * NEAR)
    assert abs(waits[-1].wall_time - time.time()) < 60
    assert len(events.Scalars("input/first_batch_ms")) == 3
    shares = events.Scalars("input/waiting_share")
    assert [each.value for each in shares] == pytest.approx(
        [each.waited_seconds / each.seconds for each in record.epochs]
    )
