"""The format of the record files: what writes them, what reads them and the code to paste agree."""

from __future__ import annotations

import math
from typing import Literal

Compression = Literal["none", "gzip"]

SUFFIXES: dict[Compression, str] = {"none": ".tfrecord", "gzip": ".tfrecord.gz"}
"""A compression -> how the names of its record files end."""

TYPES: dict[Compression, str] = {"none": "", "gzip": "GZIP"}
"""A compression -> TensorFlow's name for it."""

# The usual advice is 100 to 200 MB a file: https://www.tensorflow.org/tutorials/load_data/tfrecord
SHARD_BYTES = 150_000_000
"""A record file holds no more bytes of images than about so many."""

MOST_READERS = 16
"""Record files that are read at once, at most: more threads than that only wait."""


def shard_count(encoded_bytes: int, images: int, cores: int) -> int:
    """Return in how many record files to keep images whose files have `encoded_bytes` together.

    None is much over SHARD_BYTES, none is empty, and each core has one to read.
    """
    return min(max(math.ceil(encoded_bytes / SHARD_BYTES), cores), images)
