"""tf.data as most users first write it: list, read, decode, resize, scale, batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from feedbench.pipelines.built_in.tail_knobs import Cache, ParallelCalls, Prefetch, TailKnobs

if TYPE_CHECKING:
    from pathlib import Path

    from feedbench.pipelines.contract import Feed, Until, Workload


@dataclass(frozen=True, kw_only=True)
class TfdataNaive(TailKnobs):
    """Plain tf.data: no parallel calls, no cache, no prefetch in the code.

    TensorFlow's default graph rewrites add them without being asked. On two cores, they about
    doubled the rate. Users get these rewrites, so they are the default here as well.
    """

    parallel_calls: ParallelCalls = "none"
    cache: Cache = "none"
    prefetch: Prefetch = "none"
    graph_rewrites: Annotated[
        Literal["default", "off"],
        Meta(description="TensorFlow's default graph rewrites; off: the graph as written"),
    ] = "default"

    def open(
        self, workload: Workload, prepared: Path, scratch: Path, until: Until | None = None
    ) -> Feed:
        """Return the files' dataset."""
        from feedbench.pipelines.built_in import steps

        feed: Feed = steps.files_dataset(workload, self, scratch, until)
        if self.graph_rewrites == "off":
            feed = steps.without_rewrites(feed)
        return feed
