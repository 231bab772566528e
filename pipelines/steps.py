"""The steps that tf.data pipelines share, and the one tail that they all end in.

Imports TensorFlow; pipelines import this inside `open`.
"""

from __future__ import annotations

import os
import shutil
import warnings
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from feedbench.pipelines.contract import KnobOverruledWarning
from feedbench.pipelines.memory import available_bytes, fit_cache
from feedbench.pipelines.tfrecord import SUFFIXES, TYPES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from feedbench.pipelines.contract import Workload
    from feedbench.pipelines.tail_knobs import TailKnobs
    from feedbench.pipelines.tfrecord import Tfrecord

_MOST_READERS = 16  # record files that are read at once; more threads than that only wait


def files_dataset(workload: Workload, knobs: TailKnobs, scratch: Path) -> tf.data.Dataset:
    """Return a dataset of batches that reads and decodes the workload's files.

    A dataset of `([B, H, W, C] float32, [B] int32)`; one pass is an epoch.
    """
    paths = [os.fsencode(file) for file in workload.files]
    listed = tf.data.Dataset.from_tensor_slices((paths, tf.constant(workload.labels, tf.int32)))

    def load(path: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return image(tf.io.read_file(path), workload, knobs), label

    return tail(listed, load, workload, knobs, scratch)


def records_dataset(
    workload: Workload, knobs: Tfrecord, prepared: Path, scratch: Path
) -> tf.data.Dataset:
    """Return a dataset of batches that reads and decodes the record files in `prepared`.

    The files are taken in a new order each epoch and read several at once; then their records,
    still encoded, go through the shuffle buffer.
    """
    files = sorted(prepared.glob(f"*{SUFFIXES[knobs.compression]}"))
    names = tf.data.Dataset.from_tensor_slices([os.fsencode(file) for file in files])
    if knobs.shuffle != "none":
        names = names.shuffle(len(files), seed=workload.seed, reshuffle_each_iteration=True)
    at_once = min(len(files), _MOST_READERS)
    calls = _or_autotune(knobs.parallel_calls)
    listed = names.interleave(
        lambda name: tf.data.TFRecordDataset(name, TYPES[knobs.compression]),
        cycle_length=at_once,
        num_parallel_calls=calls if calls is None else min(calls, at_once),  # AUTOTUNE is -1
    )
    features = {
        "image_raw": tf.io.FixedLenFeature([], tf.string),
        "label": tf.io.FixedLenFeature([], tf.int64),
    }

    def load(record: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        parsed = tf.io.parse_single_example(record, features)
        return image(parsed["image_raw"], workload, knobs), tf.cast(parsed["label"], tf.int32)

    encoded_bytes = sum(file.stat().st_size for file in files) // workload.images
    return tail(listed, load, workload, knobs, scratch, encoded_bytes)


def image(encoded: tf.Tensor, workload: Workload, knobs: TailKnobs) -> tf.Tensor:
    """Decode one file's bytes, resize, and scale: `[H, W, C]` float32 in [0, 1].

    `decode_jpeg` decodes PNG as well. Resizing is TensorFlow's bilinear rule, not antialiased.
    """
    decoded = tf.io.decode_jpeg(encoded, channels=workload.channels, dct_method=knobs.dct.upper())
    resized = tf.image.resize(decoded, [workload.height, workload.width])
    return resized / 255.0


def tail(
    listed: tf.data.Dataset,
    load: Callable[..., Any],
    workload: Workload,
    knobs: TailKnobs,
    scratch: Path,
    encoded_bytes: int = 0,
) -> tf.data.Dataset:
    """Add what every tf.data pipeline ends in: load, cache, shuffle, batch, prefetch.

    Without a cache the list is shuffled, which costs nothing where its elements are paths;
    `encoded_bytes` is what one holds where they are not. A decoded cache is shuffled after it, or
    every epoch would come in the order of the first.
    """
    cache, buffer = _fitted(workload, knobs, scratch, encoded_bytes)
    calls = _or_autotune(knobs.parallel_calls)
    dataset = listed
    if cache == "none":
        dataset = _shuffled(dataset, buffer, workload.seed)
    dataset = dataset.map(load, num_parallel_calls=calls)
    if cache != "none":
        dataset = dataset.cache(os.fspath(scratch / "cache") if cache == "file" else "")
        dataset = _shuffled(dataset, buffer, workload.seed)
    dataset = dataset.batch(workload.batch_size)
    if knobs.prefetch != "none":
        dataset = dataset.prefetch(_or_autotune(knobs.prefetch))
    options = tf.data.Options()
    options.deterministic = knobs.deterministic
    return dataset.with_options(options)


def without_rewrites(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Return the dataset as its code says: TensorFlow adds no parallel stage and no prefetch."""
    options = tf.data.Options()
    options.experimental_optimization.apply_default_optimizations = False
    return dataset.with_options(options)


def _fitted(
    workload: Workload, knobs: TailKnobs, scratch: Path, encoded_bytes: int
) -> tuple[str, int]:
    """Return the cache and the shuffle buffer that fit here, and warn of what was overruled."""
    fit = fit_cache(
        cache=knobs.cache,
        shuffle=knobs.shuffle,
        images=workload.images,
        folder_images=workload.folder_images,
        image_bytes=workload.image_bytes,
        encoded_bytes=encoded_bytes,
        memory_bytes=available_bytes(),
        disk_bytes=shutil.disk_usage(scratch).free,
    )
    for knob, asked, used, reason in fit.overruled:
        warnings.warn(KnobOverruledWarning(knob, asked, used, reason), stacklevel=2)
    return fit.cache, fit.buffer


def _shuffled(dataset: tf.data.Dataset, buffer: int, seed: int) -> tf.data.Dataset:
    if buffer == 0:
        return dataset
    return dataset.shuffle(buffer, seed=seed, reshuffle_each_iteration=True)


def _or_autotune(knob: int | str) -> int | None:
    if isinstance(knob, int):
        return knob
    return tf.data.AUTOTUNE if knob == "autotune" else None
