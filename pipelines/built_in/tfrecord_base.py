"""What the pipelines that read TFRecords share: knobs, preparation and reading.

They differ in nothing but the defaults of `compression` and `shards`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta

from feedbench.pipelines.built_in import record_format
from feedbench.pipelines.built_in.tail_knobs import Cache, Shuffle, TailKnobs

if TYPE_CHECKING:
    from pathlib import Path

    from feedbench.pipelines.contract import Feed, Until, Workload

Compression = Annotated[
    record_format.Compression, Meta(description="of the record files, as TensorFlow offers it")
]
Shards = Annotated[
    Annotated[int, Meta(ge=1, le=10_000)] | Literal["auto"],
    Meta(description="record files; auto: of about 150 MB each, yet one a core at least"),
]


@dataclass(frozen=True, kw_only=True)
class Tfrecord(TailKnobs):
    """Images and labels out of TFRecord files.

    A record holds `image_raw`, the file's bytes as they are, `label` and `id`.
    """

    cache: Cache = "none"
    shuffle: Shuffle = 1024
    compression: Compression
    shards: Shards

    def preparation(self, workload: Workload) -> dict[str, Any]:
        """Return what the record files depend on; the size that is delivered is none of it."""
        return {"compression": self.compression, "shards": self._shards(workload)}

    def prepare(self, workload: Workload, prepared: Path) -> None:
        """Write the record files to `prepared`. Raises PreparationError where it has no room."""
        from feedbench.pipelines.built_in import tfrecord_files

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
