"""How long one core takes to decode an image, before any pipeline is measured."""

from __future__ import annotations

import time
from collections.abc import Sequence
from io import BytesIO

from feedbench.pipelines.images.image_check import MOST_PIXELS, header, unrestrained
from feedbench.pipelines.remote.reading import read


def decode_seconds(
    files: Sequence[str],
    image_size: tuple[int, int],
    most_pixels: int = MOST_PIXELS,
    limit: float = 1.0,
) -> float:
    """Return about how many seconds one core takes to read, decode and resize one of `files`.

    Pillow decodes them, for at most `limit` seconds in all. A file that cannot be decoded, or has
    more pixels than `most_pixels`, is skipped, because the check reports such files. Returns 0.01
    if no file can be decoded.
    """
    from PIL import Image

    begun = time.perf_counter()
    done = 0
    for file in files:
        finding = header(file)
        if finding.reason is not None or finding.pixels > most_pixels:
            continue
        try:
            with unrestrained(), Image.open(BytesIO(read(file))) as image:
                image.convert("RGB").resize(
                    (image_size[1], image_size[0]), Image.Resampling.BILINEAR
                )
        except Exception:  # noqa: BLE001, S112 - whatever a broken file makes Pillow raise
            continue
        done += 1
        if time.perf_counter() - begun > limit:
            break
    return (time.perf_counter() - begun) / done if done else 0.01
