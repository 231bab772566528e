"""A pipeline's feed as `fit` takes it, with real Keras."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from feedbench.bench.fitting.fit_data import fit_data
from feedbench.pipelines.built_in.keras.py_dataset import PyDataset
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import WrongWorkError
from tests.support.builders import workload_over

Change = Callable[[int], int]

pytestmark = [pytest.mark.tensorflow, pytest.mark.thorough]


@pytest.fixture(scope="module")
def workload(photos: Path) -> Workload:
    """39 photos in batches of 8: the last one has 7."""
    return replace(workload_over(photos), batch_size=8)


class Numbered:
    """Epochs whose labels are 0, 1 and 2 in turn, and whose images are all the number of theirs."""

    def __init__(
        self, workload: Workload, change: Callable[[int], int] = lambda count: count
    ) -> None:
        self.workload = workload
        self.epochs = 0
        self._change = change

    def __iter__(self) -> Iterator[Any]:
        self.epochs += 1
        places = np.arange(self._change(self.workload.images))
        for first in range(0, len(places), 8):
            chosen = places[first : first + 8]
            images = np.broadcast_to(chosen[:, None, None, None] / 100, (len(chosen), 32, 32, 3))
            yield images.astype(np.float32), (chosen % 3).astype(np.int64)


class Seen:
    """A stand-in for a model: counts what `fit` delivers, by Keras' own loop."""

    def __init__(self) -> None:
        import keras

        class Counting(keras.Model):  # type: ignore[misc]
            def train_step(self, data: Any) -> dict[str, Any]:
                images, labels = data
                seen.append((images.numpy(), labels.numpy()))
                return {"loss": 0.0}

        seen: list[Any] = []
        self.batches = seen
        self.model = Counting()
        self.model.compile(run_eagerly=True)

    def fit(self, data: Any, epochs: int = 2) -> Seen:
        self.model.fit(
            data.data,
            epochs=epochs,
            steps_per_epoch=data.steps,
            shuffle=data.shuffle,
            verbose=0,
        )
        return self

    @property
    def sizes(self) -> list[int]:
        return [len(images) for images, _ in self.batches]


EPOCH = [8, 8, 8, 8, 7]


def test_a_feed_of_arrays_becomes_whole_epochs(workload: Workload) -> None:
    feed: Any = Numbered(workload)
    seen = Seen().fit(fit_data(feed, workload))
    assert seen.sizes == EPOCH * 2
    assert feed.epochs == 2
    numbers = [round(float(image.mean()) * 100) for images, _ in seen.batches for image in images]
    assert numbers == [*range(39), *range(39)]
    assert all(labels.dtype == np.int32 for _, labels in seen.batches)


def test_a_dataset_goes_in_as_it_is(workload: Workload) -> None:
    import tensorflow as tf

    images = np.zeros((39, 32, 32, 3), np.float32)
    labels = np.zeros(39, np.int32)
    dataset: Any = tf.data.Dataset.from_tensor_slices((images, labels)).batch(8)
    data = fit_data(dataset, workload)
    assert data.data is dataset
    assert Seen().fit(data).sizes == EPOCH * 2


def test_an_endless_dataset_is_cut_and_noted(workload: Workload) -> None:
    import tensorflow as tf

    images = np.zeros((39, 32, 32, 3), np.float32)
    labels = np.zeros(39, np.int32)
    dataset: Any = tf.data.Dataset.from_tensor_slices((images, labels)).batch(8).repeat()
    data = fit_data(dataset, workload)
    assert data.notes == ["its dataset has no end: fit takes 5 batches of it as an epoch"]
    assert Seen().fit(data).sizes == EPOCH * 2


def test_a_dataset_of_dicts_is_taken_by_its_keys(workload: Workload) -> None:
    import tensorflow as tf

    parts = {"image": np.zeros((39, 32, 32, 3), np.float32), "label": np.zeros(39, np.int32)}
    dataset: Any = tf.data.Dataset.from_tensor_slices(parts).batch(8)
    assert Seen().fit(fit_data(dataset, workload)).sizes == EPOCH * 2
    other: Any = dataset.map(lambda each: {"a": each["image"], "b": each["label"]})
    with pytest.raises(WrongWorkError, match="dicts with the keys 'a', 'b'"):
        fit_data(other, workload)


def test_a_py_dataset_goes_in_as_it_is(workload: Workload, tmp_path: Path) -> None:
    feed: Any = PyDataset().open(workload, tmp_path, tmp_path)
    data = fit_data(feed, workload)
    assert data.data is feed
    assert sorted(Seen().fit(data, epochs=1).sizes) == sorted(EPOCH)


def test_too_few_or_too_many_batches_are_refused_at_once(workload: Workload) -> None:
    import tensorflow as tf

    images = np.zeros((45, 32, 32, 3), np.float32)
    labels = np.zeros(45, np.int32)
    dataset: Any = tf.data.Dataset.from_tensor_slices((images, labels)).batch(8)
    with pytest.raises(WrongWorkError, match="6 batches an epoch; expected 5"):
        fit_data(dataset, workload)
    with pytest.raises(WrongWorkError, match="4 batches an epoch; expected 5"):
        fit_data(dataset.take(4), workload)


@pytest.mark.parametrize("change", [lambda count: count - 3, lambda count: count + 1])
def test_an_epoch_of_other_images_is_refused_as_it_ends(
    workload: Workload, change: Callable[[int], int]
) -> None:
    data = fit_data(Numbered(workload, change), workload)
    with pytest.raises(Exception, match=r"delivered (36|40) images"):
        Seen().fit(data)
    assert isinstance(data.error, WrongWorkError)
