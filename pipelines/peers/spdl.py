"""SPDL, Meta's loader of threads, with its own decoder and resize, which are FFmpeg's.

SPDL's page on noisy neighbours recommends to use at most 40 % of the CPU while a GPU trains. Here
nothing trains: `workers` is one a core, as for all loaders. The sink holds SPDL's default of 3
batches. One stage makes a whole batch, as in its example of image loading.

FFmpeg's bilinear filter widens with the reduction, as Pillow's does: it is antialiased.

https://facebookresearch.github.io/spdl/main/performance_analysis/noisy_neighbour.html
https://facebookresearch.github.io/spdl/main/generated/image_dataloading.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from msgspec import Meta

from feedbench.pipelines.peers.peer import Peer
from feedbench.pipelines.peers.requirement import Requirement

if TYPE_CHECKING:
    from pathlib import Path

    from feedbench.pipelines.contract import Feed, Workload

_REQUIREMENT = Requirement(
    extra="spdl",
    modules={"spdl.pipeline": "spdl-core", "spdl.io": "spdl-io"},
    least={"spdl-core": (0, 1), "spdl-io": (0, 1)},
)


@dataclass(frozen=True, kw_only=True)
class Spdl(Peer):
    """SPDL: its pipeline of threads, and FFmpeg's decoder and resize inside it; no TensorFlow.

    The order of all images is new in each epoch. It needs the libraries of FFmpeg.
    """

    only_stretches: ClassVar[bool] = True

    workers: Annotated[
        Annotated[int, Meta(ge=1, le=1024)] | Literal["auto"],
        Meta(description="threads, each with a batch of its own; auto: one a core"),
    ] = "auto"
    prefetch: Annotated[
        Annotated[int, Meta(ge=1, le=1024)],
        Meta(description="batches prepared ahead of the consumer, buffer_size of SPDL's sink"),
    ] = 3
    resize: Annotated[
        Literal["bilinear", "bicubic", "area"],
        Meta(description="FFmpeg's filter, scale_algo in SPDL; SPDL's own default is bicubic"),
    ] = "bilinear"

    @property
    def requirement(self) -> Requirement:
        """SPDL."""
        return _REQUIREMENT

    def open(self, workload: Workload, prepared: Path, scratch: Path) -> Feed:
        """Return a feed of the workload's files.

        Raises RequestError as `refuse` does, and if the import fails, which it does without FFmpeg.
        """
        self.refuse(workload.fit, (workload.height, workload.width), workload.augmentation)
        feed: Feed = self.requirement.imported("feedbench.pipelines.peers.spdl_feed").SpdlFeed(
            workload,
            threads=None if self.workers == "auto" else self.workers,
            prefetch=self.prefetch,
            resize=self.resize,
        )
        return feed
