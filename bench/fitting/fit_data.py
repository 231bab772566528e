"""A pipeline's feed as `fit` takes it, one epoch after another.

A tf.data.Dataset and a Keras PyDataset go in as they are. Any other feed goes in as Keras itself
takes a generator: by `tf.data.Dataset.from_generator`, with a prefetch behind it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from feedbench.bench.measured.batches.batch_checks import EpochCheck
from feedbench.bench.measured.batches.batch_forms import IMAGE_KEYS, LABEL_KEYS, pair
from feedbench.pipelines.contract import Feed, Workload
from feedbench.pipelines.errors import WrongWorkError
from feedbench.pipelines.keras_fit import is_py_dataset

_ENDLESS, _UNKNOWN = -1, -2  # tf.data.INFINITE_CARDINALITY and UNKNOWN_CARDINALITY
_END = "do not call repeat() on the dataset that you return"


@dataclass
class FitData:
    """What `fit` is given, and what went wrong inside of it."""

    data: Any  # a tf.data.Dataset or a PyDataset
    batches: int  # of an epoch
    steps: int | None = None  # for `steps_per_epoch`; None: the data ends by itself
    shuffle: bool = False  # as `fit` takes it: whole batches of a PyDataset
    notes: list[str] = field(default_factory=list)
    error: Exception | None = None  # that a generator raised; TensorFlow makes a text of it


def fit_data(feed: Feed, workload: Workload) -> FitData:
    """Return a feed as `fit` takes it.

    Raises WrongWorkError if the number of its batches shows that an epoch is not the workload's.
    """
    import tensorflow as tf

    batches = math.ceil(workload.images / workload.batch_size)
    if is_py_dataset(feed):
        return _of_py_dataset(feed, batches)
    if isinstance(feed, tf.data.Dataset):
        return _of_dataset(feed, batches)
    return _of_iterable(feed, workload, batches)


def _of_py_dataset(feed: Any, batches: int) -> FitData:
    count = feed.num_batches
    _refuse_other_count(count, batches)
    return FitData(
        feed, batches, steps=batches if count is None else None, shuffle=count is not None
    )


def _of_dataset(dataset: Any, batches: int) -> FitData:
    cardinality = int(dataset.cardinality())
    is_endless = cardinality == _ENDLESS
    if cardinality >= 0:
        _refuse_other_count(cardinality, batches)
    if isinstance(dataset.element_spec, Mapping):
        image = next((key for key in IMAGE_KEYS if key in dataset.element_spec), None)
        label = next((key for key in LABEL_KEYS if key in dataset.element_spec), None)
        if image is None or label is None:
            raise WrongWorkError(
                f"it delivers dicts with the keys {', '.join(map(repr, dataset.element_spec))};"
                " expected (images, labels)"
            )
        dataset = dataset.map(lambda each: (each[image], each[label]))
    notes = []
    if is_endless:
        notes = [f"its dataset has no end: fit takes {batches} batches of it as an epoch"]
    return FitData(dataset, batches, steps=batches if is_endless else None, notes=notes)


def _refuse_other_count(count: int | None, batches: int) -> None:
    if count is None or count == batches:
        return
    raise WrongWorkError(
        f"it has {count} batches an epoch; expected {batches}, every image once",
        hint=_END if count > batches else "feedbench verify says which images are missing",
    )


def _of_iterable(feed: Feed, workload: Workload, batches: int) -> FitData:
    import tensorflow as tf

    data = FitData(None, batches)
    labels = {
        "int": tf.TensorSpec([None], tf.int32),
        "categorical": tf.TensorSpec([None, len(workload.class_names)], tf.float32),
        "binary": tf.TensorSpec([None, 1], tf.float32),
    }[workload.label_mode]
    images = tf.TensorSpec([None, *workload.shape], tf.as_dtype(workload.dtype))
    label_type = labels.dtype.as_numpy_dtype

    def epoch() -> Iterator[tuple[Any, Any]]:
        check = EpochCheck(workload)
        try:
            for number, delivered in enumerate(feed, 1):
                check.batch(delivered)
                if number == batches:
                    check.end()  # now: fit does not ask for a batch after the last
                batch, of_batch = pair(delivered)
                yield batch, np.asarray(of_batch, label_type)
            check.end()
        except Exception as error:
            data.error = error
            raise

    made = tf.data.Dataset.from_generator(epoch, output_signature=(images, labels))
    data.data = made.apply(tf.data.experimental.assert_cardinality(batches)).prefetch(
        tf.data.AUTOTUNE
    )
    return data
