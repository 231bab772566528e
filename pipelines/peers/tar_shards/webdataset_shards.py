"""Writes the shards of `webdataset`. Imports webdataset, and no TensorFlow."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING

from webdataset import TarWriter

from feedbench.pipelines.remote.reading import read
from feedbench.pipelines.system.pool import in_processes
from feedbench.pipelines.tfrecords.record_plan import Entry, entries_of, no_room

if TYPE_CHECKING:
    from pathlib import Path

    from feedbench.pipelines.contract import Workload


def write(workload: Workload, folder: Path, shards: int, needed: int) -> None:
    """Write the images into `shards` tar files in `folder`, in a random order, the same each time.

    They take about `needed` bytes. Raises PreparationError if the disk has no room, and OSError if
    an image cannot be read.
    """
    if shutil.disk_usage(folder).free < needed:
        raise no_room(folder, needed)
    entries = entries_of(workload)
    calls = [
        (folder / f"images-{shard:05d}.tar", shard, entries[shard::shards])
        for shard in range(shards)
    ]
    try:
        in_processes(write_shard, calls, min(shards, len(os.sched_getaffinity(0))))
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise no_room(folder, needed) from error


def write_shard(file: Path, shard: int, entries: Sequence[Entry]) -> None:
    """Write one tar file, synced to the disk; it has its name once it is complete."""
    unfinished = file.with_name(f".{file.name}.new")
    with unfinished.open("wb") as stream:
        with TarWriter(stream, encoder=False) as tar:
            for number, (path, label, _) in enumerate(entries):
                encoded = read(path)
                key = f"{shard:05d}-{number:09d}"
                tar.write({"__key__": key, "image": encoded, "cls": str(label).encode()})
        stream.flush()
        os.fsync(stream.fileno())
    unfinished.rename(file)
