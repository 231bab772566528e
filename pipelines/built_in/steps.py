"""The steps that tf.data pipelines share, and the tail that all of them end with.

Imports TensorFlow; pipelines import this inside `open`.
"""

from __future__ import annotations

import os
import shutil
import warnings
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from feedbench.pipelines.built_in.fitting import fitted
from feedbench.pipelines.contract import LUMA, KnobOverruledWarning
from feedbench.pipelines.images.decoding import decoded
from feedbench.pipelines.system.memory import available_bytes, fit_cache
from feedbench.pipelines.tfrecords.record_format import MOST_READERS, SUFFIXES, TYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from feedbench.pipelines.built_in.tail_knobs import TailKnobs
    from feedbench.pipelines.contract import Until, Workload
    from feedbench.pipelines.tfrecords.record_format import Compression


def files_dataset(
    workload: Workload, knobs: TailKnobs, scratch: Path, until: Until | None = None
) -> tf.data.Dataset:
    """Return a dataset of batches that reads and decodes the workload's files.

    It delivers images `[B, H, W, C]` and labels as the workload asks; one pass is an epoch. With
    `until`, it stops after this step and delivers stand-ins `[B, 1]` instead of images.
    """
    paths = [os.fsencode(file) for file in workload.files]
    listed = tf.data.Dataset.from_tensor_slices((paths, tf.constant(workload.labels, tf.int32)))

    def load(path: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return made_of(tf.io.read_file(path), workload, knobs, until), label

    return tail(listed, load, workload, knobs, scratch)


def records_dataset(
    workload: Workload,
    knobs: TailKnobs,
    compression: Compression,
    prepared: Path,
    scratch: Path,
    until: Until | None = None,
) -> tf.data.Dataset:
    """Return a dataset of batches that reads and decodes the record files in `prepared`.

    It delivers what `files_dataset` does. Each epoch reads the files in a new order, several at
    once. Then their records, still encoded, go through the shuffle buffer.
    """
    files = sorted(prepared.glob(f"*{SUFFIXES[compression]}"))
    names = [os.fspath(file) for file in files]
    listed = interleaved(names, [TYPES[compression]] * len(names), workload, knobs)
    features = {
        "image_raw": tf.io.FixedLenFeature([], tf.string),
        "label": tf.io.FixedLenFeature([], tf.int64),
    }

    def load(record: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        parsed = tf.io.parse_single_example(record, features)
        delivered = made_of(parsed["image_raw"], workload, knobs, until)
        return delivered, tf.cast(parsed["label"], tf.int32)

    encoded_bytes = sum(file.stat().st_size for file in files) // workload.images
    return tail(listed, load, workload, knobs, scratch, encoded_bytes)


def interleaved(
    files: Sequence[str],
    compressions: Sequence[str],
    workload: Workload,
    knobs: TailKnobs,
    chosen: Sequence[Sequence[bool]] | None = None,
) -> tf.data.Dataset:
    """Return a dataset of the records of files, several read at once, in a new order each epoch.

    `compressions` are TensorFlow's names, one a file. `chosen` says for each file which of its
    first records are read; the rest of the file is not. None: all records of all files.
    """
    columns: tuple[Any, ...] = ([os.fsencode(file) for file in files], [*compressions])
    if chosen is not None:
        columns = (*columns, tf.ragged.constant(chosen, tf.bool))
    listed = tf.data.Dataset.from_tensor_slices(columns)
    if knobs.shuffle != "none":
        listed = listed.shuffle(len(files), seed=workload.seed, reshuffle_each_iteration=True)
    at_once = min(len(files), MOST_READERS)
    calls = _or_autotune(knobs.parallel_calls)
    return listed.interleave(
        _records_of,
        cycle_length=at_once,
        num_parallel_calls=calls if calls is None else min(calls, at_once),  # AUTOTUNE is -1
    )


def _records_of(
    file: tf.Tensor, compression: tf.Tensor, chosen: tf.Tensor | None = None
) -> tf.data.Dataset:
    """Return the chosen records of a file; all for None."""
    records = tf.data.TFRecordDataset(file, compression)
    if chosen is None:
        return records
    pairs = tf.data.Dataset.zip(tf.data.Dataset.from_tensor_slices(chosen), records)
    return pairs.filter(lambda is_chosen, _: is_chosen).map(lambda _, record: record)


def image(encoded: tf.Tensor, workload: Workload, knobs: TailKnobs) -> tf.Tensor:
    """Return the image of one file's bytes, in the workload's shape, dtype and range.

    TensorFlow's bilinear rule resizes it, without antialiasing. Grey is computed after resizing,
    from fewer pixels. Both steps are linear, so their order changes no value.
    """
    colours = decoded(encoded, workload.formats, knobs.dct)
    resized = fitted(colours, workload)
    if workload.channels == 1:
        resized = tf.tensordot(resized, tf.constant(LUMA)[:, tf.newaxis], 1)
    if workload.dtype == "uint8":
        values = tf.saturate_cast(tf.round(resized), tf.uint8)  # halves to the even one
    else:
        values = tf.cast(_in_range(resized, workload), workload.dtype)  # float32: nothing to do
    if workload.data_format == "channels_first":
        values = tf.transpose(values, [2, 0, 1])
    return values


def _in_range(levels: tf.Tensor, workload: Workload) -> tf.Tensor:
    """Bring grey levels `[H, W, C]` into the workload's range."""
    if workload.normalization != "none":
        values = workload.values
        levels = levels[..., ::-1] if values.is_bgr else levels
        return (levels - values.mean) / values.std
    low, high = workload.value_range
    if (low, high) != (0, 255):
        levels = levels / (255.0 / (high - low))
    return levels + low if low else levels


def stand_in(encoded: tf.Tensor, workload: Workload, knobs: TailKnobs, until: Until) -> tf.Tensor:
    """Do the steps of `image` up to `until`, and return one number that depends on them: `[1]`."""
    if until == "read":
        return tf.strings.length(encoded)[tf.newaxis]
    colours = decoded(encoded, workload.formats, knobs.dct)
    if until == "resize":
        colours = fitted(colours, workload)
    return colours[0, 0, :1]


def tail(
    listed: tf.data.Dataset,
    load: Callable[..., Any],
    workload: Workload,
    knobs: TailKnobs,
    scratch: Path,
    encoded_bytes: int = 0,
) -> tf.data.Dataset:
    """Return a dataset of batches: load each element, cache, shuffle, batch, prefetch.

    A cache holds each image as delivered, and its label as an int32. Batches of labels are
    converted to the label mode afterwards.

    Without a cache, the list is shuffled. That is free if its elements are paths; otherwise an
    element holds `encoded_bytes`. With a cache, the shuffle comes after the cache, because every
    epoch would have the first one's order otherwise.
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
    if workload.label_mode != "int":
        dataset = dataset.map(lambda images, labels: (images, _in_mode(labels, workload)))
    if knobs.prefetch != "none":
        dataset = dataset.prefetch(_or_autotune(knobs.prefetch))
    options = tf.data.Options()
    options.deterministic = knobs.deterministic
    return dataset.with_options(options)


def made_of(
    encoded: tf.Tensor, workload: Workload, knobs: TailKnobs, until: Until | None
) -> tf.Tensor:
    """Return the image, or its stand-in if the pipeline is cut off."""
    if until is None:
        return image(encoded, workload, knobs)
    return stand_in(encoded, workload, knobs, until)


def _in_mode(labels: tf.Tensor, workload: Workload) -> tf.Tensor:
    """Turn labels `[B]` int32 into the workload's label mode."""
    if workload.label_mode == "binary":
        return tf.cast(labels, tf.float32)[:, tf.newaxis]
    return tf.one_hot(labels, len(workload.class_names))


def without_rewrites(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Return the dataset as written: TensorFlow adds no parallel stage and no prefetch."""
    options = tf.data.Options()
    options.experimental_optimization.apply_default_optimizations = False
    return dataset.with_options(options)


def _fitted(
    workload: Workload, knobs: TailKnobs, scratch: Path, encoded_bytes: int
) -> tuple[str, int]:
    """Return the cache and the shuffle buffer that fit here, and warn of overruled knobs."""
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
