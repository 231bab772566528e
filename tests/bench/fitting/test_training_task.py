"""The process that trains, where the model augments. With real Keras."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from feedbench.bench.fitting.training_task import _augmenting
from feedbench.pipelines.augmentation.ranges import Augmentation
from feedbench.pipelines.built_in.tfdata_naive import TfdataNaive
from feedbench.pipelines.networks.fitted import fitted_model
from feedbench.pipelines.networks.spec import parse_model
from tests.support.builders import workload_over

pytestmark = [pytest.mark.tensorflow, pytest.mark.thorough]


def test_a_model_augments_in_training_only_and_where_the_pipeline_leaves_it_to_it(
    photos: Path,
) -> None:
    workload = replace(workload_over(photos), augmentation=Augmentation(rotate=90, zoom=0.5))
    model = fitted_model(parse_model("cifar_cnn"), workload, 0).model
    assert _augmenting(model, TfdataNaive(), workload) is model
    whole = _augmenting(model, TfdataNaive(augment_in="model"), workload)
    images = np.random.default_rng(0).random((4, 32, 32, 3)).astype(np.float32)
    as_they_are = np.asarray(model(images, training=False))
    assert np.allclose(np.asarray(whole(images, training=False)), as_they_are)
    assert not np.allclose(np.asarray(whole(images, training=True)), as_they_are)
    assert whole.loss.get_config() == model.loss.get_config()
    none = replace(workload, augmentation=None)
    assert _augmenting(model, TfdataNaive(augment_in="model"), none) is model
