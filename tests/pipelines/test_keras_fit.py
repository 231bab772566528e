"""A PyDataset as a feed, compared with what Keras' own `fit` does with it."""

from __future__ import annotations

import random
import re
import sys
import threading
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from feedbench.bench.equal_work import references
from feedbench.bench.measured.trial import Trial
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.keras_fit import FitFeed, is_py_dataset
from feedbench.pipelines.loader_file import FunctionPipeline
from tests.support.builders import workload_over
from tests.support.pipelines.claimed_feeds import a_request
from tests.support.pipelines.feeds import proof_of

if TYPE_CHECKING:
    from tests.support.pipelines.py_datasets import Photos

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def workload(photos: Path) -> Workload:
    """39 photos in batches of 8: the last one has 7."""
    return replace(workload_over(photos), batch_size=8)


@pytest.fixture(scope="module")
def levels(workload: Workload) -> Any:
    decoded = [references.sampled(references.decoded(file), workload) for file in workload.files]
    return np.stack(decoded) / np.float32(255)


@pytest.fixture
def made(workload: Workload, levels: Any) -> Any:
    """Makes a PyDataset of the photos, which records what is called of it."""
    from tests.support.pipelines.py_datasets import Photos

    return lambda **given: Photos(levels, workload, **given)


def labels_of(feed: FitFeed) -> list[list[int]]:
    return [np.asarray(labels).tolist() for _, labels in feed]


def delivered(feed: FitFeed) -> list[int]:
    """Return the labels of an epoch, sorted."""
    return sorted(chain.from_iterable(labels_of(feed)))


def fitted(dataset: Photos, epochs: int) -> None:
    """Run Keras' own `fit`, with a model that does next to nothing."""
    import keras

    pooled = keras.layers.GlobalAveragePooling2D()
    model = keras.Sequential([keras.Input((32, 32, 3)), pooled, keras.layers.Dense(3)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    # A model that has seen no labels yet has fit() read another batch, to learn their shape.
    model.train_on_batch(np.zeros((1, 32, 32, 3), np.float32), np.zeros(1, np.int32))
    model.fit(dataset, epochs=epochs, verbose=0)


@pytest.mark.thorough
def test_a_dataset_sees_the_calls_that_fit_makes(made: Any) -> None:
    in_fit, here = made(), made()
    fitted(in_fit, epochs=3)
    feed = FitFeed(here, here.workload)
    for _ in range(3):
        list(feed)
    assert here.by_epoch() == in_fit.by_epoch()
    assert [kind for kind, _ in here.calls].count("end") == 1 + 3  # fit begins with one, too


def test_each_epoch_has_every_batch_once_the_short_one_included(made: Any) -> None:
    feed = FitFeed(made(workers=2), made().workload)
    epochs = [labels_of(feed) for _ in range(2)]
    for epoch in epochs:
        assert sorted(map(len, epoch)) == [7, 8, 8, 8, 8]
        assert sorted(chain.from_iterable(epoch)) == sorted(made().workload.labels)


@pytest.mark.thorough
@pytest.mark.parametrize("workers", [1, 2])
def test_an_epoch_that_was_abandoned_leaves_nothing_in_the_next(made: Any, workers: int) -> None:
    dataset = made(workers=workers)
    feed = FitFeed(dataset, dataset.workload)
    next(iter(feed))
    assert delivered(feed) == sorted(dataset.workload.labels)


@pytest.mark.thorough
def test_several_workers_are_several_threads(made: Any) -> None:
    dataset = made(workers=3, seconds=0.05)
    list(FitFeed(dataset, dataset.workload))
    threads = {thread for _, thread in dataset.readers}
    assert len(threads - {threading.get_ident()}) >= 2


@pytest.mark.thorough
@pytest.mark.parametrize("workers", [1, 3])
def test_what_a_dataset_raises_within_an_epoch_stays_what_it_is(made: Any, workers: int) -> None:
    dataset = made(workers=workers)
    feed = FitFeed(dataset, dataset.workload)
    dataset.raises = OSError("the disk is on fire")
    with pytest.raises(OSError, match=r"^the disk is on fire$"):
        list(feed)


@pytest.mark.thorough
def test_a_dataset_without_a_length_has_the_steps_of_an_epoch(made: Any) -> None:
    dataset = made(is_endless=True)
    feed = FitFeed(dataset, dataset.workload)
    assert [len(labels_of(feed)) for _ in range(2)] == [5, 5]


@pytest.mark.thorough
@pytest.mark.parametrize(("shuffles", "kind"), [(True, "full"), (False, "partial")])
def test_the_shuffle_at_an_epochs_end_counts(
    made: Any, tmp_path: Path, shuffles: bool, kind: str
) -> None:
    """Without it fit shuffles whole batches, whose images stay together."""
    random.seed(0)  # Keras' own: of 5 batches, one epoch in 120 has the order of the last by chance
    dataset = made(shuffles=shuffles)
    proof = proof_of(tmp_path, FitFeed(dataset, dataset.workload), dataset.workload)
    assert proof.work == "same"
    assert proof.shuffle is not None
    assert proof.shuffle.kind == kind


@pytest.mark.thorough
def test_keras_iterator_over_a_folder_has_epochs(photos: Path, workload: Workload) -> None:
    """It is a PyDataset, and an iterator without end."""
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    iterator = ImageDataGenerator(rescale=1 / 255).flow_from_directory(
        photos, target_size=(workload.height, workload.width), batch_size=8, class_mode="sparse"
    )
    pipeline = FunctionPipeline(lambda _: iterator, "loader.py:photos")
    made = pipeline.open(workload, Path("prepared"), Path("scratch"))
    assert is_py_dataset(made)
    assert delivered(FitFeed(made, workload)) == sorted(workload.labels)


@pytest.mark.parametrize(
    ("given", "remark"),
    [
        ({}, "its PyDataset is read as fit() does, by 1 thread"),
        ({"workers": 4}, "its PyDataset is read as fit() does, by 4 threads (max_queue_size=10)"),
        (
            {"workers": 1, "use_multiprocessing": True, "max_queue_size": 3},
            "its PyDataset is read as fit() does, by 1 process (max_queue_size=3)",
        ),
    ],
)
def test_a_trial_remarks_on_the_workers(made: Any, given: Any, remark: str) -> None:
    dataset = made(**given)
    pipeline = FunctionPipeline(lambda _: dataset, "loader.py:photos")
    trial = Trial(pipeline, dataset.workload, lambda _: None)
    with pytest.warns(UserWarning, match=f"^{re.escape(remark)}$"):
        feed = trial.open(a_request(purpose="main")).feed
    assert isinstance(feed, FitFeed)


@pytest.mark.parametrize(
    "module",
    [
        "keras.src.backend.tensorflow.trainer",
        "keras.src.trainers.data_adapters.py_dataset_adapter",
    ],
)
def test_a_keras_without_the_private_names_is_told_in_a_sentence(
    made: Any, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = made()  # with this Keras they are there
    FitFeed(dataset, dataset.workload)
    monkeypatch.setitem(sys.modules, module, None)  # what Python then does: ImportError
    with pytest.raises(RequestError, match=r"^Feedbench cannot read a PyDataset .* with Keras 3"):
        FitFeed(dataset, dataset.workload)


def test_nothing_else_is_a_py_dataset(made: Any) -> None:
    import tensorflow as tf

    assert is_py_dataset(made())
    assert not any(map(is_py_dataset, ([], iter([]), tf.data.Dataset.range(3), np.zeros(3))))
