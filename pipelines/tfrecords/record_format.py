"""The format of the record files, shared by their writer, their reader and the code to paste."""

from __future__ import annotations

import math
from typing import Literal

Compression = Literal["none", "gzip"]

SUFFIXES: dict[Compression, str] = {"none": ".tfrecord", "gzip": ".tfrecord.gz"}
"""A compression -> the suffix of its record files."""

TYPES: dict[Compression, str] = {"none": "", "gzip": "GZIP"}
"""A compression -> TensorFlow's name for it."""

# The usual advice is 100 to 200 MB a file: https://www.tensorflow.org/tutorials/load_data/tfrecord
SHARD_BYTES = 150_000_000
"""The most bytes of images in a record file, approximately."""

MOST_READERS = 16
"""The most record files that are read at once: further threads would only wait."""


def shard_count(encoded_bytes: int, images: int, cores: int) -> int:
    """Return the number of record files for images whose files have `encoded_bytes` together.

    No file is much larger than SHARD_BYTES, none is empty, and each core has one to read.
    """
    return min(max(math.ceil(encoded_bytes / SHARD_BYTES), cores), images)
