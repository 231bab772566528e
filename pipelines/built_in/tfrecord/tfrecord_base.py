"""The knobs, preparation and reading that TFRecord pipelines share.

They differ only in the defaults of `compression` and `shards`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from feedbench.pipelines.built_in.stored.stored_knobs import StoredKnobs
from feedbench.pipelines.tfrecords import record_format

if TYPE_CHECKING:
    from pathlib import Path

    from feedbench.pipelines.contract import Feed, Until, Workload

Compression = Annotated[
    record_format.Compression, Meta(description="compression of the record files")
]


@dataclass(frozen=True, kw_only=True)
class Tfrecord(StoredKnobs):
    """Images and labels from TFRecord files.

    A record holds `image_raw`, `label` and `id`. `image_raw` is the file's bytes unchanged, unless
    `store` says otherwise. Smaller images keep their proportions. Images that are no larger are
    stored as they are.
    """

    compression: Compression

    def stored_as(self, workload: Workload) -> dict[str, Any]:
        """Return what the records depend on, however many files they are in. Reads no file."""
        return {"compression": self.compression, **super().stored_as(workload)}

    def prepare(self, workload: Workload, prepared: Path) -> None:
        """Write the record files to `prepared`. Raises PreparationError if they do not fit."""
        from feedbench.pipelines.tfrecords import tfrecord_files

        self.refuse(workload.fit, (workload.height, workload.width))
        given: Any = {"compression": self.compression, "shards": self.shards_of(workload)}
        if self.store == "encoded":
            tfrecord_files.write(workload, prepared, **given)
            return
        with self.maker(workload, len(os.sched_getaffinity(0))) as make:
            image_bytes = self.image_bytes(workload)
            tfrecord_files.write_made(
                workload, prepared, make=make, image_bytes=image_bytes, **given
            )

    def open(
        self, workload: Workload, prepared: Path, scratch: Path, until: Until | None = None
    ) -> Feed:
        """Return a dataset of batches read from the record files."""
        from feedbench.pipelines.built_in import steps

        self.warn()
        feed: Feed = steps.records_dataset(
            self.as_stored(workload), self, self.compression, prepared, scratch, until
        )
        return feed
