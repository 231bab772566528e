"""The knobs that all tf.data pipelines share; pipelines differ in their defaults."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from msgspec import Meta

from feedbench.pipelines.remote.address import TENSORFLOW

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
    Meta(description="where images are kept after the first epoch"),
]
CacheAt = Annotated[
    Literal["encoded", "decoded", "delivered", "batched"],
    Meta(
        description=(
            "what a cache keeps: the files' bytes, uint8 images of full size, delivered images,"
            " or batches"
        )
    ),
]
Shuffle = Annotated[
    _Images | Literal["full", "batches", "none"],
    Meta(
        description=(
            "images in the shuffle buffer; full: all images; batches: whole batches, from a cache"
            " of batches"
        )
    ),
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
Augment = Annotated[
    Literal["image", "batch"],
    Meta(description="with --augment: images augmented one by one, or a whole batch at once"),
]
AugmentIn = Annotated[
    Literal["pipeline", "model"],
    Meta(
        description=(
            "with --augment: what augments; model: images are delivered as they are, and layers of"
            " the model augment them"
        )
    ),
]
Decode = Annotated[
    Literal["full", "scaled"],
    Meta(
        description=(
            "scaled: decode JPEGs at 1/2, 1/4 or 1/8 of their size, if they are still as large as"
            " delivered"
        )
    ),
]


@dataclass(frozen=True, kw_only=True)
class TailKnobs(ABC):
    """A tf.data pipeline with knobs for parallel calls, cache, shuffle, order, prefetch, decoding.

    A cache of batches repeats the batches of the first epoch. So images cannot be shuffled behind
    it: any `shuffle` but none becomes `batches` there, which a warning reports. Without such a
    cache, `batches` becomes `full`.

    Images are augmented behind the cache, so every epoch has new draws.
    """

    stores: ClassVar[frozenset[str]] = TENSORFLOW

    parallel_calls: ParallelCalls = "autotune"
    cache: Cache = "memory"
    cache_at: CacheAt = "delivered"
    shuffle: Shuffle = "full"
    deterministic: Deterministic = True
    prefetch: Prefetch = "autotune"
    dct: Dct = "integer_accurate"
    augment: Augment = "batch"
    augment_in: AugmentIn = "pipeline"
    decode: Decode = "full"

    @property
    def is_fixed(self) -> bool:
        """Whether AUTOTUNE has nothing to choose: parallel calls and prefetch are numbers."""
        return isinstance(self.parallel_calls, int) and isinstance(self.prefetch, int)

    @property
    def stores_pixels(self) -> bool:
        """Whether it reads pixels of the delivered size, which are not encoded."""
        return False

    def decoded_pixels(
        self,
        workload: Workload,
        height: int,
        width: int,
        is_jpeg: bool,  # noqa: FBT001 - of a file, with its sides
    ) -> int:
        """Return how many pixels it decodes of an image whose file has this size."""
        from feedbench.pipelines.images.placement import decode_ratio

        ratio = 1
        if self.decode == "scaled" and is_jpeg:
            delivered = (workload.height, workload.width)
            ratio = decode_ratio(workload.fit, (height, width), delivered)
        return -(-height // ratio) * -(-width // ratio)

    @abstractmethod
    def open(
        self, workload: Workload, prepared: Path, scratch: Path, until: Until | None = None
    ) -> Feed:
        """Return a dataset of batches; with `until`, of labels and stand-ins `[B, 1]`."""
