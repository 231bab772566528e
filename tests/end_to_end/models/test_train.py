"""`feedbench train` from end to end: models, files on disk, Ctrl-C and bad requests."""

from __future__ import annotations

import csv
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from feedbench.bench.records.trainings.training import TrainingRecord, read_training
from feedbench.pipelines.images.sample_photos import write_photos
from tests.support.programs.command import Feedbench
from tests.support.waiting import until

pytestmark = [pytest.mark.tensorflow, pytest.mark.end_to_end]

SMALL = ("--image-size", "32", "--batch-size", "8", "--quiet")

MODEL = """
import keras
from keras import layers


def build(workload):
    return keras.Sequential([
        keras.Input(workload.shape),
        layers.Flatten(),
        layers.Dense(len(workload.class_names), activation="softmax"),
    ])


def exploding(workload):
    model = build(workload)
    explosion = keras.optimizers.SGD(1e38)
    model.compile(explosion, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def greedy(workload):
    import tensorflow as tf

    class Greedy(layers.Layer):
        def call(self, images, training=None):
            if training:
                raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")
            return images

    return keras.Sequential([keras.Input(workload.shape), Greedy(), *build(workload).layers])
"""

ARRAYS = """
import numpy as np
from PIL import Image


def photos(workload):
    size = workload.width, workload.height
    places = np.random.default_rng(workload.seed).permutation(workload.images)
    for first in range(0, workload.images, workload.batch_size):
        chosen = places[first : first + workload.batch_size]
        images = [Image.open(workload.files[place]).convert("RGB").resize(size) for place in chosen]
        labels = np.array([workload.labels[place] for place in chosen])
        yield np.stack(images).astype(np.float32) / 255, labels


def broken(workload):
    for number, batch in enumerate(photos(workload)):
        if number == 2:
            raise OSError("the disk is gone")
        yield batch
"""


@pytest.fixture
def folder(feedbench: Feedbench) -> Path:
    """40 generated photos of 5 classes, a file of models and one of loaders.

    30 are for training and 10 for validation, 2 of each class.
    """
    write_photos(feedbench.folder / "ph", 40)
    (feedbench.folder / "model.py").write_text(MODEL)
    (feedbench.folder / "loader.py").write_text(ARRAYS)
    return feedbench.folder


def record_of(folder: Path, out: str = "OUT") -> TrainingRecord:
    record = read_training(folder / out)
    with (folder / out / "training.csv").open() as file:
        rows = [*csv.DictReader(file)]
    assert len(rows) == sum(len(each.epochs) for each in record.trainings)
    return record


def test_two_pipelines_train_the_same_model_and_everything_is_kept(
    feedbench: Feedbench, folder: Path
) -> None:
    import keras
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    done = feedbench.run(
        *("train", "ph", "--model", "cifar_cnn", "--epochs", "3", "--batch-size", "8"),
        *("-p", "tfdata_tuned", "-p", "tfrecord_gzip", "-p", "mine=loader.py:photos"),
        *("--out", "OUT"),
    )
    assert done.returncode == 0, done.stderr
    assert "The pipelines train alike" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100
    assert [line for line in done.stderr.splitlines() if "tfdata_tuned: epoch 3/3" in line]
    record = record_of(folder)
    assert (record.status, record.workload.height, record.workload.label_mode) == (
        "complete",
        32,
        "int",
    )
    assert [each.label for each in record.trainings] == ["tfdata_tuned", "tfrecord_gzip", "mine"]
    assert len({each.initial_weights for each in record.trainings}) == 1
    assert record.validation_images == 10
    assert {*record.validation_classes.values()} == {2}
    assert record.likeness is not None
    assert (record.likeness.part, record.likeness.images) == ("validation", 10)
    page = (folder / "OUT" / "report.html").read_text()
    assert "<h1>The pipelines train alike" in page
    assert page.count('<div class="panel">') == 2 * 3
    for training in record.trainings:
        assert [epoch.number for epoch in training.epochs] == [1, 2, 3]
        assert all(epoch.seconds > 0 and epoch.images == 30 for epoch in training.epochs)
        assert all((epoch.val_accuracy or 0) * 10 % 1 < 1e-5 for epoch in training.epochs)
        assert all(epoch.val_seconds > 0 and epoch.val_loss for epoch in training.epochs)
        model: Any = keras.models.load_model(folder / "OUT" / training.model)
        answers = model.predict(np.zeros((2, 32, 32, 3)), verbose=0)
        assert answers.shape == (2, 5)
        for part in ("train", "validation"):
            events = EventAccumulator(str(folder / "OUT" / training.tensorboard / part))
            events.Reload()
            assert {*events.Tags()["tensors"]} == {"epoch_loss", "epoch_accuracy"}
            assert [each.step for each in events.Tensors("epoch_loss")] == [0, 1, 2]
    assert feedbench.left_in_scratch() == []


