"""PyTorch's DataLoader, with torchvision's transforms as its documentation teaches them."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from feedbench.pipelines.contract import KnobOverruledWarning
from feedbench.pipelines.peers.peer import Peer
from feedbench.pipelines.peers.requirement import Requirement

if TYPE_CHECKING:
    from pathlib import Path

    from feedbench.pipelines.contract import Feed, Workload

TORCH = {"torch": "torch", "torchvision": "torchvision"}
LEAST_TORCH: dict[str, tuple[int, ...]] = {"torch": (2, 4), "torchvision": (0, 19)}

Decoder = Annotated[
    Literal["pil", "torchvision", "simplejpeg"],
    Meta(description="what decodes: Pillow as in ImageFolder, torchvision.io, or simplejpeg"),
]
Workers = Annotated[
    Annotated[int, Meta(ge=0, le=256)] | Literal["auto"],
    Meta(description="worker processes; auto: one a core; 0: none"),
]
Antialias = Annotated[
    bool,
    Meta(description="whether the resize averages pixels; false: it samples, as TensorFlow does"),
]
Prefetch = Annotated[
    Annotated[int, Meta(ge=1, le=1024)],
    Meta(description="batches that each worker loads ahead"),
]
Persistent = Annotated[
    bool, Meta(description="workers stay for all epochs; false: each epoch starts new ones")
]


@dataclass(frozen=True, kw_only=True)
class TorchDataloader(Peer):
    """PyTorch's DataLoader: files as in ImageFolder, torchvision's v2 transforms, and workers.

    Images are decoded to uint8 tensors and resized as such. Then they are brought into the range,
    as torchvision's documentation teaches. The sampler shuffles all images for each epoch. Where
    the workers are persistent, it goes on after an epoch, so that they do not wait for the next
    one; a plain loop over a DataLoader lets them wait. Workers come from a `forkserver`: a fork of
    a process with TensorFlow's threads can hang.
    """

    workers: Workers = "auto"
    persistent_workers: Persistent = True
    prefetch_factor: Prefetch = 2
    decoder: Decoder = "pil"
    antialias: Antialias = True

    @property
    def requirement(self) -> Requirement:
        """PyTorch and torchvision, and what decodes."""
        decoding = {"simplejpeg": "simplejpeg"} if self.decoder == "simplejpeg" else {}
        return Requirement(extra="torch", modules=TORCH | decoding, least=LEAST_TORCH)

    def open(self, workload: Workload, prepared: Path, scratch: Path) -> Feed:
        """Return a feed of the workload's files.

        Raises RequestError as `refuse` does, if the library cannot be imported, for a format that
        the decoder does not have, and for too little shared memory.
        """
        self.refuse(workload.fit, (workload.height, workload.width), workload.augmentation)
        torch_feed = self.requirement.imported("feedbench.pipelines.peers.torch_feed")
        workers = worker_count(self.workers)
        warn_of_persistence(workers, is_persistent=self.persistent_workers)
        is_lasting = self.persistent_workers or not workers
        feed: Feed = (torch_feed.LastingTorchFeed if is_lasting else torch_feed.TorchFeed)(
            workload,
            decoder=self.decoder,
            antialias=self.antialias,
            workers=workers,
            persistent_workers=self.persistent_workers,
            prefetch_factor=self.prefetch_factor,
        )
        return feed


def worker_count(workers: int | Literal["auto"]) -> int:
    """Return a number of workers: auto is one a core, from which on PyTorch warns of more."""
    return len(os.sched_getaffinity(0)) if workers == "auto" else workers


def warn_of_persistence(workers: int, *, is_persistent: bool) -> None:
    """Warn that workers cannot stay where there are none."""
    if is_persistent and not workers:
        warnings.warn(
            KnobOverruledWarning("persistent_workers", True, False, "there are no workers"),  # noqa: FBT003
            stacklevel=3,
        )
