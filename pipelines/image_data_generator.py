"""Keras' ImageDataGenerator, which most courses begin with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from feedbench.pipelines.contract import Batch, Feed, Workload


@dataclass(frozen=True, kw_only=True)
class ImageDataGenerator:
    """Keras' ImageDataGenerator(rescale=1/255): Pillow, one image after another in Python."""

    interpolation: Annotated[
        Literal["bilinear", "nearest"],
        Meta(description="the resize; Keras' own default is nearest, which is less work"),
    ] = "bilinear"

    def open(self, workload: Workload, prepared: Path, scratch: Path) -> Feed:
        """Return a feed over exactly the workload's files.

        `validate_filenames` would drop what Keras does not like, and class names would be sorted
        anew; the index has settled both, so the files and labels go in as they are.
        """
        import numpy as np
        import pandas as pd
        import tensorflow as tf

        # What a person's keras.json says must not change the work.
        generator = tf.keras.preprocessing.image.ImageDataGenerator(
            rescale=1 / 255, data_format="channels_last", dtype="float32"
        )
        labels = np.asarray(workload.labels, np.int32)
        # As objects: pandas' own strings must be valid UTF-8, which a file's name need not be.
        files = pd.Series(workload.files, dtype=object)
        iterator = generator.flow_from_dataframe(
            pd.DataFrame({"filename": files, "label": labels}),
            x_col="filename",
            y_col="label",
            class_mode="raw",
            target_size=(workload.height, workload.width),
            interpolation=self.interpolation,
            batch_size=workload.batch_size,
            shuffle=True,
            seed=workload.seed,
            validate_filenames=False,
        )
        return _KerasFeed(iterator)


class _KerasFeed:
    """Epochs cut out of a Keras iterator, which goes on without end."""

    def __init__(self, iterator: Any) -> None:
        self._iterator = iterator

    def __iter__(self) -> Iterator[Batch]:
        self._iterator.reset()  # the next batch begins a new permutation
        for _ in range(len(self._iterator)):
            yield next(self._iterator)

    def repeat(self) -> Iterator[Batch]:
        """Yield epoch after epoch, each in an order of its own."""
        self._iterator.reset()
        while True:
            yield next(self._iterator)
