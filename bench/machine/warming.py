"""Files read before timing, so that every pipeline finds them in the page cache."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Sequence

from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.image_check import MOST_PIXELS, header, unrestrained

_CHUNK = 1 << 20


def warm(files: Sequence[str], on_file: Callable[[int], None] = lambda _: None) -> int:
    """Read every file once and return the bytes.

    Raises RequestError at the first that is no readable file: that is better known before timing.
    """
    total = 0
    buffer = bytearray(_CHUNK)
    for count, file in enumerate(files, 1):
        try:
            if not stat.S_ISREG(os.stat(file).st_mode):  # noqa: PTH116 - names may not be UTF-8
                raise RequestError(f"{file!r} is no regular file; expected a photo")
            with open(file, "rb", buffering=0) as opened:  # noqa: PTH123
                while got := opened.readinto(buffer):
                    total += got
        except OSError as error:
            raise RequestError(
                f"{file!r} cannot be read: {error.strerror}; expected a photo: remove it, or make"
                " it readable"
            ) from error
        on_file(count)
    return total


def decode_seconds(
    files: Sequence[str],
    image_size: tuple[int, int],
    most_pixels: int = MOST_PIXELS,
    limit: float = 1.0,
) -> float:
    """Return about how many seconds one core takes to read, decode and resize one of `files`.

    Pillow, at most `limit` seconds in all. A file that cannot be decoded, or has more pixels than
    `most_pixels`, is passed over without a word: it is the check that judges files. 0.01 where
    none could be.
    """
    from PIL import Image

    begun = time.perf_counter()
    done = 0
    for file in files:
        finding = header(file)
        if finding.reason is not None or finding.pixels > most_pixels:
            continue
        try:
            with unrestrained(), Image.open(file) as image:
                image.convert("RGB").resize(
                    (image_size[1], image_size[0]), Image.Resampling.BILINEAR
                )
        except Exception:  # noqa: BLE001, S112 - whatever a broken file makes Pillow raise
            continue
        done += 1
        if time.perf_counter() - begun > limit:
            break
    return (time.perf_counter() - begun) / done if done else 0.01
