"""What each network takes is what keras.applications says of it."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

from feedbench.pipelines.preprocessing import PREPROCESSINGS

pytestmark = [pytest.mark.tensorflow, pytest.mark.thorough]


class _SizeError(Exception):
    """Carries a network's default size out of the function that builds it."""


@pytest.fixture
def default_size_of(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The default size of a network, without the time that it takes to build it."""
    import keras
    from keras.src.applications import imagenet_utils

    def obtain(*_: object, default_size: int, **__: object) -> None:
        raise _SizeError(default_size)

    monkeypatch.setattr(imagenet_utils, "obtain_input_shape", obtain)

    def default_size(function: str) -> int:
        with pytest.raises(_SizeError) as raised:
            getattr(keras.applications, function)(weights=None)
        size: int = raised.value.args[0]
        return size

    return default_size


@pytest.mark.parametrize("name", PREPROCESSINGS)
def test_the_values_and_the_size_are_those_of_keras(name: str, default_size_of: Any) -> None:
    takes = PREPROCESSINGS[name]
    module = importlib.import_module(f"keras.applications.{takes.module}")
    images = np.random.default_rng(0).integers(0, 256, (2, 5, 7, 3)).astype("float32")
    expected = module.preprocess_input(images.copy())
    ordered = images[..., ::-1] if takes.value_range.is_bgr else images
    mean, std = (np.array(each) for each in (takes.value_range.mean, takes.value_range.std))
    assert np.allclose((ordered - mean) / std, expected, atol=1e-4)
    # MobileNetV3 has no default size, since it takes any; 224 is that of its weights and paper.
    size = 224 if takes.module == "mobilenet_v3" else default_size_of(takes.function)
    assert takes.image_size == (size, size)


@pytest.mark.parametrize("name", ["mobilenet_v2", "efficientnet_b1"])
def test_a_network_that_is_built_takes_images_of_this_size(name: str) -> None:
    import keras

    takes = PREPROCESSINGS[name]
    network = getattr(keras.applications, takes.function)(weights=None)
    assert network.input_shape == (None, *takes.image_size, 3)
