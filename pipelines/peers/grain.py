"""Grain, Google's data loader without TensorFlow: its MapDataset, in threads or processes.

The defaults are Grain's. Its documentation of `grain.ReadOptions` has 16 threads, and asks for a
buffer of at least as many elements as threads; an element here is a batch. Its documentation of
`MapDataset.shuffle` says to shuffle before `repeat`: each epoch then has another full order.

https://google-grain.readthedocs.io/en/latest/grain.dataset.html
https://google-grain.readthedocs.io/en/latest/grain.constants.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from feedbench.pipelines.built_in.tail_knobs import Decode
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.peers.peer import Peer
from feedbench.pipelines.peers.requirement import Requirement
from feedbench.pipelines.peers.shared_memory import refuse_too_little

if TYPE_CHECKING:
    from pathlib import Path

    from feedbench.pipelines.contract import Feed, Workload

_REQUIREMENT = Requirement(
    extra="grain",
    modules={"grain": "grain", "simplejpeg": "simplejpeg", "cv2": "opencv-python-headless"},
    least={"grain": (0, 2, 12)},
)

_SHARED = 2  # batches of a worker in shared memory: the one that waits, and the next


@dataclass(frozen=True, kw_only=True)
class Grain(Peer):
    """Grain's MapDataset: a full shuffle, simplejpeg and OpenCV in its map, whole batches.

    Threads of Grain read batches ahead, or worker processes with such threads in each.
    """

    workers: Annotated[
        Annotated[int, Meta(ge=0, le=1024)],
        Meta(description="worker processes of mp_prefetch; 0: threads of this process only"),
    ] = 0
    threads: Annotated[
        Annotated[int, Meta(ge=1, le=1024)],
        Meta(description="threads that make batches, in each process"),
    ] = 16
    prefetch: Annotated[
        Annotated[int, Meta(ge=1, le=1024)],
        Meta(description="batches prepared ahead in each process; Grain uses no more threads"),
    ] = 16
    decode: Decode = "full"

    @property
    def requirement(self) -> Requirement:
        """Grain, and what decodes and resizes."""
        return _REQUIREMENT

    def open(self, workload: Workload, prepared: Path, scratch: Path) -> Feed:
        """Return a feed of the workload's files.

        Raises RequestError as `refuse` does, if an import fails, and for too little shared memory.
        """
        self.refuse(workload.fit, (workload.height, workload.width), workload.augmentation)
        _refuse_too_little(workload, self.workers)
        feed: Feed = self.requirement.imported("feedbench.pipelines.peers.grain_feed").GrainFeed(
            workload,
            workers=self.workers,
            threads=self.threads,
            prefetch=self.prefetch,
            is_scaled=self.decode == "scaled",
        )
        return feed


def _refuse_too_little(workload: Workload, workers: int) -> None:
    try:
        refuse_too_little(workload.batch_size * workload.image_bytes, workers, _SHARED)
    except RequestError as error:
        hint = (
            "give the container more, such as docker run --shm-size=1g, or use fewer workers, or"
            " workers=0 for threads alone"
        )
        raise RequestError(error.sentence, hint=hint) from None
