"""Pipelines that are cut off after a step, to learn what each step takes.

They deliver a stand-in for an image, one number that depends on all that was done: it is no
workload's batch, and only diagnostic trials take it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from feedbench.pipelines.contract import Batch, Feed, Pipeline, Workload

if TYPE_CHECKING:
    from pathlib import Path

Until = Literal["read", "decode", "resize"]
"""The step after which a pipeline is cut off: what follows is not done."""


@dataclass(frozen=True)
class TruncatedDataset:
    """A tf.data pipeline of ours, cut off; all else is as it is."""

    pipeline: Pipeline
    until: Until

    def open(self, workload: Workload, prepared: Path, scratch: Path) -> Feed:
        """Return its dataset, of labels and stand-ins `[B, 1]`."""
        from feedbench.pipelines.built_in import steps

        with steps.cut_off(self.until):
            return self.pipeline.open(workload, prepared, scratch)


@dataclass(frozen=True)
class TruncatedPillow:
    """What Keras' ImageDataGenerator does with Pillow, in one thread, cut off."""

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
        """Do the steps with one file, and return a number that depends on them."""
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
            size = (self._workload.width, self._workload.height)
            colours = colours.resize(size, Image.Resampling[self._interpolation.upper()])
        return int(colours.getpixel((0, 0))[0])  # type: ignore[index]
