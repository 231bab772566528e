"""Rules of resizing other than the references', in NumPy: area, cubic and Lanczos. Pure.

Each axis is resized by itself. A rule says of which pixels a sample is made, and with what weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from feedbench.bench.equal_work.mistakes.mistake import Deliver
from feedbench.bench.equal_work.references import Levels, fitted, half_pixel_centres, in_form
from feedbench.pipelines.contract import Workload

Taps = tuple[npt.NDArray[np.intp], npt.NDArray[np.float32]]
"""For each sample of an axis, its pixels and their weights: both `[count, taps]`."""

Rule = Callable[[int, int], Taps]
"""`(size, count)` of an axis -> the taps of its `count` samples among `size` pixels."""

Kernel = Callable[[npt.NDArray[Any]], npt.NDArray[Any]]
"""A distance in pixels -> the weight of a pixel there."""


def resized_by(rule: Rule) -> Deliver:
    """Return what delivers images that were resized by a rule."""

    def resize(colours: npt.NDArray[Any], axis: int, count: int) -> npt.NDArray[np.float32]:
        pixels, weights = rule(colours.shape[axis], count)
        shape = (-1, 1, 1) if axis == 0 else (1, -1, 1)
        resized: npt.NDArray[np.float32] = np.zeros(1, np.float32)
        # One tap after another: all at once would take a large photo's size many times over.
        for tap in range(pixels.shape[1]):
            part = colours.take(pixels[:, tap], axis) * weights[:, tap].reshape(shape)
            resized = resized + part
        return resized

    def deliver(_: str, image: Image.Image, workload: Workload) -> Levels:
        return in_form(fitted(np.asarray(image), workload, resize).clip(0, 255), workload)

    return deliver


def area(size: int, count: int) -> Taps:
    """Weigh each pixel by the share of it that a sample covers.

    The rule of tf.image.resize's "area", and of OpenCV's INTER_AREA if it makes images smaller.
    """
    low = np.arange(count)[:, np.newaxis] * (size / count)
    high = low + size / count
    pixels = np.floor(low) + np.arange(math.ceil(size / count) + 1)
    covered = (np.minimum(pixels + 1, high) - np.maximum(pixels, low)).clip(0)
    return _in_image(pixels, size), (covered / covered.sum(axis=1, keepdims=True)).astype(
        np.float32
    )


def kernel_rule(kernel: Kernel, radius: int, *, repeats_edge: bool) -> Rule:
    """Return the rule of a kernel that reaches so many pixels, however much images shrink.

    Beyond the edge is the edge's pixel again, or nothing.
    """

    def rule(size: int, count: int) -> Taps:
        at = half_pixel_centres(size, count).astype(np.float64)[:, np.newaxis]
        pixels = np.floor(at) + np.arange(1 - radius, radius + 1)
        weights = kernel(at - pixels)
        if not repeats_edge:
            weights = np.where((pixels >= 0) & (pixels < size), weights, 0)
        weights = weights / weights.sum(axis=1, keepdims=True)
        return _in_image(pixels, size), weights.astype(np.float32)

    return rule


def cubic(a: float) -> Kernel:
    """Return the cubic kernel of Keys (1981), IEEE Trans. ASSP 29(6), with its parameter."""

    def kernel(distance: npt.NDArray[Any]) -> npt.NDArray[Any]:
        x = np.abs(distance)
        near = ((a + 2) * x - (a + 3)) * x * x + 1
        far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
        return np.where(x <= 1, near, np.where(x < 2, far, 0))  # noqa: PLR2004 - its reach

    return kernel


def lanczos(radius: int) -> Kernel:
    """Return Lanczos' kernel: a sinc in the window of a wider sinc."""

    def kernel(distance: npt.NDArray[Any]) -> npt.NDArray[Any]:
        inside = np.abs(distance) < radius
        return np.where(inside, np.sinc(distance) * np.sinc(distance / radius), 0)

    return kernel


def _in_image(pixels: npt.NDArray[Any], size: int) -> npt.NDArray[np.intp]:
    return pixels.clip(0, size - 1).astype(np.intp)
