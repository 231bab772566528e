"""Where a run's images come from: the user's folder, or the user's record files."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from contextlib import contextmanager

from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.prepared.store import Store
from feedbench.bench.processes.progress import Listener
from feedbench.bench.tfrecords.catalogue import index_extracted
from feedbench.bench.tfrecords.extraction import extracted
from feedbench.bench.tfrecords.task import Extraction
from feedbench.pipelines.images.index import Index, shown
from feedbench.pipelines.images.layouts import index_images


@contextmanager
def with_images(options: RunOptions, listener: Listener) -> Iterator[RunOptions]:
    """Provide the options with a folder of images: of record files, the one they are extracted to.

    The time that extraction takes is not the run's. Raises RequestError for records that cannot be
    used.
    """
    if options.records is None:
        yield options
        return
    begun = time.monotonic()
    task = Extraction.of(options.records, options.image_key, options.label_key, options.classes)
    with extracted(task, Store(options.prepared), listener) as folder:
        seconds = time.monotonic() - begun
        yield dataclasses.replace(options, folder=folder, begun=options.begun + seconds)


@contextmanager
def images_kept(options: RunOptions) -> Iterator[None]:
    """Let no one clear the images of a run that is resumed during this context."""
    if options.records is None:
        yield
        return
    with Store(options.prepared).in_use():
        yield


def list_images(options: RunOptions, listener: Listener) -> Index:
    """List the images of the options' folder. Raises RequestError as `index_images` does."""
    listener.stage(f"listing {shown(str(options.folder))}")
    if options.records is not None:
        return index_extracted(options.folder)
    return index_images(options.folder, options.layout)
