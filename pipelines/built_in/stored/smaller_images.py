"""Images resized to a smaller size and encoded again, by Pillow in threads.

Pillow lets other threads run while it decodes, resizes and encodes, so threads use all cores.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from statistics import fmean
from typing import Any

from PIL import Image

from feedbench.pipelines.images.image_check import unrestrained
from feedbench.pipelines.remote.address import is_address
from feedbench.pipelines.remote.reading import AT_ONCE, read
from feedbench.pipelines.system.pool import ahead

_LARGER = 1.5  # times: a JPEG is decoded at the smallest scale that is so much larger than stored
_AHEAD = 4  # images a thread that are ready, or on their way
_MEASURED = 16  # images whose stored size is measured, to forecast that of all


@dataclass(frozen=True)
class Smaller:
    """How images are stored smaller."""

    format: str  # jpeg, webp, png or bmp
    size: int  # pixels of the short side; an image that has no more is not resized
    quality: int  # of a JPEG or WebP, 1 to 100

    def of(self, file: str) -> bytes:
        """Return the file's image, encoded at this size; the file's bytes if it is not larger.

        A BMP loses nothing, and saves the decoding. So an image that is not larger becomes one too.
        An orientation in EXIF is neither applied nor kept, as in every pipeline. Raises what Pillow
        raises for a file that it cannot decode.
        """
        encoded = read(file)
        with Image.open(BytesIO(encoded)) as image:
            width, height = image.size
            if min(width, height) <= self.size and self.format != "bmp":
                return encoded
            scale = min(self.size / min(width, height), 1.0)
            wanted = max(round(width * scale), 1), max(round(height * scale), 1)
            image.draft(
                "RGB", (int(_LARGER * wanted[0]), int(_LARGER * wanted[1]))
            )  # only of a JPEG
            # `convert` would copy an image that is RGB already.
            colours = image if image.mode == "RGB" else image.convert("RGB")
            # Of Pillow's filters it is the nearest to the references: 2.24 grey levels (flowers),
            # where bicubic has 2.32 and Lanczos 2.56.
            resized = colours.resize(wanted, Image.Resampling.BILINEAR, reducing_gap=_LARGER)
        resized.info.clear()  # neither a colour profile nor an orientation
        written = BytesIO()
        resized.save(written, **self._options())
        return written.getvalue()

    def _options(self) -> dict[str, Any]:
        if self.format == "webp":
            return {"format": "WEBP", "quality": self.quality}
        if self.format == "jpeg":
            return {"format": "JPEG", "quality": self.quality, "subsampling": "4:4:4"}
        return {"format": self.format.upper()}


@contextmanager
def image_writer(
    smaller: Smaller, threads: int
) -> Iterator[Callable[[Sequence[str]], Iterator[bytes]]]:
    """Return what makes the smaller image of each of its files, in order.

    All that it is called for shares one pool of `threads`.
    """
    with unrestrained():
        pool = ThreadPoolExecutor(threads)
        try:
            yield lambda files: ahead(pool, smaller.of, files, _AHEAD * threads)
        finally:
            pool.shutdown(cancel_futures=True)


def mean_bytes(files: Sequence[str], smaller: Smaller) -> float:
    """Return the mean stored bytes of an image, from a few files that are spread evenly.

    A process makes these few images once, however often it asks.
    """
    step = max(len(files) // _MEASURED, 1)
    return _mean_bytes(tuple(files[::step][:_MEASURED]), smaller)


@lru_cache(maxsize=8)
def _mean_bytes(files: tuple[str, ...], smaller: Smaller) -> float:
    threads = AT_ONCE if is_address(files[0]) else len(os.sched_getaffinity(0))
    with unrestrained(), ThreadPoolExecutor(threads) as pool:
        return fmean(map(len, pool.map(smaller.of, files)))
