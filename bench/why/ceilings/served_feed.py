"""A feed from workers of tf.data service that repeat one batch: what its client takes at most."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from feedbench.bench.machine.cores import usable_cores
from feedbench.pipelines import catalog, knobs
from feedbench.pipelines.built_in.service.tfdata_service import TfdataService
from feedbench.pipelines.built_in.tfdata_tuned import TfdataTuned
from feedbench.pipelines.catalog import Spec

if TYPE_CHECKING:
    from feedbench.pipelines.contract import Batch, Feed, Workload

_LOADER = """\
from feedbench.bench.why.ceilings import served_feed

def served(workload):
    return served_feed.served(workload, {text!r})
"""


def served_spec(specs: Iterable[Spec], scratch: Path) -> Spec | None:
    """Return the pipeline that measures the client of the first tf.data service among these.

    None if there is none whose workers a trial starts. It has a worker for each core, and the knobs
    of that pipeline. Its loader is written to `scratch`.
    """
    for spec in specs:
        if spec.name != "tfdata_service" or spec.python or catalog.is_elsewhere(spec):
            continue
        given = catalog.knobs_given(spec)
        given.pop("cores", None)
        given |= {"workers": str(max(math.ceil(usable_cores()), 1)), "sharding": "off"}
        loader = scratch / "served_batch.py"
        loader.write_text(_LOADER.format(text=knobs.spec_text(spec.name, given)))
        return catalog.spec_of("ceiling client", f"{loader}:served")
    return None


def served(workload: Workload, text: str) -> Feed:
    """Return batches without end from workers that each repeat one.

    `text` is the SPEC of a tfdata_service. As many workers are started as it has.
    """
    pipeline = catalog.load(catalog.spec_of("client", text))
    assert isinstance(pipeline, TfdataService)
    from feedbench.pipelines.built_in.service import servers

    target = servers.started(pipeline.workers)  # before TensorFlow's runtime starts
    from feedbench.pipelines.built_in.service import distributed

    by = distributed.Service(target, pipeline.workers, "off", pipeline.compression)
    scratch = Path(workload.scratch)
    # Of files, whatever the workers read: only the size of a batch counts here.
    made = pipeline.with_knobs_of(TfdataTuned).open(workload, scratch, scratch)
    return InEpochs(distributed.one_batch(made, pipeline, by), workload.images)


class InEpochs:
    """Batches without end, cut so that none spans two epochs of `images`: the harness counts them.

    A batch is a pair of arrays or tensors.
    """

    def __init__(self, batches: Iterable[Batch], images: int) -> None:
        self._batches = batches
        self._images = images

    def __iter__(self) -> Iterator[Batch]:
        left = self._images
        for batch in self.repeat():
            yield batch
            left -= len(batch[1])
            if not left:
                return

    def repeat(self) -> Iterator[Batch]:
        """Yield the batches of one epoch after another."""
        left = self._images
        for batch in self._batches:
            images, labels = batch
            yield batch if len(labels) <= left else (images[:left], labels[:left])  # or no copy
            left = max(left - len(labels), 0) or self._images
