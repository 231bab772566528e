"""Loaders with one fault each, as people make them. `feedbench verify` names them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

Each = Callable[[Any, Any], Any]
"""A decoded picture of whole numbers, and the workload -> the image that is delivered."""


def samples(workload: Any) -> Any:
    files, labels = list(workload.files), list(workload.labels)
    return tf.data.Dataset.from_tensor_slices((files, labels)).shuffle(len(files))


def decoded(file: Any) -> Any:
    return tf.io.decode_jpeg(tf.io.read_file(file), channels=3, dct_method="INTEGER_ACCURATE")


def right(picture: Any, workload: Any) -> Any:
    return tf.image.resize(picture, (workload.height, workload.width)) / 255


def dataset(workload: Any, each: Each = right) -> Any:
    """Batches of images that `each` makes."""
    made = samples(workload).map(lambda file, label: (each(decoded(file), workload), label))
    return made.batch(workload.batch_size)


def resized(workload: Any, **options: Any) -> Any:
    size = (workload.height, workload.width)
    return dataset(workload, lambda it, _: tf.image.resize(it, size, **options) / 255)


# ruff: noqa: NPY002 - as people write them

# Other pixels


def nearest(workload: Any) -> Any:
    return resized(workload, method="nearest")


def area(workload: Any) -> Any:
    return resized(workload, method="area")


def bicubic(workload: Any) -> Any:
    return resized(workload, method="bicubic").map(lambda x, y: (tf.clip_by_value(x, 0, 1), y))


def lanczos(workload: Any) -> Any:
    return resized(workload, method="lanczos3").map(lambda x, y: (tf.clip_by_value(x, 0, 1), y))


def half_a_pixel_off(workload: Any) -> Any:
    size = (workload.height, workload.width)
    return dataset(
        workload, lambda it, _: tf.compat.v1.image.resize_bilinear(it[tf.newaxis], size)[0] / 255
    )


def align_corners(workload: Any) -> Any:
    size = (workload.height, workload.width)

    def each(picture: Any, _: Any) -> Any:
        pictures = picture[tf.newaxis]
        return tf.compat.v1.image.resize_bilinear(pictures, size, align_corners=True)[0] / 255

    return dataset(workload, each)


def by_pillow(workload: Any, resampling: Image.Resampling) -> Iterator[Any]:
    order = np.random.permutation(len(workload.files))
    for start in range(0, len(order), workload.batch_size):
        places = order[start : start + workload.batch_size]
        x = []
        for at in places:
            with Image.open(workload.files[at]) as image:
                small = image.convert("RGB").resize((workload.width, workload.height), resampling)
            x.append(np.asarray(small, np.float32) / 255)
        yield np.stack(x), np.asarray(workload.labels)[places]


def pillow_default(workload: Any) -> Iterator[Any]:
    return by_pillow(workload, Image.Resampling.BICUBIC)  # the default of Image.resize


def pillow_lanczos(workload: Any) -> Iterator[Any]:
    return by_pillow(workload, Image.Resampling.LANCZOS)


def bgr(workload: Any) -> Any:
    return dataset(workload).map(lambda x, y: (x[..., ::-1], y))


def grey(workload: Any) -> Any:
    grey_images = dataset(workload).map(lambda x, y: (tf.image.rgb_to_grayscale(x), y))
    return grey_images.map(lambda x, y: (tf.repeat(x, 3, axis=-1), y))


def decoded_at_half_size(workload: Any) -> Any:
    def read(file: Any, label: Any) -> Any:
        picture = tf.io.decode_jpeg(
            tf.io.read_file(file), channels=3, ratio=2, dct_method="INTEGER_ACCURATE"
        )
        return right(picture, workload), label

    return samples(workload).map(read).batch(workload.batch_size)


# Other parts of the pictures


def mirrored(workload: Any) -> Any:
    return dataset(workload).map(lambda x, y: (tf.reverse(x, [2]), y))


def upside_down(workload: Any) -> Any:
    return dataset(workload).map(lambda x, y: (tf.reverse(x, [1]), y))


def augmented(workload: Any) -> Any:
    flipped = keras.layers.RandomFlip("horizontal")
    return dataset(workload).map(lambda x, y: (flipped(x, training=True), y))


def central_crop(workload: Any) -> Any:
    return dataset(workload, lambda it, _: right(tf.image.central_crop(it, 0.875), workload))


def keras_crop(workload: Any) -> Any:
    return keras_directory(workload, crop_to_aspect_ratio=True)


def keras_pad(workload: Any) -> Any:
    return keras_directory(workload, pad_to_aspect_ratio=True)


def keras_directory(workload: Any, **options: Any) -> Any:
    made = keras.utils.image_dataset_from_directory(
        workload.folder,
        image_size=(workload.height, workload.width),
        batch_size=workload.batch_size,
        verbose=False,
        **options,
    )
    return made.map(lambda x, y: (x / 255, y))


def resize_and_centre_crop(workload: Any) -> Any:
    """What torchvision's Resize(256) and CenterCrop(224) make."""

    def each(picture: Any, _: Any) -> Any:
        sides = tf.cast(tf.shape(picture)[:2], tf.float32)
        scale = round(workload.height / 0.875) / tf.reduce_min(sides)
        size = tf.cast(tf.round(sides * scale), tf.int32)
        small = tf.image.resize(picture, size, antialias=True) / 255
        return tf.image.resize_with_crop_or_pad(small, workload.height, workload.width)

    return dataset(workload, each)


