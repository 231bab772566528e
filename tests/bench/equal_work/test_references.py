"""The references, laid beside TensorFlow and Pillow themselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from feedbench.bench.equal_work.references import (
    decoded,
    filtered,
    half_pixel_centres,
    in_levels,
    interpolated,
    sampled,
)
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.forms import RANGES

WORKLOAD = Workload(
    files=("a.jpg",), labels=(0,), class_names=("a",), height=7, width=9, folder_images=1
)
SIZES = st.integers(1, 40)


def noise(height: int, width: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.tensorflow
@settings(deadline=None, max_examples=60)
@given(SIZES, SIZES, SIZES, SIZES)
def test_the_first_reference_is_what_tensorflow_delivers(
    height: int, width: int, to_height: int, to_width: int
) -> None:
    import tensorflow as tf

    pixels = noise(height, width)
    workload = replace(WORKLOAD, height=to_height, width=to_width)
    expected = np.asarray(tf.image.resize(pixels, [to_height, to_width]))
    actual = sampled(Image.fromarray(pixels), workload)
    assert actual.shape == (to_height, to_width, 3)
    assert np.abs(actual - expected).max() < 0.01


@pytest.mark.tensorflow
@settings(deadline=None, max_examples=30)
@given(SIZES, SIZES, SIZES, SIZES)
def test_the_second_reference_is_keras_bilinear(
    height: int, width: int, to_height: int, to_width: int
) -> None:
    from keras.src.utils.image_utils import PIL_INTERPOLATION_METHODS

    image = Image.fromarray(noise(height, width))
    workload = replace(WORKLOAD, height=to_height, width=to_width)
    expected = image.resize((to_width, to_height), PIL_INTERPOLATION_METHODS["bilinear"])
    assert np.array_equal(filtered(image, workload), np.asarray(expected, np.float32))


def test_an_image_of_the_delivered_size_stays_as_it_is() -> None:
    pixels = noise(7, 9)
    for reference in (sampled, filtered):
        assert np.array_equal(reference(Image.fromarray(pixels), WORKLOAD), pixels)


def test_the_middle_of_two_pixels_is_their_mean_and_the_edge_is_its_own() -> None:
    pixels = np.array([[[0], [100]]], np.uint8).repeat(3, axis=2)
    workload = replace(WORKLOAD, height=1, width=4)
    assert half_pixel_centres(2, 4).tolist() == [-0.25, 0.25, 0.75, 1.25]
    actual = interpolated(pixels, workload, half_pixel_centres)
    assert actual[0, :, 0].tolist() == [0, 25, 75, 100]


def test_grey_is_the_luma_of_the_resized_colours() -> None:
    image = Image.new("RGB", (30, 30), (255, 100, 10))
    grey = sampled(image, replace(WORKLOAD, channels=1))
    assert grey.shape == (7, 9, 1)
    assert np.allclose(grey, 0.299 * 255 + 0.587 * 100 + 0.114 * 10, atol=1e-3)


def test_what_is_delivered_as_uint8_is_rounded_halves_to_the_even_number() -> None:
    pixels = np.array([[[0, 1, 2], [1, 2, 3]]], np.uint8)
    workload = replace(WORKLOAD, height=1, width=1, dtype="uint8")
    assert sampled(Image.fromarray(pixels), workload).tolist() == [[[0, 2, 2]]]


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)])
def test_values_of_every_range_come_back_as_grey_levels(low: float, high: float) -> None:
    levels = noise(7, 9).astype(np.float32)
    images = (levels / 255 * (high - low) + low).astype(np.float32)
    actual = in_levels(images, replace(WORKLOAD, value_range=(low, high)))
    assert np.abs(actual - levels).max() < 1e-3


@pytest.mark.tensorflow
@pytest.mark.parametrize("mode", ["tf", "caffe", "torch"])
def test_what_keras_preprocess_input_makes_comes_back_as_grey_levels(mode: str) -> None:
    from keras.applications.imagenet_utils import preprocess_input

    levels = noise(7, 9).astype(np.float32)
    values = RANGES[mode]
    work = replace(WORKLOAD, value_range=values.bounds, normalization=values.normalization)
    images = preprocess_input(levels.copy(), data_format="channels_last", mode=mode)
    assert np.abs(in_levels(images, work) - levels).max() < 1e-3
    black_and_white = np.stack([np.zeros((1, 1, 3)), np.full((1, 1, 3), 255.0)])
    extremes = preprocess_input(black_and_white, data_format="channels_last", mode=mode)
    assert (extremes.min(), extremes.max()) == pytest.approx(values.bounds)


def test_imagenet_is_torchvisions_normalize_of_0_to_1() -> None:
    levels = noise(7, 9).astype(np.float32)
    values = RANGES["imagenet"]
    work = replace(WORKLOAD, value_range=values.bounds, normalization=values.normalization)
    images = (levels / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    assert np.abs(in_levels(images, work) - levels).max() < 1e-3


def test_delivered_images_are_not_changed_by_looking_at_them() -> None:
    images = np.ones((1, 2, 2, 3), np.float32)
    in_levels(images, replace(WORKLOAD, value_range=(-1.0, 1.0)))
    assert images.min() == 1


def test_a_file_is_decoded_to_three_channels(tmp_path: Path) -> None:
    Image.new("LA", (3, 2), (200, 0)).save(tmp_path / "a.png")
    assert decoded(str(tmp_path / "a.png")).getpixel((0, 0)) == (200, 200, 200)
