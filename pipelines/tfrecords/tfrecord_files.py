"""Writes TFRecord files of a workload's images, each file whole or absent.

Imports TensorFlow; pipelines import this inside `prepare`. Files' own bytes are written by several
processes. Nothing here starts TensorFlow's runtime, so these can be forked. Images that are made
for the records are written by threads, because what makes them uses all cores by itself.
"""

from __future__ import annotations

import errno
import math
import os
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING

import tensorflow as tf

from feedbench.pipelines.errors import PreparationError
from feedbench.pipelines.images.index import image_id
from feedbench.pipelines.system.pool import in_processes
from feedbench.pipelines.tfrecords.record_format import SUFFIXES, TYPES, Compression

if TYPE_CHECKING:
    from pathlib import Path

    from feedbench.pipelines.contract import Workload

# Apart from the image and the id: 16 bytes of framing (length and two checksums), and about 60 for
# the names and lengths of three features.
_RECORD_BYTES = 96
_ORDER_SEED = 0  # the order of the records is not part of the workload: all runs have the same

Make = Callable[[Sequence[str]], Iterator[bytes]]
"""Files -> what the record of each holds as its image, in order. It uses all cores."""

Entry = tuple[str, int, bytes]
"""A file's path, its label and its id."""


def write(workload: Workload, folder: Path, *, compression: Compression, shards: int) -> None:
    """Write a record for each image into `shards` files in `folder`, synced to the disk.

    The records are in a random order, the same each time. So a small shuffle buffer does not
    deliver one class after the other. `compression` is none or gzip. One process a core writes
    them, at most one a file.

    Raises PreparationError if the disk has no room, before or during the write, and OSError if an
    image cannot be read.
    """
    needed = needed_bytes(workload)
    if shutil.disk_usage(folder).free < needed:
        raise _no_room(folder, needed)
    entries = _entries(workload)
    calls = [
        (_file(folder, compression, shard, shards), compression, entries[shard::shards])
        for shard in range(shards)
    ]
    with _room_in(folder, needed):
        if shards == 1:
            _write_file(*calls[0])
        else:
            in_processes(_write_file, calls, min(shards, len(os.sched_getaffinity(0))))


def write_made(
    workload: Workload,
    folder: Path,
    *,
    compression: Compression,
    shards: int,
    make: Make,
    image_bytes: float,
) -> None:
    """Write records as `write` does, of images that `make` makes of the files.

    `image_bytes` is about what an image takes. Raises what `write` raises, and what `make` does.
    """
    needed = math.ceil(workload.images * image_bytes) + _overhead_bytes(workload)
    if shutil.disk_usage(folder).free < needed:
        raise _no_room(folder, needed)
    entries = _entries(workload)
    is_over = Event()
    at_once = min(shards, len(os.sched_getaffinity(0)))
    with _room_in(folder, needed), ThreadPoolExecutor(at_once) as pool:
        pending = [
            pool.submit(
                _write_made_file,
                _file(folder, compression, shard, shards),
                compression,
                entries[shard::shards],
                make,
                is_over,
            )
            for shard in range(shards)
        ]
        try:
            for done in as_completed(pending):
                done.result()
        finally:  # after an error, the other threads end at their next image
            is_over.set()
            pool.shutdown(cancel_futures=True)


@contextmanager
def _room_in(folder: Path, needed: int) -> Iterator[None]:
    """Raise PreparationError if the disk is full before the end of this context."""
    try:
        yield
    except (OSError, tf.errors.ResourceExhaustedError) as error:
        if isinstance(error, OSError) and error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise _no_room(folder, needed) from error


def needed_bytes(workload: Workload) -> int:
    """Return about how many bytes the records take uncompressed; JPEGs hardly compress."""
    return sum(map(os.path.getsize, workload.files)) + _overhead_bytes(workload)


def _overhead_bytes(workload: Workload) -> int:
    return sum(_RECORD_BYTES + len(file) - len(workload.folder) for file in workload.files)


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
    with _writer(file, compression) as writer:
        for path, label, name in entries:
            with open(path, "rb") as image:  # noqa: PTH123 - names may not be UTF-8
                writer.write(_record(image.read(), label, name))


def _write_made_file(
    file: Path, compression: Compression, entries: list[Entry], make: Make, is_over: Event
) -> None:
    with _writer(file, compression) as writer:
        images = make([path for path, _, _ in entries])
        for (_, label, name), image in zip(entries, images, strict=True):
            if is_over.is_set():
                raise CancelledError
            writer.write(_record(image, label, name))


@contextmanager
def _writer(file: Path, compression: Compression) -> Iterator[tf.io.TFRecordWriter]:
    """Open a record file, which has its name once it is complete and on the disk."""
    unfinished = file.with_name(f".{file.name}.new")
    options = tf.io.TFRecordOptions(compression_type=TYPES[compression])
    with tf.io.TFRecordWriter(os.fspath(unfinished), options) as writer:
        yield writer
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
        f"its records need about {needed / 1e6:,.3f} MB, but only {free / 1e6:,.3f} MB are free in"
        f" {folder}",
        hint="free some space, or choose another folder (--prepared; for a pilot, TMPDIR)",
    )
