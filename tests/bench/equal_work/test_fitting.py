"""How images of other proportions are fitted, compared with TensorFlow, Keras and torchvision."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from feedbench.bench.equal_work.references import filtered, sampled
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.forms import Fit
from feedbench.pipelines.images.placement import placement

WORKLOAD = Workload(
    files=("a.jpg",), labels=(0,), class_names=("a",), height=7, width=9, folder_images=1
)
CROP, CENTRE, PAD = Fit("crop"), Fit("crop", 0.875), Fit("pad")
SIZES, DELIVERED = st.integers(2, 60), st.integers(2, 20)


def noise(height: int, width: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def workload(height: int, width: int, fit: Fit) -> Workload:
    return replace(WORKLOAD, height=height, width=width, fit=fit)


@pytest.mark.tensorflow
@settings(deadline=None, max_examples=40)
@given(SIZES, SIZES, DELIVERED, DELIVERED)
def test_crop_by_sampling_is_what_keras_crop_to_aspect_ratio_delivers(
    height: int, width: int, to_height: int, to_width: int
) -> None:
    from keras.src.utils.image_utils import smart_resize

    pixels = noise(height, width)
    expected = smart_resize(pixels, (to_height, to_width))
    actual = sampled(Image.fromarray(pixels), workload(to_height, to_width, CROP))
    assert np.abs(actual - expected).max() < 0.01


@pytest.mark.tensorflow
@settings(deadline=None, max_examples=40)
@given(SIZES, SIZES, DELIVERED, DELIVERED)
def test_crop_by_pillow_is_what_keras_keep_aspect_ratio_delivers(
    height: int, width: int, to_height: int, to_width: int
) -> None:
    from keras.src.utils.image_utils import load_img

    assume(width * to_height >= to_width and height * to_width >= to_height)
    image, file = Image.fromarray(noise(height, width)), io.BytesIO()
    image.save(file, "PNG")
    expected = load_img(
        file, target_size=(to_height, to_width), interpolation="bilinear", keep_aspect_ratio=True
    )
    actual = filtered(image, workload(to_height, to_width, CROP))
    assert np.array_equal(actual, np.asarray(expected))


@pytest.mark.tensorflow
@settings(deadline=None, max_examples=40)
@given(SIZES, SIZES, DELIVERED, DELIVERED)
def test_pad_by_sampling_is_what_resize_with_pad_delivers(
    height: int, width: int, to_height: int, to_width: int
) -> None:
    import tensorflow as tf

    place = placement(PAD, (height, width), (to_height, to_width))
    assume(place.height and place.width)  # TensorFlow refuses to resize to nothing
    pixels = noise(height, width)
    expected = tf.image.resize_with_pad(pixels, to_height, to_width)
    actual = sampled(Image.fromarray(pixels), workload(to_height, to_width, PAD))
    assert np.abs(actual - np.asarray(expected)).max() < 0.01


# What torchvision 0.28 makes of an image: the size after Resize, and where CenterCrop begins.
TORCHVISION = [
    ((333, 500), 224, 0.875, (256, 384), (16, 80)),
    ((500, 333), 224, 0.875, (384, 256), (80, 16)),
    ((375, 500), 224, 0.875, (256, 341), (16, 58)),  # 341.3 -> 341; 58.5 -> 58, the even one
    ((240, 159), 299, 0.9, (501, 332), (101, 16)),  # 16.5 -> 16
    ((64, 64), 224, 1.0, (224, 224), (0, 0)),
    ((7, 640), 32, 0.875, (37, 3382), (2, 1675)),
]


@pytest.mark.parametrize(("size", "side", "share", "resized", "begin"), TORCHVISION)
def test_crop_with_a_share_puts_pixels_where_torchvision_does(
    size: tuple[int, int],
    side: int,
    share: float,
    resized: tuple[int, int],
    begin: tuple[int, int],
) -> None:
    place = placement(Fit("crop", share), size, (side, side))
    assert (place.height, place.width) == resized
    assert (-place.top, -place.left) == begin
    assert place.box == (0, 0, size[1], size[0])


def test_crop_with_a_share_is_resize_and_center_crop_by_pillow() -> None:
    image = Image.fromarray(noise(333, 500))
    resized = image.resize((384, 256), Image.Resampling.BILINEAR)
    expected = np.asarray(resized.crop((80, 16, 304, 240)))
    assert np.array_equal(filtered(image, workload(224, 224, CENTRE)), expected)


@pytest.mark.parametrize("reference", [sampled, filtered])
@pytest.mark.parametrize("fit", [Fit(), CROP, CENTRE, PAD], ids=str)
def test_images_that_already_fit_stay_as_they_are_but_for_a_share(fit: Fit, reference: Any) -> None:
    pixels = noise(8, 8)
    actual = reference(Image.fromarray(pixels), workload(8, 8, fit))
    assert np.array_equal(actual, pixels) == (fit != CENTRE)


@pytest.mark.parametrize("reference", [sampled, filtered])
def test_padding_is_black_on_both_sides_of_the_whole_image(reference: Any) -> None:
    white = Image.new("RGB", (20, 10), (255, 255, 255))
    actual = reference(white, workload(10, 10, PAD))
    assert actual[:, :, 0].mean(axis=1).tolist() == [0, 0, *[255] * 5, 0, 0, 0]
