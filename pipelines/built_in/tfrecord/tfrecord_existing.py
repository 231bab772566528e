"""The user's own TFRecord files, read as they are."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from feedbench.pipelines.built_in.tail_knobs import Cache, Shuffle, TailKnobs
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.remote.reading import total_size

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from feedbench.pipelines.contract import Feed, Records, Until, Workload


@dataclass(frozen=True, kw_only=True)
class TfrecordExisting(TailKnobs):
    """The record files of --records, read as they are: nothing is written in advance.

    TensorFlow reads them. In a store for which it has no file system, such as s3://, fsspec does.

    If the workload is a part of the records, the files are read up to the last record of it, and
    the other records are dropped.
    """

    stores: ClassVar[frozenset[str]] = frozenset()

    cache: Cache = "none"
    shuffle: Shuffle = 1024

    def open(
        self, workload: Workload, prepared: Path, scratch: Path, until: Until | None = None
    ) -> Feed:
        """Return a dataset of batches read from the record files."""
        from feedbench.pipelines.built_in import steps

        records = workload.records
        if records is None:
            raise RequestError("it reads your own record files; expected --records")
        every = sum(records.counts)
        if workload.images < every:
            warnings.warn(
                f"it reads up to {every:,} records to deliver {workload.images:,} images; a run of"
                " all of them has no such extra work",
                stacklevel=2,
            )
        listed = steps.interleaved(
            records.files, records.compressions, workload, self, _chosen(records)
        )
        encoded_bytes = total_size(records.files) // max(every, 1)
        feed: Feed = steps.tail(
            listed, _reader(records), workload, self, scratch, encoded_bytes, until
        )
        return feed


def _reader(records: Records) -> Callable[[Any], Any]:
    """Return the function from a record to its encoded image and its label."""
    import tensorflow as tf

    values = records.label_values
    is_text = isinstance(values[0], str)
    features = {
        records.image_key: tf.io.FixedLenFeature([], tf.string),
        records.label_key: tf.io.FixedLenFeature([], tf.string if is_text else tf.int64),
    }
    table: Any = None
    if values != tuple(range(len(values))):
        keys = [os.fsencode(value) if isinstance(value, str) else value for value in values]
        initializer = tf.lookup.KeyValueTensorInitializer(
            tf.constant(keys, tf.string if is_text else tf.int64),
            tf.range(len(keys), dtype=tf.int64),
        )
        table = tf.lookup.StaticHashTable(initializer, default_value=-1)

    def read(record: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        parsed = tf.io.parse_single_example(record, features)
        label = parsed[records.label_key]
        if table is not None:
            label = table.lookup(label)
        return parsed[records.image_key], tf.cast(label, tf.int32)

    return read


def _chosen(records: Records) -> list[list[bool]] | None:
    """Return for each file which of its records are delivered, up to the last; None: all."""
    if len(records.places) == sum(records.counts):
        return None
    last = [-1] * len(records.files)
    for file, number in records.places:
        last[file] = max(last[file], number)
    chosen = [[False] * (number + 1) for number in last]
    for file, number in records.places:
        chosen[file][number] = True
    return chosen
