"""The steps that tf.data pipelines share, and the tail that all of them end with.

Imports TensorFlow; pipelines import this inside `open`.
"""

from __future__ import annotations

import math
import os
import shutil
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from feedbench.pipelines.built_in.autotune import untuned
from feedbench.pipelines.built_in.fitting import fitted, may_reduce
from feedbench.pipelines.built_in.source_pixels import mean_pixels
from feedbench.pipelines.built_in.tensor_form import (
    augmentation,
    augmented_at,
    augments,
    finished_levels,
    in_form,
    unfinished,
    unfinished_bytes,
)
from feedbench.pipelines.contract import KnobOverruledWarning
from feedbench.pipelines.images.decoding import decoded
from feedbench.pipelines.remote.reading import total_size
from feedbench.pipelines.system.memory import available_bytes, fit_cache
from feedbench.pipelines.tfrecords.record_format import MOST_READERS, SUFFIXES, TYPES
from feedbench.pipelines.tfrecords.record_plan import gone
from feedbench.pipelines.tfrecords.stored_records import by_fsspec
from feedbench.pipelines.tfrecords.stored_records import records_of as stored_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from feedbench.pipelines.built_in.tail_knobs import TailKnobs
    from feedbench.pipelines.contract import Until, Workload
    from feedbench.pipelines.system.memory import CacheFit
    from feedbench.pipelines.tfrecords.record_format import Compression

RECORDS_SHUFFLED = 1024  # before a cache of batches; the code to paste has this number too
_MOST_ASKED = 1000  # files whose size is asked for
_COLOURS = 3  # bytes of a decoded pixel


