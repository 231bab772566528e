"""Which image's record goes into which file, and how much room all records take. No TensorFlow."""

from __future__ import annotations

import os
import random
import shutil
from typing import TYPE_CHECKING

from feedbench.pipelines.errors import PreparationError
from feedbench.pipelines.images.index import image_id
from feedbench.pipelines.remote.reading import total_size
from feedbench.pipelines.tfrecords.record_format import SUFFIXES, Compression

if TYPE_CHECKING:
    from pathlib import Path

    from feedbench.pipelines.contract import Workload

# Apart from the image and the id: 16 bytes of framing (length and two checksums), and about 60 for
# the names and lengths of three features.
_RECORD_BYTES = 96
_ORDER_SEED = 0  # the order of the records is not part of the workload: all runs have the same

Entry = tuple[str, int, bytes]
"""A file's path, its label and its id."""


def entries_of(workload: Workload) -> list[Entry]:
    """Return what each record is made of, in an order that is random and always the same.

    Shard k of n holds every n-th of them, from the k-th on.
    """
    entries = [
        (file, label, image_id(os.path.relpath(file, workload.folder or "/")).encode())
        for file, label in zip(workload.files, workload.labels, strict=True)
    ]
    random.Random(_ORDER_SEED).shuffle(entries)  # noqa: S311 - an order, not a secret
    return entries


def shard_file(folder: Path, compression: Compression, shard: int, shards: int) -> Path:
    """Return the file of a shard, a number from 0."""
    return folder / f"images-{shard:05d}-of-{shards:05d}{SUFFIXES[compression]}"


def needed_bytes(workload: Workload) -> int:
    """Return about how many bytes the records take uncompressed; JPEGs hardly compress."""
    return total_size(workload.files) + overhead_bytes(workload)


def overhead_bytes(workload: Workload) -> int:
    """Return about how many bytes the records take apart from their images."""
    return sum(_RECORD_BYTES + len(file) - len(workload.folder) for file in workload.files)


def no_room(folder: Path, needed: int, hint: str = "") -> PreparationError:
    """Return the error that the disk has no room for `needed` bytes of records."""
    free = shutil.disk_usage(folder).free
    return PreparationError(
        f"its records need about {needed / 1e6:,.3f} MB, but only {free / 1e6:,.3f} MB are free in"
        f" {folder}",
        hint=hint or "free some space, or choose another folder (--prepared; for a pilot, TMPDIR)",
    )


def gone(folder: Path) -> PreparationError:
    """Return the error that no prepared file is in `folder` any more."""
    return PreparationError(
        f"its prepared files are gone from {folder}", hint="a new run writes them anew"
    )
