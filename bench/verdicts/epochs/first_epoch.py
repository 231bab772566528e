"""What the first epoch of the whole folder takes, where only a part was measured. Pure.

A first epoch takes some time to begin, however many images there are: it opens files, fills
buffers, traces functions. Only the rest grows with the images:

    first epoch of the folder = first epoch of the part + (images of the folder - part) * image
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from feedbench.bench.records.measurement import Measurement
from feedbench.bench.records.trial import TrialRecord

_LEAST_SHARE = 0.5  # of a first epoch that later ones take, unless something was cached
_LEAST_FACTOR = 2.0  # by which the images of pilot and trials differ, for two sizes
_MOST_FACTOR = 1.5  # from the least to the most that it may take: the middle is 22 % off at most


def folder_first_epoch(
    first: Sequence[Measurement],
    pilots: Sequence[Measurement],
    *,
    rate: float | None,
    folder_images: int,
) -> float | None:
    """Return the seconds of the folder's first epoch, from open's call; None: not known.

    `first` are the measurements whose first epochs count, at least one. `rate` is that of later
    epochs, in images/s; None if these, and the pilots, are no measure of a first one.
    """
    images = first[0].first_epoch_images
    seconds = fmean(map(_seconds, first))
    if not images or images >= folder_images:
        return seconds
    each = None
    if rate is not None:
        each = _by_later_epochs(first[-1].knobs, seconds, images, rate)
        each = each or _by_two_sizes(seconds, images, pilots)
    # What open takes does not grow with the images; all else may.
    most_each = fmean(measured.first_epoch_seconds for measured in first) / images
    others = folder_images - images
    if each is not None:
        return seconds + others * min(each, most_each)
    most = seconds + others * most_each
    return math.sqrt(seconds * most) if most <= _MOST_FACTOR * seconds else None


def is_cold(trial: TrialRecord) -> bool:
    """Return whether the first epoch of a trial was to read from the device."""
    return trial.page_cache is not None and trial.page_cache.asked == "cold"


def _by_later_epochs(
    knobs: Mapping[str, Any], seconds: float, images: int, rate: float
) -> float | None:
    """Return what an image takes in later epochs, if it takes as long in the first.

    It does if nothing is cached: by the knobs, or because later epochs take about as long.
    """
    is_uncached = bool(knobs) and knobs.get("cache", "none") == "none"
    return 1 / rate if is_uncached or images / rate >= _LEAST_SHARE * seconds else None


def _by_two_sizes(seconds: float, images: int, pilots: Sequence[Measurement]) -> float | None:
    """Return what an image takes, by a pilot over clearly more or fewer images.

    Not of a user's own loader, which has no knobs: its pilot may have read more than it delivered.
    """
    for pilot in pilots:
        few, many = sorted((pilot.first_epoch_images, images))
        if pilot.knobs and few and many >= _LEAST_FACTOR * few:
            each = (_seconds(pilot) - seconds) / (pilot.first_epoch_images - images)
            return each if each > 0 else None
    return None


def _seconds(measured: Measurement) -> float:
    """Return the first epoch's seconds from open's call."""
    return measured.open_seconds + measured.first_epoch_seconds
