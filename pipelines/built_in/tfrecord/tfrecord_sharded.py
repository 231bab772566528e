"""Uncompressed TFRecords in several files, as TensorFlow's performance guide recommends."""

from __future__ import annotations

from dataclasses import dataclass

from feedbench.pipelines.built_in.stored.stored_knobs import Shards
from feedbench.pipelines.built_in.tfrecord.tfrecord_base import Compression, Tfrecord


@dataclass(frozen=True, kw_only=True)
class TfrecordSharded(Tfrecord):
    """TFRecords in several uncompressed files, read in parallel."""

    compression: Compression = "none"
    shards: Shards = "auto"
