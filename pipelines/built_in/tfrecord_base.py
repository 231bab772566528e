"""The knobs, preparation and reading that TFRecord pipelines share.

They differ only in the defaults of `compression` and `shards`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta

from feedbench.pipelines.built_in.tail_knobs import Cache, Shuffle, TailKnobs
from feedbench.pipelines.tfrecords import record_format

if TYPE_CHECKING:
    from pathlib import Path

    from feedbench.pipelines.contract import Feed, Until, Workload

Compression = Annotated[
    record_format.Compression, Meta(description="compression of the record files")
]
Shards = Annotated[
    Annotated[int, Meta(ge=1, le=10_000)] | Literal["auto"],
    Meta(description="number of record files; auto: about 150 MB each, at least one a core"),
]


@dataclass(frozen=True, kw_only=True)
class Tfrecord(TailKnobs):
    """Images and labels from TFRecord files.

    A record holds `image_raw`, which is the file's bytes unchanged, `label` and `id`.
    """

    cache: Cache = "none"
    shuffle: Shuffle = 1024
    compression: Compression
    shards: Shards

    def preparation(self, workload: Workload) -> dict[str, Any]:
        """Return what the record files depend on; the delivered size does not matter."""
        return {"compression": self.compression, "shards": self._shards(workload)}

    def prepare(self, workload: Workload, prepared: Path) -> None:
        """Write the record files to `prepared`. Raises PreparationError if they do not fit."""
        from feedbench.pipelines.tfrecords import tfrecord_files

        tfrecord_files.write(
            workload, prepared, compression=self.compression, shards=self._shards(workload)
        )

    def open(
        self, workload: Workload, prepared: Path, scratch: Path, until: Until | None = None
    ) -> Feed:
        """Return a dataset of batches read from the record files."""
        from feedbench.pipelines.built_in import steps

        feed: Feed = steps.records_dataset(
            workload, self, self.compression, prepared, scratch, until
        )
        return feed

    def _shards(self, workload: Workload) -> int:
        if self.shards != "auto":
            return min(self.shards, workload.images)
        encoded_bytes = sum(map(os.path.getsize, workload.files))
        cores = len(os.sched_getaffinity(0))
        return record_format.shard_count(encoded_bytes, workload.images, cores)
