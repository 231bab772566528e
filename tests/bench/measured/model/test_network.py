"""A real model: its steps train, and what does not suit is refused in one sentence."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from feedbench.bench.measured.model.network import NetworkModel
from feedbench.bench.measured.model.one_batch import OneBatch, random_batch
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import RequestError

pytestmark = [pytest.mark.tensorflow, pytest.mark.thorough]


def a_workload(**given: Any) -> Workload:
    fields: dict[str, Any] = {
        "files": tuple(map(str, range(12))),
        "labels": (0, 1) * 6,
        "class_names": ("cats", "dogs"),
        "height": 28,
        "width": 28,
        "batch_size": 8,
        "folder_images": 12,
    }
    return Workload(**fields | given)


def a_model(text: str, workload: Workload) -> NetworkModel:
    return NetworkModel(text, workload, partial(random_batch, workload))


@pytest.mark.parametrize("mode", ["int", "categorical", "binary"])
def test_a_step_trains_the_model_and_counts_the_images(mode: str) -> None:
    workload = a_workload(label_mode=mode)
    model = a_model("mnist_cnn", workload)
    before = [np.copy(weights) for weights in model._model.get_weights()]
    assert model.step(random_batch(workload, 8), 0.0) == 8
    after = model._model.get_weights()
    assert any((old != new).any() for old, new in zip(before, after, strict=True))
    assert model.first_steps_seconds > 0


def test_the_first_steps_trace_both_sizes_of_a_batch() -> None:
    workload = a_workload()
    model = a_model("mnist_cnn", workload)
    sizes = {len(images) for images, _ in OneBatch(workload)}
    assert sizes == {8, 4} == set(model._sizes())


def test_one_batch_is_an_epoch_of_the_same_two_batches() -> None:
    workload = a_workload()
    feed = OneBatch(workload)
    assert [len(images) for images, _ in feed] == [8, 4]
    endless = feed.repeat()
    assert next(endless)[0] is next(iter(feed))[0]


def test_a_model_that_ignores_its_images_has_no_appetite(tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    file.write_text(
        "import keras\n\n\ndef build(workload):\n"
        "    images = keras.Input(workload.shape)\n"
        "    nothing = keras.layers.Rescaling(0.0)(keras.layers.Flatten()(images))\n"
        "    return keras.Model(images, keras.layers.Dense(2)(nothing))\n"
    )
    with pytest.raises(RequestError, match="gives the same output for any images"):
        a_model(f"{file}:build", a_workload())


def test_a_last_layer_that_begins_at_zero_is_none_that_ignores_its_images(tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    file.write_text(
        "import keras\n\n\ndef build(workload):\n"
        "    images = keras.Input(workload.shape)\n"
        "    flat = keras.layers.Flatten()(images)\n"
        "    zeros = keras.layers.Dense(2, kernel_initializer='zeros')\n"
        "    return keras.Model(images, zeros(flat))\n"
    )
    assert a_model(f"{file}:build", a_workload()).step(random_batch(a_workload(), 4), 0.0) == 4


def test_batch_normalisation_that_hides_the_images_until_it_trains_is_no_fault(
    tmp_path: Path,
) -> None:
    file = tmp_path / "model.py"
    file.write_text(
        "import keras\n\n\ndef build(workload):\n"
        "    images = keras.Input(workload.shape)\n"
        "    faint = keras.layers.Rescaling(1e-12)(keras.layers.Flatten()(images))\n"
        "    normal = keras.layers.BatchNormalization(epsilon=1e-30)\n"
        "    normal = normal(keras.layers.Dense(4)(faint))\n"
        "    return keras.Model(images, keras.layers.Dense(2, 'softmax')(normal))\n"
    )
    assert a_model(f"{file}:build", a_workload()).step(random_batch(a_workload(), 4), 0.0) == 4


def test_too_large_a_model_is_refused_in_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    file.write_text(
        "import keras\nimport tensorflow as tf\n\n\nclass Large(keras.Model):\n"
        "    def train_step(self, data):\n"
        "        raise tf.errors.ResourceExhaustedError(None, None, 'OOM')\n\n\n"
        "def build(workload):\n"
        "    images = keras.Input(workload.shape)\n"
        "    flat = keras.layers.Flatten()(images)\n"
        "    return Large(images, keras.layers.Dense(2)(flat))\n"
    )
    with pytest.raises(RequestError, match="needs more memory than there is, for batches of 8"):
        a_model(f"{file}:build", a_workload())


def test_a_model_whose_weights_do_not_fit_is_refused_in_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    file.write_text(
        "import keras\n\n\ndef build(workload):\n"
        "    images = keras.Input(workload.shape)\n"
        "    wide = keras.layers.Dense(2**34)(keras.layers.Flatten()(images))\n"
        "    return keras.Model(images, keras.layers.Dense(2)(wide))\n"
    )
    with pytest.raises(RequestError, match="needs more memory than there is"):
        a_model(f"{file}:build", a_workload())
