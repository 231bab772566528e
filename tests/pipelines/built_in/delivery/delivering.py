"""Epochs of built-in pipelines over small photos, and what is to be seen of them."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from feedbench.pipelines import catalog
from feedbench.pipelines.contract import Preparing, Workload
from feedbench.pipelines.images.index import index_folder

HEIGHT, WIDTH = 32, 40
BATCH_SIZES = [8, 8, 8, 8, 7]  # of the 39 photos
SHUFFLED_TFDATA = (
    "tfdata_naive",
    "tfdata_naive:graph_rewrites=off",
    "tfdata_tuned",
    "tfdata_tuned:cache=none",
    "tfdata_tuned:cache=file",
    "tfdata_tuned:shuffle=5",
    "tfdata_tuned:parallel_calls=2",
    "tfdata_tuned:parallel_calls=none",
    "tfdata_tuned:prefetch=none",
    "tfdata_tuned:cache=none,deterministic=false",
    "tfrecord_gzip",
    "tfrecord_gzip:shards=2,cache=file",
    "tfrecord_sharded",
    "tfrecord_sharded:shards=1",
    "tfrecord_sharded:shards=3,parallel_calls=2,shuffle=20",
    "tfrecord_sharded:cache=memory,parallel_calls=none",
)
SHUFFLED = ("image_data_generator", "image_data_generator:interpolation=nearest", *SHUFFLED_TFDATA)
IN_FILE_ORDER = (
    "tfdata_naive:shuffle=none",
    "tfdata_naive:graph_rewrites=off,shuffle=none",
    "tfdata_tuned:shuffle=none",
    "tfdata_tuned:cache=none,shuffle=none",
    "tfdata_tuned:cache=file,shuffle=none",
    "tfdata_tuned:parallel_calls=2,prefetch=2,shuffle=none",
)
ALL = (*SHUFFLED, *IN_FILE_ORDER)
Pixels = npt.NDArray[np.float32]
Batches = list[tuple[Pixels, npt.NDArray[np.int32]]]
Open = Callable[..., Any]


def workload_of(folder: Path) -> Workload:
    index = index_folder(folder)
    return Workload(
        files=index.paths,
        labels=index.labels,
        class_names=index.class_names,
        height=HEIGHT,
        width=WIDTH,
        batch_size=8,
        folder_images=len(index.files),
    )


def opened_in(folder: Path, spec: str, workload: Workload) -> Any:
    prepared, scratch = folder / "prepared", folder / "scratch"
    prepared.mkdir(exist_ok=True)
    scratch.mkdir(exist_ok=True)
    pipeline = catalog.load(catalog.parse(spec))
    if isinstance(pipeline, Preparing):
        pipeline.prepare(workload, prepared)
    return pipeline.open(workload, prepared, scratch)


def as_arrays(batches: Iterable[Any]) -> Batches:
    return [(np.asarray(images), np.asarray(labels)) for images, labels in batches]


def pillow(file: str, resampling: Image.Resampling = Image.Resampling.BILINEAR) -> Pixels:
    with Image.open(file) as image:
        resized = image.convert("RGB").resize((WIDTH, HEIGHT), resampling)
        return np.asarray(resized, np.float32) / np.float32(255)


def delivered(batches: Iterable[Any]) -> tuple[Pixels, npt.NDArray[np.int32]]:
    """Return all images and labels of some batches."""
    images, labels = zip(*as_arrays(batches), strict=True)
    return np.concatenate(images), np.concatenate(labels)


def places(images: Pixels, pillows: Pixels) -> list[int]:
    """Return for each image the place of the file that looks most like it, and much like it."""
    differences = np.abs(images[:, None] - pillows[None]).mean(axis=(2, 3, 4))
    assert differences.min(axis=1).max() < 0.05
    return [int(place) for place in differences.argmin(axis=1)]


def sizes(batches: Iterable[Any]) -> list[int]:
    return [len(np.asarray(labels)) for _, labels in batches]
