"""Mistakes that change pixels, and leave what an image shows: other filters, colours, decoders."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import numpy as np
from PIL import Image

from feedbench.bench.equal_work import references
from feedbench.bench.equal_work.mistakes.mistake import Deliver, Mistake
from feedbench.bench.equal_work.mistakes.resampling import (
    area,
    cubic,
    kernel_rule,
    lanczos,
    resized_by,
)
from feedbench.bench.equal_work.references import Levels, half_pixel_centres, in_form, interpolated
from feedbench.pipelines.contract import LUMA, Workload
from feedbench.pipelines.images.image_check import unrestrained
from feedbench.pipelines.images.placement import decode_ratio
from feedbench.pipelines.remote.reading import read

_CORNERS = 2  # samples: the first and the last are the pixels at the edge


def _sampled_at(positions: references.Positions) -> Deliver:
    def deliver(_: str, image: Image.Image, workload: Workload) -> Levels:
        return in_form(interpolated(np.asarray(image), workload, positions), workload)

    return deliver


def _swapped(
    reference: Callable[[Image.Image, Workload], Levels],
) -> Deliver:
    return lambda _, image, workload: reference(image, workload)[..., ::-1]


def _filtered_by(name: str) -> Deliver:
    def deliver(_: str, image: Image.Image, workload: Workload) -> Levels:
        return in_form(references.resampled(image, workload, name), workload)

    return deliver


def _fast(file: str, _: Image.Image, workload: Workload) -> Levels:
    """Decode with TensorFlow's default JPEG transform, and resize by TensorFlow's rule."""
    import tensorflow as tf

    pixels = tf.io.decode_jpeg(read(file), channels=3, dct_method="INTEGER_FAST")
    return in_form(interpolated(np.asarray(pixels), workload, half_pixel_centres), workload)


def _grey(_: str, image: Image.Image, workload: Workload) -> Levels:
    grey: Levels = references.sampled(image, workload) @ np.asarray(LUMA, np.float32)
    return np.repeat(grey[..., np.newaxis], 3, axis=2)


def _drafted(file: str, _: Image.Image, workload: Workload) -> Levels:
    with unrestrained(), Image.open(BytesIO(read(file))) as image:
        image.draft("RGB", (workload.width, workload.height))
        return references.filtered(image.convert("RGB"), workload)


def _scaled(file: str, image: Image.Image, workload: Workload) -> Levels:
    """Decode a JPEG at the smallest scale that is large enough, and resize by TensorFlow's rule."""
    delivered = (workload.height, workload.width)
    ratio = decode_ratio(workload.fit, (image.height, image.width), delivered)
    return _reduced(ratio)(file, image, workload)


def _reduced(ratio: int) -> Deliver:
    """Decode a JPEG at a whole part of its size, as tf.io.decode_jpeg(ratio=...) does."""

    def deliver(file: str, _: Image.Image, workload: Workload) -> Levels:
        with unrestrained(), Image.open(BytesIO(read(file))) as image:
            image.draft("RGB", (image.width // ratio, image.height // ratio))
            return references.sampled(image.convert("RGB"), workload)

    return deliver


def _legacy(size: int, count: int) -> Levels:
    """LegacyScaler in tensorflow/core/util/image_resizer_state.h."""
    at: Levels = np.arange(count, dtype=np.float32) * np.float32(size / np.float32(count))
    return at


def _corners(size: int, count: int) -> Levels:
    """CalculateResizeScale with align_corners, in the same file."""
    if count < _CORNERS:
        return _legacy(size, count)
    at: Levels = np.arange(count, dtype=np.float32)
    return at * np.float32((size - 1) / np.float32(count - 1))


def _nearest_centre(size: int, count: int) -> Levels:
    """Use the pixel at a sample's centre, without interpolation."""
    at: Levels = np.floor(half_pixel_centres(size, count) + np.float32(0.5))
    return at.clip(0, size - 1)


def _nearest_corner(size: int, count: int) -> Levels:
    return np.floor(_legacy(size, count))


IN_PIXELS = (
    Mistake("TensorFlow's fast JPEG transform", _fast, is_fault=False),
    Mistake("nearest-neighbour sampling", _sampled_at(_nearest_centre)),
    Mistake("nearest-neighbour sampling", _filtered_by("NEAREST")),  # rounds otherwise at ties
    Mistake("nearest-neighbour sampling from the corners", _sampled_at(_nearest_corner)),
    Mistake(
        "bilinear sampling half a pixel off (without half_pixel_centers)", _sampled_at(_legacy)
    ),
    Mistake("bilinear sampling with align_corners", _sampled_at(_corners)),
    Mistake("swapped red and blue channels", _swapped(references.sampled), needs_colour=True),
    Mistake(
        "swapped red and blue channels, and an antialiased filter",
        _swapped(references.filtered),
        needs_colour=True,
    ),
    Mistake("grey values in all three channels", _grey, needs_colour=True),
    Mistake(
        "JPEGs decoded at a reduced scale (Pillow's draft mode)",
        _drafted,
        is_fault=False,
        is_reduced=True,
    ),
    # Before those of one ratio, which are the same if all photos are large.
    Mistake(
        "JPEGs decoded at a reduced scale (decode=scaled)", _scaled, is_fault=False, is_reduced=True
    ),
    *(
        Mistake(f"JPEGs decoded at 1/{ratio} of their size (decode_jpeg's ratio)", _reduced(ratio))
        for ratio in (2, 4, 8)
    ),
    Mistake("Pillow's bicubic filter", _filtered_by("BICUBIC")),
    Mistake("Pillow's Lanczos filter", _filtered_by("LANCZOS")),
    Mistake("the area filter (OpenCV's INTER_AREA, TensorFlow's area)", resized_by(area)),
    Mistake("Pillow's box filter", _filtered_by("BOX")),
    Mistake(
        "bicubic sampling without antialiasing (TensorFlow's bicubic)",
        resized_by(kernel_rule(cubic(-0.5), 2, repeats_edge=False)),
    ),
    Mistake(
        "bicubic sampling without antialiasing (OpenCV's INTER_CUBIC, torch's bicubic)",
        resized_by(kernel_rule(cubic(-0.75), 2, repeats_edge=True)),
    ),
    Mistake(
        "Lanczos sampling without antialiasing (TensorFlow's lanczos3)",
        resized_by(kernel_rule(lanczos(3), 3, repeats_edge=False)),
    ),
    Mistake(
        "Lanczos sampling without antialiasing (OpenCV's INTER_LANCZOS4)",
        resized_by(kernel_rule(lanczos(4), 4, repeats_edge=True)),
    ),
)
