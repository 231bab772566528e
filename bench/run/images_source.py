"""Where a run's images come from: the user's folder, or the user's record files."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.prepared.store import Store
from feedbench.bench.processes.progress import Listener
from feedbench.bench.tfrecords.catalogue import index_extracted
from feedbench.bench.tfrecords.extraction import extracted
from feedbench.bench.tfrecords.task import Extraction
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.index import Index, shown
from feedbench.pipelines.images.layouts import index_images
from feedbench.pipelines.images.listing import check_folder
from feedbench.pipelines.images.split.by_folder import has_parts, with_other_part
from feedbench.pipelines.images.split.by_seed import split
from feedbench.pipelines.remote.tree import OnListed

_PART_OF = {"training": "train", "validation": "validation"}  # of --subset: that of --part


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
    """List the images of the options' folder: of a split, the part to measure.

    Raises RequestError as `index_images` and `split` do, and for a part that there is not.
    """
    listener.stage(f"listing {shown(str(options.folder))}")
    if options.validation is not None:
        subset = options.subset or "training"
        return split(_index(options, listener), options.validation, options.seed, subset)
    if options.records is not None:
        if options.subset is not None:
            raise _no_part(options)
        return _index(options, listener)
    layout = options.layout
    on_listed = _listing(options, listener)
    if options.subset is not None:
        check_folder(options.folder, "one sub-folder of photos per class")
        if not has_parts(options.folder, layout):
            raise _no_part(options)
        layout = dataclasses.replace(layout, part=_PART_OF[options.subset])
    return with_other_part(index_images(options.folder, layout, on_listed), options.folder, layout)


def _index(options: RunOptions, listener: Listener) -> Index:
    if options.records is not None:
        return index_extracted(Path(options.folder))
    return index_images(options.folder, options.layout, _listing(options, listener))


def _listing(options: RunOptions, listener: Listener) -> OnListed:
    """Return what shows how many files are listed so far."""
    folder = shown(str(options.folder))
    return lambda files: listener.stage(f"listing {folder}: {files:,} files")


def _no_part(options: RunOptions) -> RequestError:
    where = "record files" if options.records else shown(str(options.folder))
    return RequestError(
        f"--subset {options.subset}: expected images with a part for training and one for"
        f" validation; {where} has no such parts",
        hint="split the images, such as with --validation 20%, or leave --subset out",
    )
