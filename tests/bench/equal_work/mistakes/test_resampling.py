"""The rules of resizing, next to what they are the rules of."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from feedbench.bench.equal_work.mistakes.resampling import (
    Rule,
    area,
    cubic,
    kernel_rule,
    lanczos,
    resized_by,
)
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.forms import STRETCH, Fit

RNG = np.random.default_rng(0)
SIZES = st.integers(1, 40)


def resized(
    rule: Rule, pixels: npt.NDArray[np.uint8], height: int, width: int, fit: Fit = STRETCH
) -> Any:
    workload = Workload(
        files=("a.png",),
        labels=(0,),
        class_names=("a",),
        height=height,
        width=width,
        fit=fit,
        folder_images=1,
    )
    return resized_by(rule)("a.png", Image.fromarray(pixels), workload)


def picture(height: int, width: int) -> npt.NDArray[np.uint8]:
    return RNG.integers(0, 256, (height, width, 3), np.uint8)


@given(SIZES, SIZES, SIZES, SIZES)
def test_area_is_the_mean_of_what_a_sample_covers(
    height: int, width: int, rows: int, columns: int
) -> None:
    pixels = picture(height, width)
    fine = pixels.astype(np.float64).repeat(rows, axis=0).repeat(columns, axis=1)
    expected = fine.reshape(rows, height, columns, width, 3).mean(axis=(1, 3))
    assert np.allclose(resized(area, pixels, rows, columns), expected, atol=0.01)


@pytest.mark.tensorflow
@pytest.mark.thorough
@pytest.mark.parametrize("size", [(37, 53), (224, 160), (9, 300)])
@pytest.mark.parametrize(
    ("method", "rule"),
    [
        ("area", area),
        ("bicubic", kernel_rule(cubic(-0.5), 2, repeats_edge=False)),
        ("lanczos3", kernel_rule(lanczos(3), 3, repeats_edge=False)),
    ],
)
def test_tensorflow_resizes_by_the_same_rule(
    method: str, rule: Rule, size: tuple[int, int]
) -> None:
    import tensorflow as tf

    pixels = picture(150, 200)
    expected = np.asarray(tf.image.resize(pixels, size, method=method)).clip(0, 255)
    assert np.abs(resized(rule, pixels, *size) - expected).mean() < 0.1


@given(SIZES, SIZES, st.sampled_from([cubic(-0.5), cubic(-0.75), lanczos(3), lanczos(4)]))
def test_a_plain_picture_stays_as_it_is(size: int, count: int, kernel: Any) -> None:
    for repeats_edge in (True, False):
        rule = kernel_rule(kernel, 4, repeats_edge=repeats_edge)
        plain = np.full((size, size, 3), 100, np.uint8)
        assert np.allclose(resized(rule, plain, count, count), 100, atol=0.01)


@given(SIZES, st.sampled_from([cubic(-0.5), cubic(-0.75), lanczos(3), lanczos(4)]))
def test_a_picture_of_the_delivered_size_stays_as_it_is(size: int, kernel: Any) -> None:
    pixels = picture(size, size)
    rule = kernel_rule(kernel, 4, repeats_edge=True)
    assert np.allclose(resized(rule, pixels, size, size), pixels, atol=0.01)


def test_an_image_is_fitted_as_the_workload_asks() -> None:
    pixels = picture(40, 60)
    cropped = resized(area, pixels, 20, 20, Fit("crop"))
    assert np.allclose(cropped, resized(area, pixels[:, 10:50], 20, 20))
    padded = resized(area, pixels, 30, 30, Fit("pad"))
    assert (padded[:5] == 0).all()
    assert np.allclose(padded[5:25], resized(area, pixels, 20, 30))
