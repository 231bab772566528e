"""tf.data service: other processes, here or on other machines, run a tf.data pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, TypeVar

from msgspec import Meta

from feedbench.pipelines import knobs
from feedbench.pipelines.built_in.service.cores import listed_cores, refuse_cores
from feedbench.pipelines.built_in.tail_knobs import TailKnobs
from feedbench.pipelines.built_in.tfdata_tuned import TfdataTuned
from feedbench.pipelines.errors import RequestError

if TYPE_CHECKING:
    from pathlib import Path

    from feedbench.pipelines.augmentation.ranges import Augmentation
    from feedbench.pipelines.contract import Feed, Until, Workload
    from feedbench.pipelines.forms import Fit

Run = TypeVar("Run", bound=TailKnobs)


@dataclass(frozen=True, kw_only=True)
class TfdataService(TailKnobs):
    """tf.data service: a dispatcher and workers run a tf.data pipeline, this process takes batches.

    Without an address, the trial starts them on this machine, and ends them. Each worker batches
    its own images, so an epoch has one short batch a worker.
    """

    of: Annotated[
        Literal["tfdata_tuned", "tfrecord_sharded"],
        Meta(description="the pipeline that the workers run; give its knobs next to this one"),
    ] = "tfdata_tuned"
    workers: Annotated[
        Annotated[int, Meta(ge=1, le=256)],
        Meta(description="worker processes to start on this machine; unused with an address"),
    ] = 2
    sharding: Annotated[
        Literal["dynamic", "off"],
        Meta(description="dynamic: each image goes to one worker; off: each worker has all images"),
    ] = "dynamic"
    compression: Annotated[
        Literal["auto", "none"],
        Meta(description="of batches on their way; auto: TensorFlow's default, Snappy"),
    ] = "auto"
    cores: Annotated[
        str,
        Meta(
            pattern=r"^(all|\d+(-\d+)?(\+\d+(-\d+)?)*)$",
            title="all, or cores such as 0-3 or 0+2",
            description="one of these cores for each worker, in turn; all: wherever Linux likes",
        ),
    ] = "all"
    address: Annotated[
        str,
        Meta(
            pattern=r"^(none|grpc://[^\s/]+:\d+)$",
            title="none or grpc://HOST:PORT",
            description="a dispatcher that runs already; none: the trial starts its own",
        ),
    ] = "none"
    cache: Annotated[
        Literal["none"],
        Meta(description="none: a worker begins each epoch anew, and so would its cache"),
    ] = "none"

    is_received: ClassVar[bool] = True
    """Its batches come by network connections, so that their bytes can be counted."""

    @property
    def is_elsewhere(self) -> bool:
        """Whether a cluster does its work that no trial starts, stops or ends."""
        return self.address != "none"

    @property
    def worker_cores(self) -> tuple[int, ...]:
        """The core of each worker that is started here; () for any."""
        if self.cores == "all":
            return ()
        listed = listed_cores(self.cores)
        return tuple(listed[number % len(listed)] for number in range(self.workers))

    def refuse(
        self, fit: Fit, size: tuple[int, int], augmentation: Augmentation | None = None
    ) -> None:
        """Raise RequestError for augmentation in a worker, and for cores that are not there."""
        if augmentation is not None and self.augment_in == "pipeline":
            raise RequestError(
                "its workers would augment every epoch alike: each begins an epoch with the same"
                " random numbers",
                hint="use augment_in=model, or another pipeline",
            )
        refuse_cores(self.worker_cores)

    def open(
        self, workload: Workload, prepared: Path, scratch: Path, until: Until | None = None
    ) -> Feed:
        """Return the dataset of the workers' batches.

        Raises RequestError for a cluster that does not answer, has no workers, or cannot start.
        """
        self.refuse(workload.fit, (workload.height, workload.width), workload.augmentation)
        if self.is_elsewhere:
            from feedbench.pipelines.built_in.service import cluster

            workers = cluster.reached(self.address)
            cluster.watch(self.address, workers)
            target, count = self.address, len(workers)
        else:
            from feedbench.pipelines.built_in.service import servers

            # Before anything starts TensorFlow's runtime: they are forked, and it cannot be.
            target, count = servers.started(self.workers, self.worker_cores), self.workers
        from feedbench.pipelines.built_in.service import distributed

        by = distributed.Service(target, count, self.sharding, self.compression)
        made = self.in_workers(workload).open(workload, prepared, scratch, until)
        feed: Feed = distributed.batches(made, workload, self, by)
        return feed

    def in_workers(self, workload: Workload) -> TailKnobs:
        """Return the pipeline that the workers run, with its knobs."""
        return self.with_knobs_of(TfdataTuned)

    def with_knobs_of(self, pipeline: type[Run], **changed: object) -> Run:
        """Return another pipeline with the knobs that it shares with this one.

        It prefetches nothing: each worker has a buffer of its own, and the client has one.
        """
        names = {knob.name for knob in knobs.knobs_of(pipeline)}
        shared = {name: value for name, value in knobs.values(self).items() if name in names}
        return pipeline(**{**shared, "prefetch": "none", **changed})
