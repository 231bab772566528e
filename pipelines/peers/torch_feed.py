"""The feed of `torch_dataloader`. Imports torch and torchvision, and no TensorFlow."""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils.data import DataLoader

from feedbench.pipelines.built_in.form import labels_in_mode
from feedbench.pipelines.errors import FeedbenchError, RequestError
from feedbench.pipelines.peers.shared_memory import refuse_too_little
from feedbench.pipelines.peers.torch_images import numpy_of, transform_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.context import BaseContext

    from feedbench.pipelines.contract import Batch, Workload

_TORCHVISION_DECODES = {"JPEG", "PNG", "GIF", "WEBP"}


class Files:
    """A map-style dataset of `(image, label)`, as torchvision's ImageFolder is one."""

    def __init__(self, workload: Workload, transform: Any) -> None:
        """Take the transform from a file's bytes to an image."""
        self._files, self._labels = workload.files, workload.labels
        self._transform = transform

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, place: int) -> tuple[Any, int]:
        with open(self._files[place], "rb") as file:  # noqa: PTH123 - names may not be UTF-8
            return self._transform(file.read()), self._labels[place]


class Batches:
    """The places of each batch's images, DataLoader's `batch_sampler`: of an epoch, or without end.

    Each epoch has a new order and its own short last batch.
    """

    def __init__(self, images: int, batch_size: int, seed: int) -> None:
        """Take the number of images, and the seed of all orders."""
        self._images, self._batch_size = images, batch_size
        self._random = torch.Generator().manual_seed(seed)
        self.is_endless = False  # as of the next iterator

    def __iter__(self) -> Iterator[list[int]]:
        is_endless, size = self.is_endless, self._batch_size
        while True:
            order: list[int] = torch.randperm(self._images, generator=self._random).tolist()
            yield from (order[first : first + size] for first in range(0, self._images, size))
            if not is_endless:
                return


class TorchFeed:
    """Epochs of a workload by a DataLoader; each iteration is one of its epochs."""

    def __init__(
        self,
        workload: Workload,
        *,
        decoder: str,
        antialias: bool,
        workers: int,
        persistent_workers: bool,
        prefetch_factor: int,
    ) -> None:
        """Make the loader. Raises RequestError for formats that cannot be decoded so.

        Also if the workers' batches do not fit into the shared memory.
        """
        refuse_formats(workload, decoder)
        refuse_too_little(workload.batch_size * workload.image_bytes, workers, prefetch_factor)
        self._workload, self._workers = workload, workers
        self._order = Batches(workload.images, workload.batch_size, workload.seed)
        self._loader = DataLoader(
            Files(workload, transform_of(workload, decoder=decoder, antialias=antialias)),
            batch_sampler=self._order,
            **worker_options(workers, prefetch_factor, persistent_workers=persistent_workers),
        )

    def __iter__(self) -> Iterator[Batch]:
        yield from self._delivered(is_endless=False)

    def _delivered(self, *, is_endless: bool) -> Iterator[Batch]:
        self._order.is_endless = is_endless
        yield from batches(self._loader, self._workload, self._workers)


class LastingTorchFeed(TorchFeed):
    """A feed whose workers stay: they load the next epoch's first batches before one has ended."""

    def repeat(self) -> Iterator[Batch]:
        """Yield epoch after epoch, each in a new order; the workers do not wait between them."""
        yield from self._delivered(is_endless=True)


def refuse_formats(workload: Workload, decoder: str) -> None:
    """Raise RequestError for formats that the decoder does not have."""
    unknown = sorted(set(workload.formats) - _TORCHVISION_DECODES)
    if decoder == "torchvision" and unknown:
        raise RequestError(
            f"decoder=torchvision: expected JPEG, PNG, GIF or WebP; found {', '.join(unknown)}",
            hint="use decoder=pil",
        )


def worker_options(
    workers: int, prefetch_factor: int, *, persistent_workers: bool
) -> dict[str, Any]:
    """Return the DataLoader's arguments for its workers; PyTorch refuses them without any."""
    if not workers:
        return {"num_workers": 0}
    return {
        "num_workers": workers,
        "persistent_workers": persistent_workers,
        "prefetch_factor": prefetch_factor,
        "multiprocessing_context": _context(),
    }


def batches(loader: Any, workload: Workload, workers: int) -> Iterator[Batch]:
    """Yield a loader's batches of tensors as arrays of the same memory.

    Raises FeedbenchError if a worker process ends.
    """
    try:
        for images, labels in loader:
            yield numpy_of(images), labels_in_mode(np.asarray(labels, np.int32), workload)
    except RuntimeError as error:
        alive = len(multiprocessing.active_children())
        if alive >= workers:  # they are well: it is what one of them raised
            raise
        raise FeedbenchError(
            f"{workers - alive} of the DataLoader's {workers} worker processes ended: {error}",
            hint="it may lack memory: use fewer workers, or prefetch_factor=1",
        ) from error


def _context() -> BaseContext:
    """Return how workers are started: forked from a process with torch and without threads."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context
