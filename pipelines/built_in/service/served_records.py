"""tf.data service whose workers read record files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta

from feedbench.pipelines.built_in.service.tfdata_service import TfdataService
from feedbench.pipelines.built_in.stored.stored_knobs import StoredKnobs
from feedbench.pipelines.built_in.tail_knobs import Shuffle
from feedbench.pipelines.built_in.tfrecord.tfrecord_sharded import TfrecordSharded

if TYPE_CHECKING:
    from pathlib import Path

    from feedbench.pipelines.augmentation.ranges import Augmentation
    from feedbench.pipelines.contract import Workload
    from feedbench.pipelines.forms import Fit

FILES_A_WORKER = 32
"""Record files for each worker, unless the knob `shards` says how many there are.

The dispatcher gives out whole files, and a worker takes 16 of them at once.
"""


@dataclass(frozen=True, kw_only=True)
class ServedRecords(TfdataService, StoredKnobs):
    """tf.data service whose workers read the record files of tfrecord_sharded."""

    of: Annotated[
        Literal["tfrecord_sharded"],
        Meta(description="the pipeline that the workers run; give its knobs next to this one"),
    ] = "tfrecord_sharded"
    shuffle: Shuffle = 1024

    def refuse(
        self, fit: Fit, size: tuple[int, int], augmentation: Augmentation | None = None
    ) -> None:
        """Raise RequestError for what the service or the record files refuse."""
        TfdataService.refuse(self, fit, size, augmentation)
        StoredKnobs.refuse(self, fit, size, augmentation)

    def preparation(self, workload: Workload) -> dict[str, Any]:
        """Return what the record files depend on."""
        return self.in_workers(workload).preparation(workload)

    def prepare(self, workload: Workload, prepared: Path) -> None:
        """Write the record files to `prepared`. Raises PreparationError if they do not fit."""
        self.in_workers(workload).prepare(workload, prepared)

    def shards_of(self, workload: Workload) -> int:
        """Return the number of files."""
        shards = FILES_A_WORKER * self.workers if self.shards == "auto" else self.shards
        return min(shards, workload.images)

    def in_workers(self, workload: Workload) -> TfrecordSharded:
        """Return the pipeline that the workers run, with its knobs and its number of files."""
        changed = {"shards": self.shards_of(workload), "compression": "none"}
        return self.with_knobs_of(TfrecordSharded, **changed)
