"""The knobs of pipelines that store something of each image in advance, and what writes it."""

from __future__ import annotations

import math
import os
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from msgspec import Meta

from feedbench.pipelines.built_in.tail_knobs import Cache, Shuffle, TailKnobs
from feedbench.pipelines.contract import KnobOverruledWarning
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.remote.address import FSSPEC, is_address
from feedbench.pipelines.remote.reading import AT_ONCE, total_size
from feedbench.pipelines.tfrecords import record_format, record_plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from feedbench.pipelines.augmentation.ranges import Augmentation
    from feedbench.pipelines.built_in.stored.smaller_images import Smaller
    from feedbench.pipelines.contract import Workload
    from feedbench.pipelines.forms import Fit
    from feedbench.pipelines.tfrecords.tfrecord_files import Make

Shards = Annotated[
    Annotated[int, Meta(ge=1, le=10_000)] | Literal["auto"],
    Meta(description="number of files; auto: about 150 MB each, at least one a core"),
]
Store = Annotated[
    Literal["encoded", "resized", "raw"],
    Meta(
        description=(
            "what is stored of an image: the file's bytes, a smaller image, or the delivered pixels"
            " as uint8"
        )
    ),
]
StoredFormat = Annotated[
    Literal["jpeg", "webp", "png", "bmp"],
    Meta(description="format of smaller images; bmp: their pixels, which need no decoder"),
]
StoredSize = Annotated[
    Annotated[int, Meta(ge=1, le=16_384)] | Literal["auto"],
    Meta(
        description=(
            "short side of smaller images in pixels; auto: 8/7 of the delivered size, which is 256"
            " for 224"
        )
    ),
]
Quality = Annotated[
    Annotated[int, Meta(ge=1, le=100)], Meta(description="quality of smaller JPEGs or WebPs")
]

LOSSLESS = {"png", "bmp"}
"""The formats of smaller images without a quality."""

_ROOM = (8, 7)  # of a smaller image over the delivered one: 256 pixels for 224
# As `Workload.formats` has them.
_FORMATS = {"jpeg": "JPEG", "webp": "WEBP", "png": "PNG", "bmp": "BMP"}
_PIXEL_BYTES = 1.0  # of a smaller image, about; only the number of files depends on it
_BMP_BYTES = 3.0  # likewise, of one without compression
_PROPORTIONS = 1.5  # long side over short side, about


