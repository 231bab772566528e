"""The small networks of well-known courses, as Keras models.

Each takes a workload's images in any layout and range, and ends in one output a class, or in one
for binary labels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from feedbench.pipelines.contract import Channels, LabelMode, Workload

_DEEPEST = 255.0


@dataclass(frozen=True, kw_only=True)
class CourseNetwork:
    """A network, and the images and labels that its course gives it."""

    side: int  # of the images, in pixels
    least_side: int  # of images that its layers leave something of
    channels: Channels = 3
    label_mode: LabelMode = "int"
    is_probability: bool  # of its outputs; else they are logits
    layers: Callable[[], list[Any]]  # between the images and the last layer


def course_network(network: CourseNetwork, name: str, workload: Workload) -> Any:
    """Return the Keras model of a course's network, for a workload's images and classes.

    Raises ValueError for images that are smaller than the network takes.
    """
    import keras

    if min(workload.height, workload.width) < network.least_side:
        raise ValueError(
            f"{name} takes images of {network.least_side} pixels a side or more; found"
            f" {workload.height}x{workload.width}"
        )
    inputs, outputs = images_in(workload)
    if workload.value_range == (0.0, _DEEPEST):
        outputs = keras.layers.Rescaling(1 / _DEEPEST)(outputs)  # large values train badly
    for layer in network.layers():
        outputs = layer(outputs)
    activation = activation_of(workload) if network.is_probability else None
    outputs = keras.layers.Dense(units_of(workload), activation=activation)(outputs)
    return keras.Model(inputs, outputs, name=name)


def images_in(workload: Workload) -> tuple[Any, Any]:
    """Return a model's input, and the same images as `[B, H, W, C]` for its first layer."""
    import keras

    inputs = keras.Input(workload.shape)
    if workload.data_format == "channels_first":
        return inputs, keras.layers.Permute((2, 3, 1))(inputs)  # a CPU convolves no other layout
    return inputs, inputs


def units_of(workload: Workload) -> int:
    """Return the number of outputs that a workload's labels need."""
    return 1 if workload.label_mode == "binary" else len(workload.class_names)


def activation_of(workload: Workload) -> str:
    """Return the activation that makes probabilities of such outputs."""
    return "sigmoid" if workload.label_mode == "binary" else "softmax"


def _flowers() -> list[Any]:
    from keras import layers

    blocks = [
        layer
        for filters in (16, 32, 64)
        for layer in (
            layers.Conv2D(filters, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
        )
    ]
    return [
        *blocks,
        layers.Dropout(0.2),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
    ]


def _cats_dogs() -> list[Any]:
    from keras import layers

    blocks = [
        layer
        for filters in (32, 64, 128)
        for layer in (layers.Conv2D(filters, 3, activation="relu"), layers.MaxPooling2D())
    ]
    return [
        *blocks,
        layers.Flatten(),
        layers.Dropout(0.5),
        layers.Dense(512, activation="relu"),
    ]


def _mnist() -> list[Any]:
    from keras import layers

    blocks = [
        layer
        for filters in (32, 64)
        for layer in (
            layers.Conv2D(filters, 3, padding="same", activation="relu"),
            layers.Conv2D(filters, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Dropout(0.25),
        )
    ]
    return [
        *blocks,
        layers.Flatten(),
        layers.Dense(512, activation="relu"),
        layers.Dropout(0.5),
    ]


def _cifar() -> list[Any]:
    from keras import layers

    return [
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, activation="relu"),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
    ]


COURSE_NETWORKS = {
    "flowers_cnn": CourseNetwork(side=180, least_side=8, is_probability=False, layers=_flowers),
    "cats_dogs_cnn": CourseNetwork(
        side=150, least_side=22, label_mode="binary", is_probability=True, layers=_cats_dogs
    ),
    "mnist_cnn": CourseNetwork(
        side=28, least_side=10, channels=1, is_probability=True, layers=_mnist
    ),
    "cifar_cnn": CourseNetwork(side=32, least_side=18, is_probability=False, layers=_cifar),
}