def test_ctrl_c_keeps_the_epochs_so_far(feedbench: Feedbench, folder: Path) -> None:
    import keras

    words = ("train", "ph", "--model", "model.py:build", "--epochs", "100000", *SMALL)
    with feedbench.start(*words, "-p", "tfdata_tuned", "--out", "OUT") as process:
        file = folder / "OUT" / "training.csv"
        until(lambda: file.is_file() and len(file.read_text().splitlines()) > 3, seconds=120)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "interrupted" in out
    record = record_of(folder)
    (training,) = record.trainings
    assert (record.status, training.status) == ("interrupted", "interrupted")
    assert len(training.epochs) >= 3
    keras.models.load_model(folder / "OUT" / training.model)
    assert [file.name for file in (folder / "OUT" / "models").iterdir()] == ["tfdata-tuned.keras"]
    assert feedbench.left_in_scratch() == []


def test_a_pipeline_that_fails_does_not_stop_the_others(feedbench: Feedbench, folder: Path) -> None:
    done = feedbench.run(
        *("train", "ph", "--model", "model.py:build", "--epochs", "2", *SMALL, "--out", "OUT"),
        *("-p", "bad=loader.py:broken", "-p", "tfdata_naive", "--repeats", "2"),
    )
    assert done.returncode == 1, done.stderr
    record = record_of(folder)
    statuses = [(each.label, each.seed, each.status) for each in record.trainings]
    assert statuses == [
        ("bad", 0, "failed"),
        ("tfdata_naive", 0, "trained"),
        ("bad", 1, "failed"),
        ("tfdata_naive", 1, "trained"),
    ]
    assert "OSError: the disk is gone (loader.py, line " in record.trainings[0].why
    first, second = record.of("tfdata_naive")
    assert first.initial_weights != second.initial_weights
    assert (folder / "OUT" / "models" / "tfdata-naive-seed-1.keras").is_file()


@pytest.mark.parametrize("stops", [False, True])
def test_a_loss_that_is_not_a_number_is_named(
    stops: bool, feedbench: Feedbench, folder: Path
) -> None:
    done = feedbench.run(
        *("train", "ph", "--model", "model.py:exploding", "--epochs", "3", *SMALL),
        *("-p", "tfdata_tuned", "--out", "OUT", *(["--stop-at-nan"] if stops else [])),
    )
    assert done.returncode == 0, done.stderr
    (training,) = record_of(folder).trainings
    assert training.nan_epoch == 1
    assert len(training.epochs) == (1 if stops else 3)
    assert training.status == ("stopped" if stops else "trained")
    assert "its loss was not a number in epoch 1" in " ".join(done.stdout.split())


def test_memory_that_runs_out_names_the_batch_size(feedbench: Feedbench, folder: Path) -> None:
    done = feedbench.run(
        *("train", "ph", "--model", "model.py:greedy", *SMALL, "-p", "tfdata_naive"),
        *("--out", "OUT"),
    )
    assert done.returncode == 1, done.stderr
    (training,) = record_of(folder).trainings
    assert training.why == "memory ran out in a batch of 8 images of 32x32"
    assert training.hint.startswith("use --batch-size 4")


@pytest.mark.parametrize(
    ("words", "sentence", "hint"),
    [
        (("--model", "cats_dogs_cnn"), "--label-mode binary: expected 2 classes", "--label-mode"),
        (("--model", "vgg16", "--image-size", "16"), "cannot take these images", "--image-size"),
        (("--model", "model.py:missing"), "has no function 'missing'", ""),
    ],
)
def test_a_model_that_does_not_fit_is_refused_and_nothing_is_written(
    words: tuple[str, ...], sentence: str, hint: str, feedbench: Feedbench, folder: Path
) -> None:
    done = feedbench.run("train", "ph", *words, "--out", "OUT", "--quiet")
    assert (done.returncode, done.stdout) == (2, "")
    first, *rest = done.stderr.splitlines()
    assert sentence in first
    assert hint in " ".join(rest)
    assert not (folder / "OUT").exists()
