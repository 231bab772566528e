"""The dataset of batches that the workers of a tf.data service make. Imports TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import tensorflow as tf

from feedbench.pipelines.built_in import steps
from feedbench.pipelines.errors import WrongWorkError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from feedbench.pipelines.built_in.tail_knobs import TailKnobs
    from feedbench.pipelines.contract import Batch, Workload


@dataclass(frozen=True)
class Service:
    """A dispatcher, the number of its workers, and how they share and send what they make."""

    target: str
    workers: int
    sharding: Literal["dynamic", "off"]
    compression: Literal["auto", "none"]


def batches(made: Any, workload: Workload, knobs: TailKnobs, by: Service) -> Any:
    """Return a feed of the batches that the workers of a service make.

    `made` is the dataset that the workers run. What is prefetched is prefetched here.
    """
    dataset = steps.prefetched(made.apply(_distribution(by)), knobs)
    return dataset if by.sharding == "dynamic" else Unsharded(dataset, workload.images, by.workers)


def one_batch(made: Any, knobs: TailKnobs, by: Service) -> Any:
    """Return a dataset without end: each worker makes one batch, keeps it, and sends it again.

    The workers neither read nor decode after that. So the rate is what the client takes, as far as
    the workers can send it.
    """
    repeated = made.take(1).cache().repeat()
    return steps.prefetched(repeated.apply(_distribution(by)), knobs)


def _distribution(by: Service) -> Any:
    service = tf.data.experimental.service
    policy = service.ShardingPolicy
    return service.distribute(
        policy.DYNAMIC if by.sharding == "dynamic" else policy.OFF,
        by.target,
        compression="AUTO" if by.compression == "auto" else None,
    )


class Unsharded:
    """The batches of workers that each have all images: an epoch is counted as it comes.

    With several workers, an epoch has each image several times. That is no epoch: it is read to its
    end, and reported with its counts.
    """

    def __init__(self, dataset: Any, images: int, workers: int) -> None:
        self._dataset = dataset
        self._images = images
        self._workers = workers

    def __iter__(self) -> Iterator[Batch]:
        delivered = iter(self._dataset)
        if self._workers == 1:
            yield from delivered
            return
        count = sum(len(images) for images, _ in delivered)
        times = count / self._images
        raise WrongWorkError(
            f"images are repeated: sharding=off gives each of the {self._workers} workers all"
            f" {self._images:,} images, and an epoch had {count:,}, each {times:g} times",
            hint="use sharding=dynamic, or workers=1",
        )

    def repeat(self) -> Any:
        """Return epoch after epoch, without end."""
        return self._dataset.repeat()
