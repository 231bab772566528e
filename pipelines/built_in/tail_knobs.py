"""The knobs that all tf.data pipelines share; pipelines differ in their defaults."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

if TYPE_CHECKING:
    from pathlib import Path

    from feedbench.pipelines.contract import Feed, Until, Workload

_Calls = Annotated[int, Meta(ge=1, le=1024)]
_Images = Annotated[int, Meta(ge=1, le=100_000_000)]

Calls = _Calls | Literal["autotune", "none"]
ParallelCalls = Annotated[
    Calls,
    Meta(description="images read and decoded at once; none: map() without parallel calls"),
]
Cache = Annotated[
    Literal["none", "memory", "file"],
    Meta(description="where delivered images are kept after the first epoch"),
]
Shuffle = Annotated[
    _Images | Literal["full", "none"],
    Meta(description="images in the shuffle buffer; full: all images"),
]
Deterministic = Annotated[
    bool,
    Meta(description="keep the shuffled order even if a later image is ready first"),
]
Prefetch = Annotated[
    _Calls | Literal["autotune", "none"],
    Meta(description="batches prepared ahead of the consumer"),
]
Dct = Annotated[
    Literal["integer_accurate", "integer_fast"],
    Meta(description="the JPEG transform; TensorFlow's default is the fast one"),
]


@dataclass(frozen=True, kw_only=True)
class TailKnobs(ABC):
    """A tf.data pipeline with knobs for parallel calls, cache, shuffle, order, prefetch and DCT."""

    parallel_calls: ParallelCalls = "autotune"
    cache: Cache = "memory"
    shuffle: Shuffle = "full"
    deterministic: Deterministic = True
    prefetch: Prefetch = "autotune"
    dct: Dct = "integer_accurate"

    @abstractmethod
    def open(
        self, workload: Workload, prepared: Path, scratch: Path, until: Until | None = None
    ) -> Feed:
        """Return a dataset of batches; with `until`, of labels and stand-ins `[B, 1]`."""
