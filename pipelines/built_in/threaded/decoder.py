"""A file's pixels by simplejpeg, or by Pillow if simplejpeg refuses the file."""

from __future__ import annotations

import threading
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import simplejpeg
from PIL import Image

from feedbench.pipelines.images.placement import decode_ratio
from feedbench.pipelines.remote.reading import read

if TYPE_CHECKING:
    from feedbench.pipelines.contract import Workload

Array = np.ndarray[Any, Any]


class Decoder:
    """Decodes files in any thread. Each thread has memory of its own, which it uses again."""

    def __init__(self, scaled_for: Workload | None) -> None:
        """Take the workload for which JPEGs may be decoded smaller; None: in full."""
        self._scaled_for = scaled_for
        self._memory = threading.local()

    def pixels(self, file: str) -> Array:
        """Return a file's picture, `[height, width, 3]` uint8, valid until this thread's next one.

        Raises what Pillow raises for a file that is no image.
        """
        encoded = read(file)
        try:
            return self._by_simplejpeg(encoded)
        except ValueError:
            return self._by_pillow(encoded)

    def _by_simplejpeg(self, encoded: bytes) -> Array:
        height, width, *_ = simplejpeg.decode_jpeg_header(encoded)
        ratio = self._ratio(height, width)
        height, width = -(-height // ratio), -(-width // ratio)
        # The smallest scale of libjpeg that has these sides is 1/ratio.
        pixels: Array = simplejpeg.decode_jpeg(
            encoded,
            colorspace="RGB",
            min_height=height,
            min_width=width,
            buffer=self._bytes(height * width * 3),
        )
        return pixels

    def _by_pillow(self, encoded: bytes) -> Array:
        with Image.open(BytesIO(encoded)) as image:
            ratio = self._ratio(image.height, image.width)
            if ratio > 1:
                image.draft("RGB", (image.width // ratio, image.height // ratio))  # only a JPEG
            return np.asarray(image.convert("RGB"))

    def _ratio(self, height: int, width: int) -> int:
        work = self._scaled_for
        if work is None:
            return 1
        return decode_ratio(work.fit, (height, width), (work.height, work.width))

    def _bytes(self, count: int) -> Array:
        memory = getattr(self._memory, "bytes", None)
        if memory is None or len(memory) < count:
            memory = self._memory.bytes = np.empty(count, np.uint8)
        return memory[:count]