def crop_without_resizing(workload: Any) -> Any:
    height, width = workload.height, workload.width
    return dataset(
        workload, lambda it, _: tf.image.resize_with_crop_or_pad(it, height, width) / 255
    )


def padded(workload: Any) -> Any:
    height, width = workload.height, workload.width
    return dataset(workload, lambda it, _: tf.image.resize_with_pad(it, height, width) / 255)


# Other values


def divided_twice(workload: Any) -> Any:
    return dataset(workload).map(lambda x, y: (x / 255, y))


def negatives(workload: Any) -> Any:
    return dataset(workload).map(lambda x, y: (1 - x, y))


def black(workload: Any) -> Any:
    return dataset(workload).map(lambda x, y: (tf.zeros_like(x), y))


def not_divided(workload: Any) -> Any:
    return dataset(workload).map(lambda x, y: (x * 255, y))


def minus_one_to_one(workload: Any) -> Any:
    return dataset(workload).map(lambda x, y: (x * 2 - 1, y))


def normalized(workload: Any) -> Any:
    """What torchvision's Normalize makes."""
    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    return dataset(workload).map(lambda x, y: ((x - mean) / std, y))


def preprocessed_for_resnet(workload: Any) -> Any:
    preprocess = keras.applications.resnet50.preprocess_input
    return dataset(workload).map(lambda x, y: (preprocess(x * 255), y))


def not_clipped(workload: Any) -> Any:
    return resized(workload, method="bicubic")


def not_a_number(workload: Any) -> Any:
    return dataset(workload).map(lambda x, y: (x / tf.zeros_like(x), y))


# Another form


def uint8(workload: Any) -> Any:
    return dataset(workload).map(lambda x, y: (tf.cast(x * 255, tf.uint8), y))


def float16(workload: Any) -> Any:
    return dataset(workload).map(lambda x, y: (tf.cast(x, tf.float16), y))


def channels_first(workload: Any) -> Any:
    return dataset(workload).map(lambda x, y: (tf.transpose(x, [0, 3, 1, 2]), y))


def float64(workload: Any) -> Any:
    return dataset(workload).map(lambda x, y: (tf.cast(x, tf.float64), y))


def not_batched(workload: Any) -> Any:
    return dataset(workload).unbatch()


def whole_arrays(workload: Any) -> Any:
    return next(iter(dataset(workload).unbatch().batch(len(workload.files))))


def batches_too_large(workload: Any) -> Any:
    return dataset(workload).unbatch().batch(2 * workload.batch_size)


def another_size(workload: Any) -> Any:
    return dataset(workload, lambda it, _: tf.image.resize(it, (64, 64)) / 255)


def one_hot(workload: Any) -> Any:
    classes = len(workload.class_names)
    return dataset(workload).map(lambda x, y: (x, tf.one_hot(y, classes)))


def names_as_labels(workload: Any) -> Any:
    names = tf.constant(workload.class_names)
    return dataset(workload).map(lambda x, y: (x, tf.gather(names, y)))


def labels_from_one(workload: Any) -> Any:
    return dataset(workload).map(lambda x, y: (x, y + 1))


def images_alone(workload: Any) -> Any:
    return dataset(workload).map(lambda x, _: x)


# Other images


def labels_mixed(workload: Any) -> Any:
    """Images and labels are shuffled, each by itself."""
    pairs = dataset(workload).unbatch()
    labels = pairs.map(lambda _, y: y).shuffle(len(workload.files))
    mixed = tf.data.Dataset.zip((pairs.map(lambda x, _: x), labels))
    return mixed.batch(workload.batch_size)


def last_batch_dropped(workload: Any) -> Any:
    return dataset(workload).unbatch().batch(workload.batch_size, drop_remainder=True)


def training_part(workload: Any) -> Any:
    return keras_directory(workload, validation_split=0.2, subset="training", seed=1)


def both_parts(workload: Any) -> Any:
    return keras.utils.image_dataset_from_directory(
        workload.folder, validation_split=0.2, subset="both", seed=1, verbose=False
    )


def endless(workload: Any) -> Any:
    return dataset(workload).repeat()


def with_replacement(workload: Any) -> Iterator[Any]:
    """A random image each time, so that some come twice and others never."""
    chosen = np.random.default_rng(0).integers(len(workload.files), size=len(workload.files))
    chosen_files = [workload.files[at] for at in chosen]
    chosen_labels = [workload.labels[at] for at in chosen]
    listed = tf.data.Dataset.from_tensor_slices((chosen_files, chosen_labels))
    made = listed.map(lambda file, label: (right(decoded(file), workload), label))
    return iter(made.batch(workload.batch_size))


# Another order


def not_shuffled(workload: Any) -> Any:
    files, labels = list(workload.files), list(workload.labels)
    listed = tf.data.Dataset.from_tensor_slices((files, labels))
    made = listed.map(lambda file, label: (right(decoded(file), workload), label))
    return made.batch(workload.batch_size)


def small_buffer(workload: Any) -> Any:
    return not_shuffled(workload).unbatch().shuffle(5).batch(workload.batch_size)


def shuffled_once(workload: Any) -> Any:
    once = not_shuffled(workload).unbatch()
    return once.shuffle(100, seed=1, reshuffle_each_iteration=False).batch(workload.batch_size)


def shuffled_in_batches(workload: Any) -> Any:
    # Of this seed, the four batches of 40 images come in other places each epoch.
    return not_shuffled(workload).shuffle(100, seed=5)
