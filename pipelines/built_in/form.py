"""Brings decoded and resized images into the workload's form, in NumPy: grey, uint8, labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from feedbench.pipelines.contract import LUMA

if TYPE_CHECKING:
    from feedbench.pipelines.contract import Batch, Dtype, Workload

Array = np.ndarray[Any, Any]


def in_range(levels: Array, workload: Workload) -> Array:
    """Bring images `[..., 3]` of 0 to 255 into the workload's range, as float32."""
    values = workload.values
    if workload.normalization != "none":
        levels = levels[..., ::-1] if values.is_bgr else levels
        normalized: Array = levels - np.asarray(values.mean, np.float32)
        return normalized / np.asarray(values.std, np.float32)
    low, high = workload.value_range
    if (low, high) == (0, 255):
        return levels
    levels = levels / np.float32(255 / (high - low))
    return levels + np.float32(low) if low else levels


def in_form(batch: Batch, workload: Workload, *, is_laid_out: bool = False) -> Batch:
    """Return a batch in the workload's channels, dtype and label mode.

    `batch` has images `[B, H, W, 3]` in the workload's range, as float32 or already in its dtype,
    and labels `[B]` int32. If `is_laid_out`, images are already in the workload's layout, and have
    three channels. Grey stays in the range, because the weights sum to 1. Arrays that need no
    change are returned unchanged.
    """
    images, labels = batch
    if workload.channels == 1:
        images = (images @ np.asarray(LUMA, np.float32))[..., np.newaxis]
    images = _of_dtype(images, workload)
    if workload.data_format == "channels_first" and not is_laid_out:
        images = np.ascontiguousarray(np.moveaxis(images, -1, 1))
    return images, labels_in_mode(labels, workload)


def labels_in_mode(labels: Array, workload: Workload) -> Array:
    """Return labels `[B]` int32 in the workload's label mode."""
    if workload.label_mode == "binary":
        return labels.astype(np.float32)[:, np.newaxis]
    if workload.label_mode == "categorical":
        return _one_hot(labels, len(workload.class_names))
    return labels


def dtype_of(name: Dtype) -> np.dtype[Any]:
    """Return NumPy's dtype of a name; NumPy knows bfloat16 only after this import."""
    if name == "bfloat16":
        import ml_dtypes  # noqa: F401

    return np.dtype(name)


def _of_dtype(images: Array, workload: Workload) -> Array:
    if str(images.dtype) == workload.dtype:
        return images
    if workload.dtype == "uint8":
        images = np.rint(images).clip(0, 255)  # rint: halves to the even one
    return images.astype(dtype_of(workload.dtype))


def _one_hot(labels: Array, classes: int) -> Array:
    rows = np.zeros((len(labels), classes), np.float32)
    rows[np.arange(len(labels)), labels] = 1
    return rows