@dataclass(frozen=True, kw_only=True)
class StoredKnobs(TailKnobs):
    """What is stored of each image, and in how many files.

    Smaller images keep their proportions. Images that are no larger are stored as they are.
    """

    stores: ClassVar[frozenset[str]] = FSSPEC  # what `prepare` reads; what it writes is here

    cache: Cache = "none"
    shuffle: Shuffle = 1024
    shards: Shards = "auto"
    store: Store = "encoded"
    stored_format: StoredFormat = "jpeg"
    stored_size: StoredSize = "auto"
    quality: Quality = 95

    @property
    def stores_pixels(self) -> bool:
        """Whether it reads pixels of the delivered size, which are not encoded."""
        return self.store == "raw"

    def decoded_pixels(
        self,
        workload: Workload,
        height: int,
        width: int,
        is_jpeg: bool,  # noqa: FBT001 - of a file, with its sides
    ) -> int:
        """Return how many pixels it decodes of an image whose file has this size."""
        if self.store == "resized":
            scale = min(self.short_side(workload) / min(height, width), 1.0)
            height, width = round(height * scale), round(width * scale)
        return super().decoded_pixels(workload, height, width, is_jpeg)

    def short_side(self, workload: Workload) -> int:
        """Return the short side of smaller images in pixels."""
        if self.stored_size == "auto":
            return _with_room(_delivered(workload.fit, (workload.height, workload.width)))
        return self.stored_size

    def refuse(
        self, fit: Fit, size: tuple[int, int], augmentation: Augmentation | None = None
    ) -> None:
        """Raise RequestError if images would be stored smaller than they are delivered.

        `size` is the (height, width) that is delivered.
        """
        delivered = _delivered(fit, size)
        if self.store == "resized" and self.stored_size != "auto" and self.stored_size < delivered:
            raise RequestError(
                f"stored_size={self.stored_size}: expected at least {delivered} pixels, the longest"
                " side that is delivered",
                hint=f"raise it, or leave it out: then it is {_with_room(delivered)}",
            )

    def preparation(self, workload: Workload) -> dict[str, Any]:
        """Return what the stored files depend on; of the form, only what is stored does."""
        return {**self.stored_as(workload), "shards": self.shards_of(workload)}

    def stored_as(self, workload: Workload) -> dict[str, Any]:
        """Return what is stored of the images, in however many files. Reads no file."""
        depends_on: dict[str, Any] = {}
        if self.store == "resized":
            smaller = self.smaller(workload)
            depends_on["store"] = [smaller.format, smaller.size]
            if smaller.format not in LOSSLESS:
                depends_on["quality"] = smaller.quality
        elif self.store == "raw":
            size = (workload.height, workload.width, workload.channels)
            depends_on["store"] = ["raw", *size, str(workload.fit), self.dct, self.decode]
        return depends_on

    def prepared_bytes(self, workload: Workload) -> int:
        """Return about how many bytes the stored files will have."""
        if self.store == "encoded":
            return record_plan.needed_bytes(workload)
        return math.ceil(workload.images * self.image_bytes(workload))

    @contextmanager
    def maker(self, workload: Workload, threads: int) -> Iterator[Make]:
        """Return what makes of each file what is stored as its image, in order.

        `threads` images are made at once. Of the workload, only the form is used.
        """
        if self.store == "resized":
            from feedbench.pipelines.built_in.stored.smaller_images import image_writer

            if is_address(workload.folder):
                threads = AT_ONCE  # most of these wait
            with image_writer(self.smaller(workload), threads) as make:
                yield make
        elif self.store == "raw":
            from feedbench.pipelines.built_in.stored.delivered_pixels import pixels

            yield lambda files: pixels(files, workload, self, threads)
        else:
            from feedbench.pipelines.tfrecords import tfrecord_files

            yield tfrecord_files.contents

    def smaller(self, workload: Workload) -> Smaller:
        """Return how images are stored smaller."""
        from feedbench.pipelines.built_in.stored.smaller_images import Smaller

        return Smaller(self.stored_format, self.short_side(workload), self.quality)

    def stored_formats(self, workload: Workload) -> tuple[str, ...]:
        """Return the formats of stored images; (): not known."""
        if self.store != "resized" or not workload.formats:
            return workload.formats
        return tuple(sorted({*workload.formats, _FORMATS[self.stored_format]}))

    def stored_bytes(self, workload: Workload) -> int:
        """Return very roughly how many bytes a smaller image takes."""
        pixel = _BMP_BYTES if self.stored_format == "bmp" else _PIXEL_BYTES
        return round(pixel * _PROPORTIONS * self.short_side(workload) ** 2)

    def as_stored(self, workload: Workload) -> Workload:
        """Return the workload with the formats that are stored."""
        return replace(workload, formats=self.stored_formats(workload))

    def image_bytes(self, workload: Workload) -> float:
        """Return the bytes that a stored image takes, about; of pixels, exactly."""
        if self.store == "raw":
            return float(workload.image_values)
        from feedbench.pipelines.built_in.stored.smaller_images import mean_bytes

        return mean_bytes(workload.files, self.smaller(workload))

    def shards_of(self, workload: Workload) -> int:
        """Return the number of files."""
        if self.shards != "auto":
            return min(self.shards, workload.images)
        return self.shard_count(workload, len(os.sched_getaffinity(0)))

    def shard_count(self, workload: Workload, readers: int) -> int:
        """Return a number of files: about 150 MB each, and at least one a reader."""
        stored_bytes = total_size(workload.files)
        if self.store == "raw":
            stored_bytes = workload.images * workload.image_values
        elif self.store == "resized":
            stored_bytes = min(stored_bytes, workload.images * self.stored_bytes(workload))
        return record_format.shard_count(stored_bytes, workload.images, readers)

    def warn(self) -> None:
        """Warn of knobs that change nothing."""
        is_resized = self.store == "resized"
        why = f"store={self.store} stores no smaller images; store=resized does"
        defaults = {"stored_format": "jpeg", "stored_size": "auto", "quality": 95}
        for knob, default in defaults.items():
            value = getattr(self, knob)
            is_lossless = knob == "quality" and self.stored_format in LOSSLESS
            if value != default and (is_lossless or not is_resized):
                reason = f"a {self.stored_format.upper()} has no quality" if is_resized else why
                warnings.warn(KnobOverruledWarning(knob, value, default, reason), stacklevel=3)


def _delivered(fit: Fit, size: tuple[int, int]) -> int:
    """Return the longest side in pixels that an image has when it is fitted, before it is cut."""
    from feedbench.pipelines.images.placement import least_of

    return least_of(fit, size).longest


def _with_room(delivered: int) -> int:
    return math.ceil(delivered * _ROOM[0] / _ROOM[1])
