"""An augmentation of NumPy arrays, by the transforms of Keras' ImageDataGenerator.

Imports Keras and TensorFlow; pipelines import this inside `open`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf

from feedbench.pipelines.augmentation.arguments import arguments_of

if TYPE_CHECKING:
    import numpy as np

    from feedbench.pipelines.augmentation.ranges import Augmentation


class ArrayAugmenter:
    """Augments images one by one, with draws from a generator that the caller gives.

    ImageDataGenerator itself draws from NumPy's global state. Worker processes start with copies of
    that state, and would all draw the same.
    """

    def __init__(self, augmentation: Augmentation) -> None:
        self._augmentation = augmentation
        self._keras = tf.keras.preprocessing.image.ImageDataGenerator(
            **arguments_of(augmentation), data_format="channels_last"
        )

    def augmented(self, pixels: Any, random: np.random.Generator) -> Any:
        """Return an image `[H, W, C]` of 0 to 255, augmented: float32 in the same range."""
        return self._keras.apply_transform(pixels, self._drawn(random, *pixels.shape[:2]))

    def _drawn(self, random: np.random.Generator, height: int, width: int) -> dict[str, Any]:
        """Return the parameters of one image, by the names of ImageDataGenerator."""
        ranges = self._augmentation

        def around(middle: float, most: float) -> float:
            return middle + most * random.uniform(-1, 1)

        drawn: dict[str, Any] = {
            "theta": around(0, ranges.rotate),
            "tx": around(0, ranges.height_shift) * height,
            "ty": around(0, ranges.width_shift) * width,
            "zx": around(1, ranges.zoom),
            "zy": around(1, ranges.zoom),
            "flip_horizontal": ranges.flip and random.random() < 0.5,  # noqa: PLR2004 - a half
            "flip_vertical": ranges.vertical_flip and random.random() < 0.5,  # noqa: PLR2004
        }
        if ranges.brightness:
            drawn["brightness"] = around(1, ranges.brightness)
        return drawn
