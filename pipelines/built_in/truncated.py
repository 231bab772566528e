"""Pipelines cut off after a step, to measure the time of each step.

They deliver a stand-in for each image: one number that depends on all steps so far. Only
diagnostic trials use them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from feedbench.pipelines.built_in.image_data_generator import ImageDataGenerator
from feedbench.pipelines.built_in.tail_knobs import TailKnobs
from feedbench.pipelines.contract import Batch, Feed, Pipeline, Until, Workload
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.placement import fitted

if TYPE_CHECKING:
    from pathlib import Path


def is_truncatable(pipeline: type[object]) -> bool:
    """Whether pipelines of this class can be cut off."""
    return issubclass(pipeline, (TailKnobs, ImageDataGenerator))


def truncate(pipeline: Pipeline, until: Until) -> Pipeline:
    """Return a pipeline that ends after a step, and is unchanged otherwise.

    Raises RequestError for a pipeline with unknown steps, such as a user's own.
    """
    if isinstance(pipeline, TailKnobs):
        return _TruncatedDataset(pipeline, until)
    if isinstance(pipeline, ImageDataGenerator):
        return _TruncatedPillow(until, pipeline.interpolation)
    raise RequestError("it has no steps that can be cut off")


@dataclass(frozen=True)
class _TruncatedDataset:
    pipeline: TailKnobs
    until: Until

    def open(self, workload: Workload, prepared: Path, scratch: Path) -> Feed:
        """Return its dataset, of labels and stand-ins `[B, 1]`."""
        return self.pipeline.open(workload, prepared, scratch, self.until)


@dataclass(frozen=True)
class _TruncatedPillow:
    """The steps of Keras' ImageDataGenerator with Pillow, in one thread, cut off."""

    until: Until
    interpolation: str

    def open(self, workload: Workload, prepared: Path, scratch: Path) -> Feed:
        """Return a feed of labels and stand-ins `[B, 1]`."""
        return _PillowFeed(workload, self.until, self.interpolation)


class _PillowFeed:
    def __init__(self, workload: Workload, until: Until, interpolation: str) -> None:
        self._workload = workload
        self._until = until
        self._interpolation = interpolation

    def __iter__(self) -> Iterator[Batch]:
        import numpy as np

        work = self._workload
        for start in range(0, work.images, work.batch_size):
            part = slice(start, start + work.batch_size)
            images = np.asarray([[self._done(file)] for file in work.files[part]])
            yield images, np.asarray(work.labels[part], np.int32)

    def repeat(self) -> Iterator[Batch]:
        """Yield epoch after epoch."""
        while True:
            yield from self

    def _done(self, file: str) -> int:
        """Run the steps on one file, and return a number that depends on them."""
        import io
        from pathlib import Path

        from PIL import Image

        encoded = Path(file).read_bytes()
        if self._until == "read":
            return len(encoded)
        image = Image.open(io.BytesIO(encoded))
        colours = image if image.mode == "RGB" else image.convert("RGB")
        colours.load()
        if self._until == "resize":
            colours = fitted(colours, self._workload, self._interpolation)
        return int(colours.getpixel((0, 0))[0])  # type: ignore[index]
