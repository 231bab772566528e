"""A Keras PyDataset, which Keras recommends in place of ImageDataGenerator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

if TYPE_CHECKING:
    from pathlib import Path

    from feedbench.pipelines.contract import Feed, Workload


@dataclass(frozen=True, kw_only=True)
class PyDataset:
    """Keras' PyDataset, read as `fit` reads it: Pillow, in one thread or several workers.

    Keras recommends it in place of ImageDataGenerator.
    """

    workers: Annotated[
        Annotated[int, Meta(ge=1, le=256)],
        Meta(description="batches that are loaded at once; Keras' own default is 1"),
    ] = 1
    use_multiprocessing: Annotated[
        bool, Meta(description="the workers are processes; false: threads of one process")
    ] = False
    max_queue_size: Annotated[
        Annotated[int, Meta(ge=1, le=10_000)],
        Meta(description="batches that the workers may load ahead"),
    ] = 10
    interpolation: Annotated[
        Literal["bilinear", "nearest"],
        Meta(description="the resize; Keras' own default is nearest, which is less work"),
    ] = "bilinear"
    shuffle: Annotated[
        bool,
        Meta(description="images in a new order each epoch; false: fit shuffles whole batches"),
    ] = True

    def open(self, workload: Workload, prepared: Path, scratch: Path) -> Feed:
        """Return the PyDataset. It is iterated in vain: `fit` has the workers."""
        from feedbench.pipelines.built_in.keras.photo_batches import PhotoBatches

        feed: Feed = PhotoBatches(
            workload,
            self.interpolation,
            shuffle=self.shuffle,
            workers=self.workers,
            use_multiprocessing=self.use_multiprocessing,
            max_queue_size=self.max_queue_size,
        )
        return feed
