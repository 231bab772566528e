"""How tf.data pipelines fit an image to the workload's size. Imports TensorFlow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import tensorflow as tf

from feedbench.pipelines.images.placement import covered_size, least_of

if TYPE_CHECKING:
    from feedbench.pipelines.contract import Workload


def fitted(colours: tf.Tensor, workload: Workload) -> tf.Tensor:
    """Return an image `[height, width, 3]` of the workload's size, as float32 in grey levels.

    By TensorFlow's bilinear rule, without antialiasing, whatever the fit is.
    """
    size = [workload.height, workload.width]
    if workload.fit.rule == "pad":
        return tf.image.resize_with_pad(colours, *size)
    if workload.fit.rule == "stretch":
        return tf.image.resize(colours, size)
    covered = covered_size(workload)
    if covered is None:
        return tf.image.resize(_middle(colours, size), size)
    return _centre(tf.image.resize(colours, _covering(colours, covered)), size)


def may_reduce(sides: tf.Tensor, ratio: int, workload: Workload) -> tf.Tensor:
    """Return whether a JPEG may be decoded at a part of its size, as `placement.decode_ratio` says.

    `sides` are its (height, width).
    """
    delivered = (workload.height, workload.width)
    least = least_of(workload.fit, delivered)
    reduced = -(-sides // ratio)
    is_large = reduced >= [least.height, least.width]
    if workload.fit.rule == "pad":
        place, reduced_place = (_padded(each, delivered) for each in (sides, reduced))
        return tf.reduce_any(is_large) & tf.reduce_all(place == reduced_place)
    covered = covered_size(workload)
    if covered is not None:
        place, reduced_place = (_covered(each[0], each[1], covered) for each in (sides, reduced))
        return tf.reduce_all(is_large) & tf.reduce_all(place == reduced_place)
    return tf.reduce_all(is_large)


def _padded(sides: tf.Tensor, delivered: tuple[int, int]) -> tf.Tensor:
    """Return the (height, width) to which tf.image.resize_with_pad resizes, and the (top, left)."""
    size, wanted = tf.cast(sides, tf.float32), tf.constant(delivered, tf.float32)
    exact = size / tf.reduce_max(size / wanted)
    return tf.floor(tf.concat([exact, (wanted - exact) / 2], 0))


def _middle(colours: tf.Tensor, size: list[int]) -> tf.Tensor:
    """Cut the largest part of these proportions out of the middle, as Keras does."""
    height, width = _sides(colours)
    kept_height = tf.clip_by_value(width * size[0] // size[1], 1, height)
    kept_width = tf.clip_by_value(height * size[1] // size[0], 1, width)
    top, left = (height - kept_height) // 2, (width - kept_width) // 2
    return colours[top : top + kept_height, left : left + kept_width]


def _covering(colours: tf.Tensor, least: tuple[int, int]) -> tf.Tensor:
    """Return the smallest `[height, width]` of the image's proportions that covers a size."""
    return _covered(*_sides(colours), least)


def _covered(height: tf.Tensor, width: tf.Tensor, least: tuple[int, int]) -> tf.Tensor:
    return tf.maximum([height * least[1] // width, width * least[0] // height], least)


def _centre(colours: tf.Tensor, size: list[int]) -> tf.Tensor:
    """Cut out the centre, with halves rounded to the even number, as torchvision does."""
    height, width = _sides(colours)
    top = tf.cast(tf.round((height - size[0]) / 2), tf.int32)
    left = tf.cast(tf.round((width - size[1]) / 2), tf.int32)
    return tf.image.crop_to_bounding_box(colours, top, left, *size)


def _sides(colours: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    shape = tf.shape(colours)
    return shape[0], shape[1]
