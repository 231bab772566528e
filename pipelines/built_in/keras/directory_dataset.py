"""The datasets of Keras' image_dataset_from_directory. Imports Keras and TensorFlow.

Pipelines import this inside `open`.
"""

from __future__ import annotations

import functools
import inspect
import shutil
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from feedbench.pipelines.augmentation.layers import augmenter
from feedbench.pipelines.contract import LUMA, KnobOverruledWarning
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.system.memory import available_bytes, fit_cache

if TYPE_CHECKING:
    from collections.abc import Callable

    from feedbench.pipelines.contract import Workload

_KERAS_PIXEL_BYTES = 3 * 4  # three float32 values


def by_grain(workload: Workload, interpolation: str) -> Any:
    """Return Keras' `grain.IterDataset` of batches in the workload's form.

    Raises RequestError if grain is missing, this Keras has no such form, it pads otherwise, or
    it does not list the workload's images.
    """
    name = "image_dataset_from_directory_grain"
    use = "use image_dataset_from_directory"
    if "format" not in inspect.signature(keras.utils.image_dataset_from_directory).parameters:
        raise RequestError(
            f"{name} needs a Keras with format='grain'; found Keras {keras.__version__}",
            hint=f"install keras 3.12 or newer, or {use}",
        )
    if find_spec("grain") is None:
        raise RequestError(
            f"{name} needs the package grain, which is not installed",
            hint=f"pip install grain, or {use}",
        )
    if workload.fit.rule == "pad":
        raise RequestError(
            f"{name} pads images before it resizes them; --fit pad resizes them first", hint=use
        )
    dataset = listed(workload, interpolation, format="grain")
    in_form = rescaling(workload)
    if in_form is None:
        return dataset
    return dataset.map(lambda batch: (in_form(batch[0]), batch[1]))


def listed(workload: Workload, interpolation: str, **options: Any) -> Any:
    """Return what Keras makes of the folder: images `[B, H, W, 3]` float32 in 0 to 255.

    Raises RequestError if these are not the workload's images, or Keras cannot fit them so.
    """
    if workload.fit.share is not None:
        raise RequestError(
            f"Keras cannot fit images by --fit {workload.fit} when it lists a folder",
            hint="use --fit stretch, crop or pad, or another pipeline",
        )
    if workload.fit.rule != "stretch":
        options[f"{workload.fit.rule}_to_aspect_ratio"] = True
    names = list(workload.class_names)
    folders = {entry.name for entry in Path(workload.folder).iterdir()}
    dataset = keras.utils.image_dataset_from_directory(
        workload.folder,
        label_mode=workload.label_mode,
        # A class that no folder can be named after is in a numbered one, in the same order.
        class_names=names if folders.issuperset(names) else None,
        batch_size=workload.batch_size,
        image_size=(workload.height, workload.width),
        seed=workload.seed,
        interpolation=interpolation,
        data_format="channels_last",  # whatever a keras.json says
        verbose=False,
        **options,
    )
    if len(dataset.file_paths) != workload.images:
        raise RequestError(
            f"Keras lists {len(dataset.file_paths):,} images in {workload.folder}; expected"
            f" {workload.images:,}: it takes .bmp, .gif, .jpeg, .jpg and .png only"
        )
    return dataset


def rescaling(workload: Workload) -> Callable[[tf.Tensor], tf.Tensor] | None:
    """Return what brings images from 0 to 255 into the workload's form; None for nothing.

    It augments them if the workload is augmented.

    Grey is made of colours: Keras' color_mode="grayscale" fails with BMP, GIF and WebP, and
    weights the colours of a PNG otherwise.
    """
    steps: list[Callable[[tf.Tensor], tf.Tensor]] = []
    if workload.channels == 1:
        luma = tf.constant(LUMA)[:, tf.newaxis]
        steps.append(lambda images: tf.tensordot(images, luma, 1))
    if workload.augmentation is not None:
        steps.append(augmenter(workload.augmentation, workload.seed))
    scaled = _scaled(workload)
    if scaled is not None:
        steps.append(scaled)
    if workload.dtype in {"float16", "bfloat16"}:
        steps.append(lambda images: tf.cast(images, workload.dtype))
    if workload.data_format == "channels_first":
        steps.append(lambda images: tf.transpose(images, [0, 3, 1, 2]))
    if not steps:
        return None

    def in_form(images: tf.Tensor) -> tf.Tensor:
        for step in steps:
            images = step(images)
        return images

    return in_form


def _scaled(workload: Workload) -> Callable[[tf.Tensor], tf.Tensor] | None:
    """Return what brings 0 to 255 into the workload's range; None for nothing."""
    low, high = workload.value_range
    if workload.dtype == "uint8":
        return lambda images: tf.saturate_cast(tf.round(images), tf.uint8)
    if workload.normalization != "none":
        return functools.partial(
            keras.applications.imagenet_utils.preprocess_input,
            data_format="channels_last",
            mode="caffe" if workload.normalization == "caffe" else "torch",
        )
    if (low, high) == (0, 255):
        return None
    scale: Callable[[tf.Tensor], tf.Tensor] = keras.layers.Rescaling(
        (high - low) / 255, offset=low, dtype="float32"
    )
    return scale


def fitted(
    workload: Workload, cache: str, shuffle_batches: int | str, scratch: Path
) -> tuple[str, int]:
    """Return the cache and the batches in the buffer that fit here; warn of what was overruled."""
    asked = shuffle_batches if isinstance(shuffle_batches, int) else 0
    image_bytes = workload.image_bytes
    if workload.augmentation is not None:  # Keras' own images are cached then
        image_bytes = workload.height * workload.width * _KERAS_PIXEL_BYTES
    fit = fit_cache(
        cache=cache,
        shuffle=asked * workload.batch_size,
        images=workload.images,
        folder_images=workload.folder_images,
        image_bytes=image_bytes,
        encoded_bytes=image_bytes,  # without a cache, too, the buffer is of decoded images
        memory_bytes=available_bytes(),
        disk_bytes=shutil.disk_usage(scratch).free,
    )
    buffer = asked
    for knob, wanted, used, reason in fit.overruled:
        if knob == "shuffle":
            buffer = max(fit.buffer // workload.batch_size, 1)
            why = "more batches than that do not fit in memory"
            warning = KnobOverruledWarning("shuffle_batches", asked, buffer, why)
        else:
            warning = KnobOverruledWarning(knob, wanted, used, reason)
        warnings.warn(warning, stacklevel=2)
    return fit.cache, buffer


def or_autotune(knob: int | str) -> int | None:
    """Return a knob as tf.data takes it: a number, AUTOTUNE, or None."""
    if isinstance(knob, int):
        return knob
    return tf.data.AUTOTUNE if knob == "autotune" else None
