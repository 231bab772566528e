"""Writes TFRecord files of a workload's images, each file whole or absent.

Imports TensorFlow; pipelines import this inside `prepare`. Files' own bytes are written by several
processes. Nothing here starts TensorFlow's runtime, so these can be forked. Images that are made
for the records are written by threads, because what makes them uses all cores by itself.
"""

from __future__ import annotations

import errno
import math
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING

import tensorflow as tf

from feedbench.pipelines.remote.address import is_address
from feedbench.pipelines.remote.reading import read, read_ahead, total_size
from feedbench.pipelines.system.pool import in_processes
from feedbench.pipelines.tfrecords.example import Content, example
from feedbench.pipelines.tfrecords.record_format import TYPES, Compression
from feedbench.pipelines.tfrecords.record_plan import (
    Entry,
    entries_of,
    needed_bytes,
    no_room,
    overhead_bytes,
    shard_file,
)

if TYPE_CHECKING:
    from pathlib import Path

    from feedbench.pipelines.contract import Workload

Make = Callable[[Sequence[str]], Iterator[Content]]
"""Files -> what the record of each holds as its image, in order. It uses all cores."""


def write(workload: Workload, folder: Path, *, compression: Compression, shards: int) -> None:
    """Write a record for each image into `shards` files in `folder`, synced to the disk.

    The records are in a random order, the same each time. So a small shuffle buffer does not
    deliver one class after the other. `compression` is none or gzip. One process a core writes
    them, at most one a file.

    Raises PreparationError if the disk has no room, before or during the write, and OSError if an
    image cannot be read.
    """
    if is_address(workload.files[0]):  # one at a time, most of the time would be spent waiting
        image_bytes = total_size(workload.files) / workload.images
        write_made(
            workload,
            folder,
            compression=compression,
            shards=shards,
            make=read_ahead,
            image_bytes=image_bytes,
        )
        return
    needed = needed_bytes(workload)
    if shutil.disk_usage(folder).free < needed:
        raise no_room(folder, needed)
    entries = entries_of(workload)
    calls = [
        (shard_file(folder, compression, shard, shards), compression, entries[shard::shards])
        for shard in range(shards)
    ]
    with room_in(folder, needed):
        if shards == 1:
            write_file(*calls[0])
        else:
            in_processes(write_file, calls, min(shards, len(os.sched_getaffinity(0))))


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
    needed = math.ceil(workload.images * image_bytes) + overhead_bytes(workload)
    if shutil.disk_usage(folder).free < needed:
        raise no_room(folder, needed)
    entries = entries_of(workload)
    is_over = Event()
    at_once = min(shards, len(os.sched_getaffinity(0)))
    with room_in(folder, needed), ThreadPoolExecutor(at_once) as pool:
        pending = [
            pool.submit(
                write_file,
                shard_file(folder, compression, shard, shards),
                compression,
                entries[shard::shards],
                make,
                is_over.is_set,
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
def room_in(folder: Path, needed: int, hint: str = "") -> Iterator[None]:
    """Raise PreparationError if the disk is full before the end of this context.

    `needed` is about how many bytes all records take.
    """
    try:
        yield
    except (OSError, tf.errors.ResourceExhaustedError) as error:
        if isinstance(error, OSError) and error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise no_room(folder, needed, hint) from error


def contents(files: Sequence[str]) -> Iterator[bytes]:
    """Yield the bytes of each file; in a store, some of the next are on their way."""
    yield from read_ahead(files) if any(map(is_address, files[:1])) else map(read, files)


def write_file(
    file: Path,
    compression: Compression,
    entries: Sequence[Entry],
    make: Make = contents,
    is_over: Callable[[], bool] = lambda: False,
) -> None:
    """Write one record file, synced to the disk; it has its name once it is complete.

    Raises CancelledError once `is_over`, and what `make` raises.
    """
    with _writer(file, compression) as writer:
        images = make([path for path, _, _ in entries])
        for (_, label, name), image in zip(entries, images, strict=True):
            if is_over():
                raise CancelledError
            writer.write(example(image, label, name))


@contextmanager
def _writer(file: Path, compression: Compression) -> Iterator[tf.io.TFRecordWriter]:
    """Open a record file, which has its name once it is complete and on the disk."""
    # A name of its own: a process of an earlier command, which was killed, may still be writing.
    unfinished = file.with_name(f".{file.name}.{secrets.token_hex(4)}.new")
    options = tf.io.TFRecordOptions(compression_type=TYPES[compression])
    with tf.io.TFRecordWriter(os.fspath(unfinished), options) as writer:
        yield writer
    with unfinished.open("rb") as written:
        os.fsync(written.fileno())
    unfinished.rename(file)
