"""Keras' ImageDataGenerator, the first loader in most courses."""

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
    """Keras' ImageDataGenerator: Pillow decodes one image after another in Python."""

    interpolation: Annotated[
        Literal["bilinear", "nearest"],
        Meta(description="resize filter; Keras' default is nearest, which is less work"),
    ] = "bilinear"

    def open(self, workload: Workload, prepared: Path, scratch: Path) -> Feed:
        """Return a feed over exactly the workload's files.

        `validate_filenames` would drop files that Keras rejects, and Keras would sort class names
        again. The index has settled both, so files and labels go in unchanged.
        """
        import numpy as np
        import pandas as pd
        import tensorflow as tf

        low, high = workload.value_range
        # The user's keras.json must not change the work.
        generator = tf.keras.preprocessing.image.ImageDataGenerator(
            preprocessing_function=_around_0 if low < 0 else None,
            rescale=1 / 255 if (low, high) == (0, 1) else None,
            data_format="channels_last",
            # Pillow's values are whole numbers already; computing grey from floats is faster.
            dtype="float32" if workload.channels == 1 else workload.dtype,
        )
        labels = np.asarray(workload.labels, np.int32)
        # As objects: pandas' strings must be valid UTF-8, but a file's name need not be.
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
    """Scale 0 to 255 to -1 to 1 in place, as MobileNet's preprocess_input does."""
    image /= 127.5
    image -= 1.0
    return image


class _KerasFeed:
    """Epochs cut out of an endless Keras iterator.

    Where Keras has no option, the batches are converted afterwards, as a user would do it.
    """

    def __init__(self, iterator: Any, workload: Workload) -> None:
        self._iterator = iterator
        self._workload = workload

    def __iter__(self) -> Iterator[Batch]:
        self._iterator.reset()  # the next batch begins a new permutation
        for _ in range(len(self._iterator)):
            yield in_form(next(self._iterator), self._workload)

    def repeat(self) -> Iterator[Batch]:
        """Yield epoch after epoch, each in a new order."""
        self._iterator.reset()
        while True:
            yield in_form(next(self._iterator), self._workload)
