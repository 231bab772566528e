"""tf.data as people write it first: list, read, decode, resize, scale, batch."""

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

    TensorFlow's default graph rewrites add them behind the author's back, which about doubled the
    rate on two cores: that is what the author really gets, so it is the default.
    """

    parallel_calls: ParallelCalls = "none"
    cache: Cache = "none"
    prefetch: Prefetch = "none"
    graph_rewrites: Annotated[
        Literal["default", "off"],
        Meta(description="TensorFlow's default rewrites of the graph; off: what the code says"),
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
