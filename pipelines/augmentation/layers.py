"""An augmentation as Keras' preprocessing layers. Imports Keras and TensorFlow.

Pipelines import this inside `open`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from feedbench.pipelines.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from feedbench.pipelines.augmentation.ranges import Augmentation

FULL_TURN = 360  # degrees


@keras.saving.register_keras_serializable(package="feedbench")
class RandomBrightnessFactor(keras.layers.RandomBrightness):  # type: ignore[misc]
    """Multiplies all values of an image by a factor, as ImageDataGenerator does.

    The factor is 1 - `factor` to 1 + `factor`, of the distance from black. Keras' RandomBrightness
    adds a number instead. The results stay in `value_range`, which is black and white.
    """

    def get_random_transformation(self, *args: Any, **options: Any) -> dict[str, Any]:
        """Return an image's factor minus 1, as `rgb_delta`; it is drawn as Keras draws it."""
        drawn = super().get_random_transformation(*args, **options)
        black, white = self.value_range
        return {"rgb_delta": drawn["rgb_delta"] / (white - black)}

    def transform_images(
        self,
        images: Any,
        transformation: dict[str, Any],
        training: bool = True,  # noqa: FBT001, FBT002 - as Keras has it
    ) -> Any:
        """Return images `[..., H, W, C]` multiplied by their factors."""
        if not training:
            return images
        black, white = self.value_range
        factor = self.backend.cast(1 + transformation["rgb_delta"], images.dtype)
        return self.backend.numpy.clip(black + (images - black) * factor, black, white)


def layers(
    augmentation: Augmentation,
    seed: int,
    *,
    value_range: tuple[float, float] = (0.0, 255.0),
    data_format: str = "channels_last",
) -> list[Any]:
    """Return Keras' layers that augment images whose black and white are `value_range`.

    In this order: rotation, shift, zoom, flips, brightness. Each has its own seed: with the same
    seed, all draws of an image would be alike. The pixels outside are those of the nearest edge, as
    ImageDataGenerator has it by default.
    """
    made = []
    whole = {"data_format": data_format, "dtype": "float32"}
    edge = {"fill_mode": "nearest", **whole}
    if augmentation.rotate:
        made.append(keras.layers.RandomRotation(augmentation.rotate / FULL_TURN, **edge, seed=seed))
    if augmentation.width_shift or augmentation.height_shift:
        shifts = augmentation.height_shift, augmentation.width_shift
        made.append(keras.layers.RandomTranslation(*shifts, **edge, seed=seed + 1))
    if augmentation.zoom:
        sides = augmentation.zoom, augmentation.zoom
        made.append(keras.layers.RandomZoom(*sides, **edge, seed=seed + 2))
    if augmentation.flip or augmentation.vertical_flip:
        mode = "_and_".join(
            word
            for word, is_flipped in (
                ("horizontal", augmentation.flip),
                ("vertical", augmentation.vertical_flip),
            )
            if is_flipped
        )
        made.append(keras.layers.RandomFlip(mode, **whole, seed=seed + 3))
    if augmentation.brightness:
        made.append(
            RandomBrightnessFactor(
                augmentation.brightness, value_range=value_range, **whole, seed=seed + 4
            )
        )
    return made


def model_layers(
    augmentation: Augmentation,
    seed: int,
    *,
    value_range: tuple[float, float],
    normalization: str,
    data_format: str,
) -> list[Any]:
    """Return the layers for a model that augments batches itself, in a workload's form.

    Raises RequestError for brightness of images whose channels have different blacks.
    """
    if augmentation.brightness and normalization != "none":
        raise RequestError(
            f"--augment brightness={augmentation.brightness:g} in the model: expected images with"
            f" the same black in all channels; found --range {normalization}",
            hint="augment in the pipeline, or use --range 0..1",
        )
    return layers(augmentation, seed, value_range=value_range, data_format=data_format)


def augmenter(augmentation: Augmentation, seed: int) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return a function of images `[H, W, C]` or `[B, H, W, C]` of 0 to 255, for tf.data.

    It returns float32. Each image of a batch has its own draws, and so has each epoch: the state
    of the random numbers is outside of the dataset, and lives as long as the function.
    """
    with tf.device("CPU"):  # tf.data cannot read a state that is on a GPU
        steps = layers(augmentation, seed)

    def augmented(images: tf.Tensor) -> tf.Tensor:
        images = tf.cast(images, tf.float32)
        for step in steps:
            images = step(images, training=True)
        return images

    return augmented
