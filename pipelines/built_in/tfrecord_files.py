"""TFRecord files of a workload's images: written by several processes, each whole or absent.

Imports TensorFlow; pipelines import this inside `prepare`. Nothing here starts its runtime, so
that the processes can be forked.
"""

from __future__ import annotations

import errno
import os
import random
import shutil
from typing import TYPE_CHECKING

import tensorflow as tf

from feedbench.pipelines.built_in.record_format import SUFFIXES, TYPES, Compression
from feedbench.pipelines.errors import PreparationError
from feedbench.pipelines.images.index import image_id
from feedbench.pipelines.system.pool import in_processes

if TYPE_CHECKING:
    from pathlib import Path

    from feedbench.pipelines.contract import Workload

# Beside the image: 16 bytes of framing (length and two checksums), the names of three features
# and their lengths, about 60, and the id, which is taken as it is.
_RECORD_BYTES = 96
_ORDER_SEED = 0  # the order of the records is no part of the workload: the same for every run

Entry = tuple[str, int, bytes]
"""A file's path, its label and its id."""


def write(workload: Workload, folder: Path, *, compression: Compression, shards: int) -> None:
    """Write a record for each image into `shards` files in `folder`, synced to the disk.

    The records are in a random order, the same each time, so that a buffer that is smaller than
    the folder does not deliver one class after the other. `compression`: none or gzip. One
    process a core, one a file at most.

    Raises PreparationError where the disk has no room, before or while it is written, and OSError
    where an image cannot be read.
    """
    needed = needed_bytes(workload)
    if shutil.disk_usage(folder).free < needed:
        raise _no_room(folder, needed)
    entries = _entries(workload)
    calls = [
        (_file(folder, compression, shard, shards), compression, entries[shard::shards])
        for shard in range(shards)
    ]
    try:
        if shards == 1:
            _write_file(*calls[0])
        else:
            in_processes(_write_file, calls, min(shards, len(os.sched_getaffinity(0))))
    except (OSError, tf.errors.ResourceExhaustedError) as error:
        if isinstance(error, OSError) and error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise _no_room(folder, needed) from error


def needed_bytes(workload: Workload) -> int:
    """Return about how many bytes the records take uncompressed; JPEGs hardly compress."""
    beside = sum(_RECORD_BYTES + len(file) - len(workload.folder) for file in workload.files)
    return sum(map(os.path.getsize, workload.files)) + beside


def _entries(workload: Workload) -> list[Entry]:
    entries = [
        (file, label, image_id(os.path.relpath(file, workload.folder or "/")).encode())
        for file, label in zip(workload.files, workload.labels, strict=True)
    ]
    random.Random(_ORDER_SEED).shuffle(entries)  # noqa: S311 - an order, not a secret
    return entries


def _file(folder: Path, compression: Compression, shard: int, shards: int) -> Path:
    return folder / f"images-{shard:05d}-of-{shards:05d}{SUFFIXES[compression]}"


def _write_file(file: Path, compression: Compression, entries: list[Entry]) -> None:
    unfinished = file.with_name(f".{file.name}.new")
    options = tf.io.TFRecordOptions(compression_type=TYPES[compression])
    with tf.io.TFRecordWriter(os.fspath(unfinished), options) as writer:
        for path, label, name in entries:
            with open(path, "rb") as image:  # noqa: PTH123 - names may not be UTF-8
                writer.write(_record(image.read(), label, name))
    with unfinished.open("rb") as written:
        os.fsync(written.fileno())
    unfinished.rename(file)


def _record(encoded: bytes, label: int, name: bytes) -> bytes:
    features = {
        "image_raw": tf.train.Feature(bytes_list=tf.train.BytesList(value=[encoded])),
        "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
        "id": tf.train.Feature(bytes_list=tf.train.BytesList(value=[name])),
    }
    record: bytes = tf.train.Example(
        features=tf.train.Features(feature=features)
    ).SerializeToString()
    return record


def _no_room(folder: Path, needed: int) -> PreparationError:
    free = shutil.disk_usage(folder).free
    return PreparationError(
        f"its records need about {needed / 1e6:,.3f} MB, and {free / 1e6:,.3f} MB are free in"
        f" {folder}: make room there, or name another folder (--prepared; for a pilot, TMPDIR)"
    )
