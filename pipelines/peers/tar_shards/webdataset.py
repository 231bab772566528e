"""WebDataset: shards of tar files, written in advance and read one after another."""

from __future__ import annotations

import math
import os
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta

from feedbench.pipelines.contract import KnobOverruledWarning
from feedbench.pipelines.peers.peer import Peer
from feedbench.pipelines.peers.requirement import Requirement
from feedbench.pipelines.peers.torch_dataloader import (
    LEAST_TORCH,
    TORCH,
    Antialias,
    Decoder,
    Persistent,
    Prefetch,
    Workers,
    warn_of_persistence,
    worker_count,
)
from feedbench.pipelines.tfrecords import record_format

if TYPE_CHECKING:
    from pathlib import Path

    from feedbench.pipelines.contract import Feed, Workload

_BLOCK = 512  # bytes of a tar file; a member has one for its header
_OTHER_BLOCKS = 3  # of an image: two headers, and the label
_END = 10_240  # bytes at least of a tar file


@dataclass(frozen=True, kw_only=True)
class Webdataset(Peer):
    """WebDataset: images in tar files, written in advance; WebLoader's workers read a shard each.

    A shard holds the bytes of the files. They are shuffled by a buffer and decoded to tensors as
    `torch_dataloader` does. As its documentation teaches, the workers' batches are taken apart,
    mixed by a second buffer and batched again, so each epoch has one short batch at most.
    """

    shards: Annotated[
        Annotated[int, Meta(ge=1, le=10_000)] | Literal["auto"],
        Meta(description="number of tar files; auto: about 150 MB each, at least one a core"),
    ] = "auto"
    shuffle: Annotated[
        Annotated[int, Meta(ge=0, le=1_000_000)],
        Meta(description="buffer of encoded images in each worker; 0: none"),
    ] = 1000
    mix: Annotated[
        Annotated[int, Meta(ge=0, le=1_000_000)],
        Meta(description="buffer of delivered images, which mixes those of all workers; 0: none"),
    ] = 1000
    workers: Workers = "auto"
    persistent_workers: Persistent = True
    prefetch_factor: Prefetch = 2
    decoder: Decoder = "pil"
    antialias: Antialias = True

    @property
    def requirement(self) -> Requirement:
        """WebDataset, PyTorch for its workers, torchvision, and what decodes."""
        decoding = {"simplejpeg": "simplejpeg"} if self.decoder == "simplejpeg" else {}
        return Requirement(
            extra="webdataset",
            modules={"webdataset": "webdataset"} | TORCH | decoding,
            least={"webdataset": (0, 2, 100)} | LEAST_TORCH,
        )

    def preparation(self, workload: Workload) -> dict[str, Any]:
        """Return what the shards depend on, apart from the images."""
        return {"shards": self._shards(workload)}

    def prepared_bytes(self, workload: Workload) -> int:
        """Return about how many bytes the shards take: each file and its label in padded blocks."""
        sizes = map(os.path.getsize, workload.files)
        blocks = sum(math.ceil(size / _BLOCK) + _OTHER_BLOCKS for size in sizes)
        return blocks * _BLOCK + self._shards(workload) * _END

    def prepare(self, workload: Workload, prepared: Path) -> None:
        """Write the shards to `prepared`.

        Raises RequestError as `refuse` does, and PreparationError if they do not fit.
        """
        shards = self.requirement.imported("feedbench.pipelines.peers.tar_shards.webdataset_shards")
        shards.write(workload, prepared, self._shards(workload), self.prepared_bytes(workload))

    def open(self, workload: Workload, prepared: Path, scratch: Path) -> Feed:
        """Return a feed of the shards in `prepared`.

        Raises RequestError as `torch_dataloader` does.
        """
        self.refuse(workload.fit, (workload.height, workload.width), workload.augmentation)
        webdataset_feed = self.requirement.imported(
            "feedbench.pipelines.peers.tar_shards.webdataset_feed"
        )
        feed: Feed = webdataset_feed.ShardFeed(
            workload,
            sorted(prepared.glob("*.tar")),
            shuffle=self.shuffle,
            mix=self.mix,
            decoder=self.decoder,
            antialias=self.antialias,
            workers=self._readers(workload),
            persistent_workers=self.persistent_workers,
            prefetch_factor=self.prefetch_factor,
        )
        return feed

    def _readers(self, workload: Workload) -> int:
        """Return the number of workers, at most one a shard: another one would have none."""
        workers, shards = worker_count(self.workers), self._shards(workload)
        warn_of_persistence(workers, is_persistent=self.persistent_workers)
        if workers <= shards:
            return workers
        if self.workers != "auto":
            reason = f"each reads whole shards, and there are {shards}"
            warnings.warn(KnobOverruledWarning("workers", workers, shards, reason), stacklevel=3)
        return shards

    def _shards(self, workload: Workload) -> int:
        if self.shards != "auto":
            return min(self.shards, workload.images)
        stored_bytes = sum(map(os.path.getsize, workload.files))
        cores = len(os.sched_getaffinity(0))
        return record_format.shard_count(stored_bytes, workload.images, cores)
