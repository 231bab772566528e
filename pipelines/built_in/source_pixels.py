"""The number of pixels in the images' files, from the headers of a few of them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from statistics import fmean

from feedbench.pipelines.remote.address import is_address
from feedbench.pipelines.remote.reading import mapped, opened
from feedbench.pipelines.system.regular_files import open_regular

_LOOKED_AT = 200
_JPEGS = {"JPEG", "MPO"}  # Pillow's names


def mean_pixels(
    files: Sequence[str],
    pixels_of: Callable[[int, int, bool], float] = lambda height, width, _: height * width,
) -> float | None:
    """Return the mean pixels of up to 200 files, spread evenly; None if none can be read.

    `pixels_of` gives the pixels that count of a file, by its height, its width and whether it is a
    JPEG; without it, all do.
    """
    step = max(len(files) // _LOOKED_AT, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about large images, which the check allowed
        sizes = mapped(_size, files[::step][:_LOOKED_AT])
    pixels = [pixels_of(*size) for size in sizes if size is not None]
    return fmean(pixels) if pixels else None


def _size(file: str) -> tuple[int, int, bool] | None:
    """Return an image's height, its width and whether it is a JPEG; None if it cannot be read."""
    from PIL import Image

    try:
        with (
            opened(file) if is_address(file) else os.fdopen(open_regular(file), "rb") as stream,
            Image.open(stream) as image,
        ):
            return image.height, image.width, image.format in _JPEGS
    except Exception:  # noqa: BLE001 - only TensorFlow can read this file
        return None
