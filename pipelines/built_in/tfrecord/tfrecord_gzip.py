"""TFRecords in one GZIP file, as TensorFlow's courses teach it."""

from __future__ import annotations

from dataclasses import dataclass

from feedbench.pipelines.built_in.stored.stored_knobs import Shards
from feedbench.pipelines.built_in.tfrecord.tfrecord_base import Compression, Tfrecord


@dataclass(frozen=True, kw_only=True)
class TfrecordGzip(Tfrecord):
    """TFRecords in one GZIP file, which one thread must decompress."""

    compression: Compression = "gzip"
    shards: Shards = 1
