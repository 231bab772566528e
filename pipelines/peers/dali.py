"""NVIDIA's DALI on the CPU, or with a GPU for decoding and resizing.

DALI's page on performance says that its default configuration performs well out of the box, so
`prefetch` has DALI's default. A pipeline on the CPU must be given its number of threads: here one
a core. The reader shuffles the whole list after each epoch; resizing has no antialiasing, which is
TensorFlow's rule. The reader fills the last batch up with copies, as a pipeline of DALI needs, and
they are cut off, as `LastBatchPolicy.PARTIAL` of DALI's own iterators does.

https://docs.nvidia.com/deeplearning/dali/user-guide/docs/advanced_topics_performance_tuning.html
https://docs.nvidia.com/deeplearning/dali/user-guide/docs/advanced_topics_sharding.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from msgspec import Meta

from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.file_formats import signature
from feedbench.pipelines.peers.peer import Peer
from feedbench.pipelines.peers.requirement import Requirement

if TYPE_CHECKING:
    from pathlib import Path

    from feedbench.pipelines.augmentation.ranges import Augmentation
    from feedbench.pipelines.contract import Feed, Workload
    from feedbench.pipelines.forms import Fit

_REQUIREMENT = Requirement(
    extra="dali",
    modules={"nvidia.dali": "nvidia-dali-cuda120"},
    least={"nvidia-dali-cuda120": (2,)},  # from there on batches keep their own memory
)


@dataclass(frozen=True, kw_only=True)
class DaliCpu(Peer):
    """NVIDIA DALI on the CPU: its reader, decoder and resize in threads of C++; no TensorFlow.

    The order of all images is new in each epoch. It decodes no GIF.
    """

    device: ClassVar[Literal["cpu", "gpu"]] = "cpu"
    only_stretches: ClassVar[bool] = True

    workers: Annotated[
        Annotated[int, Meta(ge=1, le=1024)] | Literal["auto"],
        Meta(description="threads, num_threads in DALI; auto: one a core"),
    ] = "auto"
    prefetch: Annotated[
        Annotated[int, Meta(ge=1, le=1024)],
        Meta(description="batches prepared ahead of the consumer, prefetch_queue_depth in DALI"),
    ] = 2

    @property
    def requirement(self) -> Requirement:
        """DALI."""
        return _REQUIREMENT

    def open(self, workload: Workload, prepared: Path, scratch: Path) -> Feed:
        """Return a feed of the workload's files.

        Raises RequestError as `refuse` does, if the import fails, and for a GIF or a name of a
        file that is not valid UTF-8.
        """
        self.refuse(workload.fit, (workload.height, workload.width), workload.augmentation)
        _refuse_files(workload)
        feed: Feed = self.requirement.imported("feedbench.pipelines.peers.dali_feed").DaliFeed(
            workload,
            device=self.device,
            threads=None if self.workers == "auto" else self.workers,
            prefetch=self.prefetch,
        )
        return feed


@dataclass(frozen=True, kw_only=True)
class DaliGpu(DaliCpu):
    """NVIDIA DALI with a GPU, which decodes and resizes; batches are copied to host memory.

    The order of all images is new in each epoch. It needs a GPU, and decodes no GIF.
    """

    device: ClassVar[Literal["cpu", "gpu"]] = "gpu"

    def refuse(
        self, fit: Fit, size: tuple[int, int], augmentation: Augmentation | None = None
    ) -> None:
        """Raise RequestError as `dali_cpu` does, and without a GPU."""
        super().refuse(fit, size, augmentation)
        if not _gpus():
            raise RequestError(
                "it needs an NVIDIA GPU; this machine has none that its driver reports",
                hint="use dali_cpu",
            )


def _gpus() -> int:
    """Return the number of GPUs that NVIDIA's driver reports; 0 without a driver."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return 0
    try:
        return int(pynvml.nvmlDeviceGetCount())
    finally:
        pynvml.nvmlShutdown()


def _refuse_files(workload: Workload) -> None:
    if "GIF" in workload.formats:
        gif = next(file for file in workload.files if signature(file) == "GIF")
        raise RequestError(
            f"DALI decodes no GIF; found {gif}",
            hint="leave such images out, or measure another pipeline",
        )
    for file in workload.files:
        try:
            file.encode()
        except UnicodeEncodeError:
            raise RequestError(
                f"DALI opens only files whose names are valid UTF-8; found {file!r}",
                hint="rename it, or measure another pipeline",
            ) from None
