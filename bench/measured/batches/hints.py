"""Hints for a loader that delivers another form: the option or the change that probably fits.

Each function returns an error's hint, or "" if nothing is probable. Pure.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from feedbench.pipelines.contract import Channels, Dtype
from feedbench.pipelines.forms import RANGES, DataFormat
from feedbench.pipelines.images.index import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feedbench.pipelines.contract import Workload

UNSORTED = (
    "the classes are not in sorted order, so a loader that walks the folder needs"
    " class_names=workload.class_names"
)
"""The hint for wrong labels, where a folder that is walked gives another order of classes."""

_IMAGES_NDIM, _LABELS_NDIM = 4, 2

_RANGES = ("0..1", "-1..1", "imagenet", "0..255", "caffe")  # the smallest first
_OVERSHOOT = 0.25  # of a range, that a filter exceeds it by; more is another range
_SLACK = 0.001  # of a range, for rounding
# Of a split's part, the usual ones first.
_SHARES = (0.8, 0.9, 0.7, 0.75, 0.6, 0.5, 0.2, 0.1, 0.3, 0.25, 0.4)


def image_hint(images: np.ndarray[Any, Any], workload: Workload) -> str:
    """Return what to do about images of another shape or dtype."""
    wanted = workload.shape
    if images.shape == wanted:
        return "these look like a single image; put images into batches"
    if images.ndim != _IMAGES_NDIM:
        return ""
    if images.shape[1:] != wanted:
        return _layout_hint(images.shape[1:], workload) or _shape_hint(images.shape[1:], workload)
    dtype = str(images.dtype)
    if dtype in get_args(Dtype):
        return f"convert them to {workload.dtype}, or use --dtype {dtype}"
    return f"convert them to {workload.dtype}" if dtype == "float64" else ""


def _layout_hint(shape: tuple[int, ...], workload: Workload) -> str:
    """Return the option for images whose channels are at the other end."""
    for other in get_args(DataFormat):
        if shape == replace(workload, data_format=other).shape:
            return f"use --layout {other} for these"
    return ""


def _shape_hint(shape: tuple[int, ...], workload: Workload) -> str:
    """Return what to do about images of another shape in the workload's layout."""
    is_first = workload.data_format == "channels_first"
    height, width, channels = (*shape[1:], shape[0]) if is_first else shape
    size = f"{height}" if height == width else f"{height}x{width}"
    if (height, width) == (workload.height, workload.width):
        return (
            f"use --channels {channels} to compare such images"
            if channels in get_args(Channels)
            else ""
        )
    if channels != workload.channels:
        return ""
    if (height, width) == (workload.width, workload.height):
        return "height and width seem to be exchanged"
    return f"resize them to workload.height and workload.width, or use --image-size {size}"


def label_hint(labels: np.ndarray[Any, Any], count: int, workload: Workload) -> str:
    """Return the option that suits labels in the form of another mode."""
    mode, classes = workload.label_mode, len(workload.class_names)
    is_flat = labels.shape in {(count,), (count, 1)}
    if mode != "categorical" and labels.shape == (count, classes) and labels.ndim == _LABELS_NDIM:
        if classes > 1:
            return "these look one-hot; use --label-mode categorical"
    elif mode == "categorical" and is_flat and labels.dtype.kind in "iu":
        return "these look like indices into class_names; use --label-mode int"
    return ""


def size_hint(count: int, workload: Workload) -> str:
    """Return what to do about a batch of too many images."""
    if count <= workload.batch_size:
        return ""
    return f"use workload.batch_size, or --batch-size {count}"


def range_hint(least: float, most: float, workload: Workload) -> str:
    """Return what to do about values of another range: what probably made them."""
    low, high = workload.value_range
    over = (high - low) * _OVERSHOOT
    is_filled = most - least > (high - low) / 2
    if is_filled and low - over <= least and most <= high + over:
        return "clip them: bicubic and Lanczos filters exceed the range"
    for name in _RANGES:
        low, high = RANGES[name].bounds
        slack = (high - low) * _SLACK
        if low - slack <= least and most <= high + slack:
            return f"use --range {name} for these values"
    return ""


def part_hint(images: int, counts: Sequence[int], workload: Workload) -> str:
    """Return why an epoch is probably too short: a dropped batch, a split or a missing class.

    `counts` holds how many images of each class arrived.
    """
    missing = workload.images - images
    if 0 < missing < workload.batch_size and images % workload.batch_size == 0:
        return "the last short batch seems to be dropped"
    absent = [
        shown(name) for name, count in zip(workload.class_names, counts, strict=True) if not count
    ]
    share = next((share for share in _SHARES if _is_part(images, share, workload.images)), None)
    if images and share is not None:
        none = f", with no image of the class {absent[0]!r}" if absent else ""
        return (
            f"these {share:.0%} seem to be one part of a split{none}; leave out validation_split,"
            " take() or skip()"
        )
    if images and absent:
        return f"no image of the class {absent[0]!r} arrived"
    return ""


def _is_part(images: int, share: float, whole: int) -> bool:
    """Return whether a split gives this part so many images, whichever part it rounds."""
    return images in {int(share * whole), whole - int((1 - share) * whole)}