def files_dataset(
    workload: Workload, knobs: TailKnobs, scratch: Path, until: Until | None = None
) -> tf.data.Dataset:
    """Return a dataset of batches that reads and decodes the workload's files.

    It delivers images `[B, H, W, C]` and labels as the workload asks; one pass is an epoch. With
    `until`, it stops after this step and delivers stand-ins `[B, 1]` instead of images.
    """
    paths = [os.fsencode(file) for file in workload.files]
    listed = tf.data.Dataset.from_tensor_slices((paths, tf.constant(workload.labels, tf.int32)))

    def read(path: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.io.read_file(path), label

    return tail(listed, read, workload, knobs, scratch, until=until)


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
    if not files:
        raise gone(prepared)
    names = [os.fspath(file) for file in files]
    listed = interleaved(names, [TYPES[compression]] * len(names), workload, knobs)
    features = {
        "image_raw": tf.io.FixedLenFeature([], tf.string),
        "label": tf.io.FixedLenFeature([], tf.int64),
    }

    def read(record: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        parsed = tf.io.parse_single_example(record, features)
        return parsed["image_raw"], tf.cast(parsed["label"], tf.int32)

    encoded_bytes = sum(file.stat().st_size for file in files) // workload.images
    return tail(listed, read, workload, knobs, scratch, encoded_bytes, until)


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
    all_records = _records_by_fsspec if any(map(by_fsspec, files[:1])) else tf.data.TFRecordDataset
    if knobs.shuffle != "none":
        listed = listed.shuffle(len(files), seed=workload.seed, reshuffle_each_iteration=True)
    at_once, calls = files_at_once(len(files), knobs)
    return listed.interleave(
        partial(_records_of, all_records), cycle_length=at_once, num_parallel_calls=calls
    )


def files_at_once(files: int, knobs: TailKnobs) -> tuple[int, int | None]:
    """Return how many of so many files are read at once, and by how many calls.

    The calls are as TensorFlow has them: -1 is AUTOTUNE, and None is one after another.
    """
    at_once = min(files, MOST_READERS)
    calls = _or_autotune(knobs.parallel_calls)
    return at_once, calls if calls is None else min(calls, at_once)


def _records_by_fsspec(file: tf.Tensor, compression: tf.Tensor) -> tf.data.Dataset:
    """Return the records of a file in a store; Python reads them."""

    def records(file: bytes, compression: bytes) -> Iterator[bytes]:
        return stored_records(file.decode(), compression.decode())

    signature = tf.TensorSpec([], tf.string)
    return tf.data.Dataset.from_generator(
        records, args=(file, compression), output_signature=signature
    )


def _records_of(
    all_records: Callable[[tf.Tensor, tf.Tensor], tf.data.Dataset],
    file: tf.Tensor,
    compression: tf.Tensor,
    chosen: tf.Tensor | None = None,
) -> tf.data.Dataset:
    """Return the chosen records of a file; all for None."""
    records = all_records(file, compression)
    if chosen is None:
        return records
    pairs = tf.data.Dataset.zip(tf.data.Dataset.from_tensor_slices(chosen), records)
    return pairs.filter(lambda is_chosen, _: is_chosen).map(lambda _, record: record)


def stand_in(encoded: tf.Tensor, workload: Workload, knobs: TailKnobs, until: Until) -> tf.Tensor:
    """Decode and resize up to `until`, and return one number that depends on that: `[1]`."""
    if until == "read":
        size = tf.strings.length if encoded.dtype == tf.string else tf.size
        return size(encoded)[tf.newaxis]
    colours = decoded_by(knobs, encoded, workload)
    if until == "resize" and not knobs.stores_pixels:
        colours = fitted(colours, workload)
    return colours[0, 0, :1]


def decoded_by(knobs: TailKnobs, encoded: tf.Tensor, workload: Workload) -> tf.Tensor:
    """Return an image's pixels as a pipeline gets them: `[height, width, channels]` uint8.

    Those that are stored as delivered are not decoded.
    """
    if encoded.dtype != tf.string:
        return encoded  # pixels already
    if knobs.stores_pixels:
        size = (workload.height, workload.width, workload.channels)
        return tf.reshape(tf.io.decode_raw(encoded, tf.uint8), size)
    return decoded_file(encoded, workload, knobs)


def decoded_file(encoded: tf.Tensor, workload: Workload, knobs: TailKnobs) -> tf.Tensor:
    """Decode a file's bytes as the knobs `dct` and `decode` say: `[height, width, 3]` uint8."""
    reduce = partial(may_reduce, workload=workload) if knobs.decode == "scaled" else None
    return decoded(encoded, workload.formats, knobs.dct, reduce)


def tail(
    listed: tf.data.Dataset,
    read: Callable[..., Any],
    workload: Workload,
    knobs: TailKnobs,
    scratch: Path,
    encoded_bytes: int = 0,
    until: Until | None = None,
) -> tf.data.Dataset:
    """Return a dataset of batches: read each element, decode, resize, shuffle, batch, prefetch.

    `read` makes a file's bytes and its label, an int32, of an element of `listed`. `cache_at` is
    the step after which the cache is. Batches of labels are converted to the label mode.

    Without a cache, the list is shuffled. That is free if its elements are paths; otherwise an
    element holds `encoded_bytes`. With a cache, the shuffle comes after the cache, because every
    epoch would have the first one's order otherwise. Behind a cache of batches it moves whole ones.
    Then the list is shuffled as well, once: it may be in the order of the classes.

    Images are augmented behind the cache and the shuffle, one by one or in batches.
    """
    fit = _fitted(workload, knobs, scratch, encoded_bytes)
    place = knobs.cache_at if fit.cache != "none" else "none"
    augmented = "none" if until is not None else augmented_at(workload, knobs, place)
    before, after = _around_cache(read, workload, knobs, place, until)
    calls = _or_autotune(knobs.parallel_calls)
    dataset = listed
    if place == "none":
        dataset = _shuffled(dataset, fit.buffer, workload.seed)
    elif place == "batched" and fit.buffer:
        # What the batches hold, in every epoch: of the paths, or of some records at a time.
        ahead = RECORDS_SHUFFLED if encoded_bytes else workload.images
        dataset = _shuffled(dataset, ahead, workload.seed)
    dataset = dataset.map(before, num_parallel_calls=calls)
    if place not in ("none", "batched"):
        dataset = _cached(dataset, fit.cache, scratch)
        dataset = _shuffled(dataset, fit.buffer, workload.seed)
    if after is not None:
        dataset = dataset.map(after, num_parallel_calls=calls)
    if augmented == "image":
        dataset = dataset.map(augmentation(workload), num_parallel_calls=calls)
    dataset = dataset.batch(workload.batch_size)
    if workload.label_mode != "int":
        dataset = dataset.map(lambda images, labels: (images, _in_mode(labels, workload)))
    if place == "batched":
        dataset = _cached(dataset, fit.cache, scratch)
        dataset = _shuffled(dataset, -(-fit.buffer // workload.batch_size), workload.seed)
    if augmented == "batch":
        dataset = dataset.map(augmentation(workload), num_parallel_calls=calls)
    return _ended(dataset, knobs)


def _around_cache(
    read: Callable[..., Any],
    workload: Workload,
    knobs: TailKnobs,
    place: str,
    until: Until | None,
) -> tuple[Callable[..., Any], Callable[..., Any] | None]:
    """Return the functions to map before and after a cache of images; None for nothing after.

    A pipeline that is cut off caches its stand-ins. One that augments caches images in grey levels.
    """
    form = _form(workload, knobs)

    def to_encoded(*element: tf.Tensor) -> Any:
        return read(*element)

    def to_decoded(*element: tf.Tensor) -> Any:
        encoded, label = read(*element)
        return decoded_by(knobs, encoded, workload), label

    def to_delivered(*element: tf.Tensor) -> Any:
        encoded, label = read(*element)
        if until is not None:
            return stand_in(encoded, workload, knobs, until), label
        return form(decoded_by(knobs, encoded, workload), workload), label

    def from_encoded(encoded: tf.Tensor, label: tf.Tensor) -> Any:
        return form(decoded_by(knobs, encoded, workload), workload), label

    def from_decoded(colours: tf.Tensor, label: tf.Tensor) -> Any:
        return form(colours, workload), label

    if until is None and place == "encoded":
        return to_encoded, from_encoded
    if until is None and place == "decoded":
        return to_decoded, from_decoded
    return to_delivered, None


def _form(workload: Workload, knobs: TailKnobs) -> Callable[[tf.Tensor, Workload], tf.Tensor]:
    """Return the function that brings an image's pixels into the form before it is augmented.

    Without augmentation, that is how it is delivered.
    """
    is_augmented = augments(workload, knobs)
    if knobs.stores_pixels:
        return (lambda levels, _: levels) if is_augmented else finished_levels
    return unfinished if is_augmented else in_form


def _cached(dataset: tf.data.Dataset, cache: str, scratch: Path) -> tf.data.Dataset:
    return dataset.cache(os.fspath(scratch / "cache") if cache == "file" else "")


def _ended(dataset: tf.data.Dataset, knobs: TailKnobs) -> tf.data.Dataset:
    """Return a dataset of batches with its prefetch and its options."""
    options = tf.data.Options()
    options.deterministic = knobs.deterministic
    ended = prefetched(dataset, knobs).with_options(options)
    return untuned(ended) if knobs.is_fixed else ended


def prefetched(dataset: tf.data.Dataset, knobs: TailKnobs) -> tf.data.Dataset:
    """Return a dataset of batches with its prefetch."""
    if knobs.prefetch == "none":
        return dataset
    return dataset.prefetch(_or_autotune(knobs.prefetch))


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


def _fitted(workload: Workload, knobs: TailKnobs, scratch: Path, encoded_bytes: int) -> CacheFit:
    """Return the cache and the shuffle buffer that fit here, and warn of overruled knobs."""
    fit = fit_cache(
        cache=knobs.cache,
        cache_at=knobs.cache_at,
        shuffle=knobs.shuffle,
        images=workload.images,
        folder_images=workload.folder_images,
        image_bytes=_bytes_in_cache(workload, knobs, encoded_bytes),
        encoded_bytes=encoded_bytes,
        memory_bytes=available_bytes(),
        disk_bytes=shutil.disk_usage(scratch).free,
    )
    for knob, asked, used, reason in fit.overruled:
        warnings.warn(KnobOverruledWarning(knob, asked, used, reason), stacklevel=2)
    if knobs.cache == "none" and knobs.cache_at != "delivered":
        why = "cache=none keeps nothing; cache=memory and cache=file do"
        warning = KnobOverruledWarning("cache_at", knobs.cache_at, "delivered", why)
        warnings.warn(warning, stacklevel=2)
    return fit


def _bytes_in_cache(workload: Workload, knobs: TailKnobs, encoded_bytes: int) -> int:
    """Return the bytes that an image takes in the cache: exact as delivered, else by some files.

    `encoded_bytes` is what it takes in a record; 0: it is read from its own file.
    """
    if knobs.cache != "none" and knobs.stores_pixels and knobs.cache_at in ("encoded", "decoded"):
        return workload.image_values
    if knobs.cache != "none" and knobs.cache_at == "encoded":
        if encoded_bytes:
            return encoded_bytes
        files = workload.files[:: max(workload.images // _MOST_ASKED, 1)]
        return math.ceil(total_size(files) / len(files))
    if knobs.cache != "none" and knobs.cache_at == "decoded":
        pixels_of = partial(knobs.decoded_pixels, workload)
        pixels = mean_pixels(workload.files, pixels_of) or workload.height * workload.width
        return math.ceil(_COLOURS * pixels)
    if augments(workload, knobs):
        return unfinished_bytes(workload)
    return workload.image_bytes


def _shuffled(dataset: tf.data.Dataset, buffer: int, seed: int) -> tf.data.Dataset:
    if buffer == 0:
        return dataset
    return dataset.shuffle(buffer, seed=seed, reshuffle_each_iteration=True)


def _or_autotune(knob: int | str) -> int | None:
    if isinstance(knob, int):
        return knob
    return tf.data.AUTOTUNE if knob == "autotune" else None
