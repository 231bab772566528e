"""The number of pixels in the images' files, from the headers of a few of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from statistics import fmean

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
    from PIL import Image

    pixels = []
    step = max(len(files) // _LOOKED_AT, 1)
    for file in files[::step][:_LOOKED_AT]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about large images, which the check allowed
            try:
                with Image.open(file) as image:
                    is_jpeg = image.format in _JPEGS
                    pixels.append(pixels_of(image.height, image.width, is_jpeg))
            except Exception:  # noqa: BLE001, S112 - only TensorFlow can read this file
                continue
    return fmean(pixels) if pixels else None
