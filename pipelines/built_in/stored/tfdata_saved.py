"""Images in tf.data's own format, written by Dataset.save and read by Dataset.load."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from feedbench.pipelines.built_in.stored.stored_knobs import Store, StoredKnobs
from feedbench.pipelines.tfrecords import record_plan

if TYPE_CHECKING:
    from pathlib import Path

    from feedbench.pipelines.contract import Feed, Until, Workload

FOLDER = "dataset"
"""The folder in the prepared files that Dataset.save writes."""

MOST_SHARDS = 512
"""The most files: Dataset.save has an open file and a thread for each."""

Shards = Annotated[
    Annotated[int, Meta(ge=1, le=MOST_SHARDS)] | Literal["auto"],
    Meta(description="number of files; auto: about 150 MB each, at least one a core"),
]


@dataclass(frozen=True, kw_only=True)
class TfdataSaved(StoredKnobs):
    """Images that `Dataset.save` writes, and `Dataset.load` reads.

    They are saved in a random order, which is always the same. Files are not compressed:
    TensorFlow would keep in memory what waits for its compression.
    """

    store: Store = "raw"
    shards: Shards = "auto"

    def shard_count(self, workload: Workload, readers: int) -> int:
        """Return a number of files: about 150 MB each, and at least one a reader."""
        return min(super().shard_count(workload, readers), MOST_SHARDS)

    def prepare(self, workload: Workload, prepared: Path) -> None:
        """Save the images below `prepared`. Raises PreparationError if they do not fit."""
        from feedbench.pipelines.built_in.stored import saved_dataset
        from feedbench.pipelines.tfrecords.tfrecord_files import room_in

        self.refuse(workload.fit, (workload.height, workload.width))
        needed = self.prepared_bytes(workload)
        if shutil.disk_usage(prepared).free < needed:
            raise record_plan.no_room(prepared, needed)
        entries = record_plan.entries_of(workload)
        size = (workload.height, workload.width, workload.channels)
        threads = len(os.sched_getaffinity(0))
        with room_in(prepared, needed), self.maker(workload, threads) as make:
            saved_dataset.save(
                make([file for file, _, _ in entries]),
                [label for _, label, _ in entries],
                prepared / FOLDER,
                shards=self.shards_of(workload),
                size=size if self.stores_pixels else None,
            )

    def open(
        self, workload: Workload, prepared: Path, scratch: Path, until: Until | None = None
    ) -> Feed:
        """Return a dataset of batches of the saved images."""
        from feedbench.pipelines.built_in.stored import saved_dataset

        self.warn()
        feed: Feed = saved_dataset.opened(
            self.as_stored(workload), self, prepared / FOLDER, scratch, until
        )
        return feed
