"""Keras' ImageDataGenerator, the first loader in most courses."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta

from feedbench.pipelines.augmentation.arguments import arguments_of
from feedbench.pipelines.built_in.form import dtype_of, in_form
from feedbench.pipelines.images.placement import fitted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from feedbench.pipelines.contract import Batch, Dtype, Feed, Workload


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
            preprocessing_function=_preprocessing(workload),
            rescale=1 / 255 if (low, high) == (0, 1) else None,
            data_format=_data_format(workload),
            dtype=dtype_of(_dtype(workload)),
            **arguments_of(workload.augmentation),
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
        self._fit(iterator, generator, workload)
        return _KerasFeed(iterator, workload)

    def _fit(self, iterator: Any, generator: Any, workload: Workload) -> None:
        """Let a Keras iterator fit its images as the workload asks.

        Keras can crop, though `flow_from_dataframe` has no argument for it. For the rest it has
        nothing: it is given another way to make a batch, by Pillow as well.
        """
        fit = workload.fit
        if fit.rule == "stretch":
            return
        if fit.rule == "crop" and fit.share is None:
            iterator.keep_aspect_ratio = True
            return

        import numpy as np
        import tensorflow as tf
        from PIL import Image

        image = tf.keras.preprocessing.image

        def delivered(file: str) -> Any:
            with Image.open(file) as opened:
                colours = fitted(opened.convert("RGB"), workload, self.interpolation)
            pixels = image.img_to_array(colours, data_format=generator.data_format)
            if workload.augmentation is not None:
                pixels = generator.random_transform(pixels)
            return generator.standardize(pixels)

        def batch(places: Any) -> Batch:
            images = [delivered(iterator.filepaths[place]) for place in places]
            return np.asarray(images, iterator.dtype), iterator.labels[places]

        iterator._get_batches_of_transformed_samples = batch  # noqa: SLF001


def _data_format(workload: Workload) -> str:
    """Return the layout that Keras makes; what needs the last axis is turned afterwards.

    That is grey, and Keras' brightness, which fails for channels first.
    """
    needs_last = workload.channels == 1 or (
        workload.augmentation is not None and workload.augmentation.brightness
    )
    return "channels_last" if needs_last else workload.data_format


def _dtype(workload: Workload) -> Dtype:
    """Return the type of Keras' batches.

    Pillow's values are whole numbers already, unless they are augmented: Keras would cut off
    their fractions. Computing grey from floats is faster.
    """
    if workload.channels == 1 or workload.augmentation is not None:
        return "float32"
    return workload.dtype


def _preprocessing(workload: Workload) -> Callable[[Any], Any] | None:
    """Return what people give to `preprocessing_function`; None if Keras scales by itself."""
    if workload.normalization != "none":
        import tensorflow as tf

        return functools.partial(
            tf.keras.applications.imagenet_utils.preprocess_input,
            data_format=_data_format(workload),
            mode="caffe" if workload.normalization == "caffe" else "torch",
        )
    return _around_0 if workload.value_range[0] < 0 else None


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

    def _next(self) -> Batch:
        is_laid_out = self._iterator.data_format == self._workload.data_format
        return in_form(next(self._iterator), self._workload, is_laid_out=is_laid_out)

    def __iter__(self) -> Iterator[Batch]:
        self._iterator.reset()  # the next batch begins a new permutation
        for _ in range(len(self._iterator)):
            yield self._next()

    def repeat(self) -> Iterator[Batch]:
        """Yield epoch after epoch, each in a new order."""
        self._iterator.reset()
        while True:
            yield self._next()
