"""The feed of `webdataset`. Imports webdataset, torch and torchvision, and no TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import webdataset as wds

from feedbench.pipelines.peers.shared_memory import refuse_too_little
from feedbench.pipelines.peers.torch_feed import batches, refuse_formats, worker_options
from feedbench.pipelines.peers.torch_images import transform_of

if TYPE_CHECKING:
    from pathlib import Path

    from feedbench.pipelines.contract import Batch, Workload

_EULER = 0.5772  # of the sum of 1/k, which is nearly ln(n) + this


class ShardFeed:
    """Epochs of a workload from its shards; each iteration is one epoch."""

    def __init__(
        self,
        workload: Workload,
        shards: Sequence[Path],
        *,
        shuffle: int,
        mix: int,
        decoder: str,
        antialias: bool,
        workers: int,
        persistent_workers: bool,
        prefetch_factor: int,
    ) -> None:
        """Make the loader. Raises RequestError for formats that cannot be decoded so.

        Also if the batches of the workers and of `mix` do not fit into the shared memory.
        """
        refuse_formats(workload, decoder)
        refuse_too_little(
            workload.batch_size * workload.image_bytes,
            workers,
            prefetch_factor,
            held=_mixed_batches(workload, mix),
        )
        self._workload, self._workers = workload, workers
        transform = transform_of(workload, decoder=decoder, antialias=antialias)
        images = wds.WebDataset([str(file) for file in shards], shardshuffle=len(shards))
        images = images.shuffle(shuffle) if shuffle else images
        images = images.to_tuple("image", "cls").map_tuple(transform, int)
        options = worker_options(workers, prefetch_factor, persistent_workers=persistent_workers)
        loader = wds.WebLoader(images.batched(workload.batch_size), batch_size=None, **options)
        loader = loader.unbatched()
        loader = loader.shuffle(mix) if mix else loader
        self._loader = loader.batched(workload.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        yield from batches(self._loader, self._workload, self._workers)


def _mixed_batches(workload: Workload, mix: int) -> int:
    """Return about how many of the workers' batches a buffer of `mix` images keeps alive.

    An image stays in it for `mix` others on average, and a batch of n stays as long as the last of
    its images: the greatest of n exponential waits is `mix` * (1 + 1/2 + ... + 1/n) on average.
    """
    size = workload.batch_size
    kept = math.ceil(mix * (math.log(size) + _EULER) / size)
    return min(kept, math.ceil(workload.images / size))
