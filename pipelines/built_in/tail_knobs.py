"""The knobs that every tf.data pipeline shares, so that two differ only in what they name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta

if TYPE_CHECKING:
    from feedbench.pipelines.built_in.truncated import TruncatedDataset, Until

_Calls = Annotated[int, Meta(ge=1, le=1024)]
_Images = Annotated[int, Meta(ge=1, le=100_000_000)]

ParallelCalls = Annotated[
    _Calls | Literal["autotune", "none"],
    Meta(description="images read and decoded at once; none: map() without parallel calls"),
]
Cache = Annotated[
    Literal["none", "memory", "file"],
    Meta(description="where images are kept after the first epoch, decoded and as delivered"),
]
Shuffle = Annotated[
    _Images | Literal["full", "none"],
    Meta(description="images in the shuffle buffer; full: as many as there are"),
]
Deterministic = Annotated[
    bool,
    Meta(description="deliver in the shuffled order even where a later image is ready first"),
]
Prefetch = Annotated[
    _Calls | Literal["autotune", "none"],
    Meta(description="batches made ready ahead of the consumer"),
]
Dct = Annotated[
    Literal["integer_accurate", "integer_fast"],
    Meta(description="the JPEG transform; TensorFlow's own default is the fast one"),
]


@dataclass(frozen=True, kw_only=True)
class TailKnobs:
    """Parallel calls, cache, shuffle, order, prefetch and the JPEG transform."""

    parallel_calls: ParallelCalls = "autotune"
    cache: Cache = "memory"
    shuffle: Shuffle = "full"
    deterministic: Deterministic = True
    prefetch: Prefetch = "autotune"
    dct: Dct = "integer_accurate"

    def truncated(self, until: Until) -> TruncatedDataset:
        """Return this pipeline, cut off after a step."""
        from feedbench.pipelines.built_in.truncated import TruncatedDataset

        whole: Any = self  # of which every pipeline with these knobs is one
        return TruncatedDataset(whole, until)
