"""What a workload asks for, computed by Pillow and NumPy alone, in float64."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.float64]


def decoded(file: str) -> Image.Image:
    """The first picture of a file, in three channels."""
    with Image.open(file) as image:
        return image.convert("RGB")


def sampled(image: Image.Image, height: int, width: int) -> Pixels:
    """Resize as TensorFlow's bilinear rule says: four neighbours, pixel centres at a half.

    `[height, width, 3]`, 0 to 255, not rounded.
    """
    pixels = np.asarray(image, np.float64)
    for axis, count in ((0, height), (1, width)):
        size = pixels.shape[axis]
        at = (np.arange(count) + 0.5) * size / count - 0.5
        before = np.floor(at).astype(int)
        share = (at - before).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
        low = pixels.take(before.clip(0, size - 1), axis)
        high = pixels.take((before + 1).clip(0, size - 1), axis)
        pixels = low * (1 - share) + high * share
    return pixels


def filtered(image: Image.Image, height: int, width: int, filter_: Image.Resampling) -> Pixels:
    """Resize as Pillow does, which rounds: `[height, width, 3]`, 0 to 255."""
    return np.asarray(image.resize((width, height), filter_), np.float64)


def grey(colours: Pixels) -> Pixels:
    """Luma by ITU-R BT.601: `[..., 3]` to `[..., 1]`."""
    red, green, blue = colours[..., 0:1], colours[..., 1:2], colours[..., 2:3]
    return 0.299 * red + 0.587 * green + 0.114 * blue
