"""Brings decoded images into the workload's form, in TensorFlow: size, grey, dtype, augmentation.

Imports TensorFlow.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal

import tensorflow as tf

from feedbench.pipelines.built_in.fitting import fitted
from feedbench.pipelines.contract import LUMA, KnobOverruledWarning
from feedbench.pipelines.forms import DTYPE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from feedbench.pipelines.built_in.tail_knobs import TailKnobs
    from feedbench.pipelines.contract import Workload

_OF_ONE_IMAGE = 3  # dimensions


def in_form(colours: tf.Tensor, workload: Workload) -> tf.Tensor:
    """Return a decoded image in the workload's shape, dtype and range.

    TensorFlow's bilinear rule resizes it, without antialiasing. Grey is computed after resizing,
    from fewer pixels. Both steps are linear, so their order changes no value.
    """
    return finished(sized(colours, workload), workload)


def sized(colours: tf.Tensor, workload: Workload) -> tf.Tensor:
    """Return a decoded image as grey levels `[height, width, channels]`, float32."""
    resized = fitted(colours, workload)
    if workload.channels == 1:
        resized = tf.tensordot(resized, tf.constant(LUMA)[:, tf.newaxis], 1)
    return resized


def finished(levels: tf.Tensor, workload: Workload) -> tf.Tensor:
    """Bring grey levels `[..., H, W, C]` into the workload's dtype, range and layout."""
    if workload.dtype == "uint8":
        values = whole_levels(levels)
    else:
        values = tf.cast(_in_range(levels, workload), workload.dtype)  # float32: nothing to do
    if workload.data_format == "channels_first":
        values = tf.transpose(
            values, [2, 0, 1] if values.shape.rank == _OF_ONE_IMAGE else [0, 3, 1, 2]
        )
    return values


def finished_levels(levels: tf.Tensor, workload: Workload) -> tf.Tensor:
    """Bring whole grey levels `[H, W, C]` uint8 into the workload's dtype, range and layout."""
    is_bytes = workload.dtype == "uint8"
    return finished(levels if is_bytes else tf.cast(levels, tf.float32), workload)


def whole_levels(levels: tf.Tensor) -> tf.Tensor:
    """Return grey levels as uint8, halves rounded to the even one."""
    return tf.saturate_cast(tf.round(levels), tf.uint8)


def _in_range(levels: tf.Tensor, workload: Workload) -> tf.Tensor:
    """Bring grey levels `[..., H, W, C]` into the workload's range."""
    if workload.normalization != "none":
        values = workload.values
        levels = levels[..., ::-1] if values.is_bgr else levels
        return (levels - values.mean) / values.std
    low, high = workload.value_range
    if (low, high) != (0, 255):
        levels = levels / (255.0 / (high - low))
    return levels + low if low else levels


def augments(workload: Workload, knobs: TailKnobs) -> bool:
    """Whether the pipeline augments the images, and not the model."""
    return workload.augmentation is not None and knobs.augment_in == "pipeline"


def augmented_at(
    workload: Workload, knobs: TailKnobs, place: str
) -> Literal["none", "image", "batch"]:
    """Return what is augmented at once, and warn of an overruled knob."""
    if not augments(workload, knobs):
        return "none"
    if place == "batched" and knobs.augment == "image":
        why = "a cache of batches delivers whole ones, and images are augmented behind it"
        warnings.warn(KnobOverruledWarning("augment", "image", "batch", why), stacklevel=2)
        return "batch"
    return knobs.augment


def augmentation(workload: Workload) -> Callable[..., Any]:
    """Return the function to map that augments images of `unfinished`, and finishes them."""
    from feedbench.pipelines.augmentation.layers import augmenter

    assert workload.augmentation is not None
    augmented = augmenter(workload.augmentation, workload.seed)

    def to_augmented(images: tf.Tensor, labels: tf.Tensor) -> Any:
        return finished(augmented(images), workload), labels

    return to_augmented


def unfinished(colours: tf.Tensor, workload: Workload) -> tf.Tensor:
    """Return a decoded image in grey levels, to be augmented: uint8 if the workload is, or float32.

    Normalization comes later: brightness is a factor of values from black.
    """
    levels = sized(colours, workload)
    return whole_levels(levels) if workload.dtype == "uint8" else levels


def unfinished_bytes(workload: Workload) -> int:
    """Return the bytes of an image of `unfinished`."""
    return workload.image_values * DTYPE_BYTES["uint8" if workload.dtype == "uint8" else "float32"]
