"""Keras' ImageDataGenerator, which most courses begin with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta

from feedbench.pipelines.built_in.form import in_form

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from feedbench.pipelines.contract import Batch, Feed, Workload


@dataclass(frozen=True, kw_only=True)
class ImageDataGenerator:
    """Keras' ImageDataGenerator: Pillow, one image after another in Python."""

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

        low, high = workload.value_range
        # What a person's keras.json says must not change the work.
        generator = tf.keras.preprocessing.image.ImageDataGenerator(
            preprocessing_function=_around_0 if low < 0 else None,
            rescale=1 / 255 if (low, high) == (0, 1) else None,
            data_format="channels_last",
            # Pillow's values are whole numbers already; grey is made of floats, which is faster.
            dtype="float32" if workload.channels == 1 else workload.dtype,
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
        return _KerasFeed(iterator, workload)


def _around_0(image: Any) -> Any:
    """Bring 0 to 255 into -1 to 1 where it lies, as MobileNet's preprocess_input does."""
    image /= 127.5
    image -= 1.0
    return image


class _KerasFeed:
    """Epochs cut out of a Keras iterator, which goes on without end.

    What Keras itself has no option for is done to its batches, as a person would.
    """

    def __init__(self, iterator: Any, workload: Workload) -> None:
        self._iterator = iterator
        self._workload = workload

    def __iter__(self) -> Iterator[Batch]:
        self._iterator.reset()  # the next batch begins a new permutation
        for _ in range(len(self._iterator)):
            yield in_form(next(self._iterator), self._workload)

    def repeat(self) -> Iterator[Batch]:
        """Yield epoch after epoch, each in an order of its own."""
        self._iterator.reset()
        while True:
            yield in_form(next(self._iterator), self._workload)
