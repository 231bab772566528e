"""Whether two epochs show the same transforms, as where a cache keeps augmented images. Pure."""

from __future__ import annotations

import math

import numpy as np

from feedbench.bench.equal_work.augmented.epoch import AugmentedEpoch
from feedbench.bench.equal_work.identity.fingerprints import UNKNOWN
from feedbench.pipelines.augmentation.ranges import Augmentation

LEAST_PAIRS = 12  # images that both epochs show
_SAME = 0.75  # grey levels between two thumbnails, the mean: a pipeline may round
_DEVIATIONS, _SLACK = 4.0, 0.1
_EACH_FLIP = 0.5


def frozen_share(one: AugmentedEpoch, other: AugmentedEpoch) -> float | None:
    """Return of which share of images two epochs show the same; None for too few images."""
    places = one.certain[one.certain != UNKNOWN]
    _, ours, theirs = np.intersect1d(
        np.where(one.certain == UNKNOWN, -2, one.certain), other.certain, return_indices=True
    )
    if len(places) < LEAST_PAIRS or len(ours) < LEAST_PAIRS:
        return None
    apart = np.abs(one.thumbnails[ours] - other.thumbnails[theirs]).mean(axis=(1, 2))
    return float((apart < _SAME).mean())


def is_frozen(share: float, images: int, asked: Augmentation) -> bool:
    """Whether more images are the same in two epochs than chance explains."""
    by_chance = by_chance_of(asked)
    deviation = math.sqrt(by_chance * (1 - by_chance) / images)
    return share > by_chance + _DEVIATIONS * deviation + _SLACK


def by_chance_of(asked: Augmentation) -> float:
    """Return the share of images that have the same transform in two epochs by chance."""
    drawn = (asked.rotate, asked.width_shift, asked.height_shift, asked.zoom, asked.brightness)
    return 0.0 if any(drawn) else _EACH_FLIP ** (asked.flip + asked.vertical_flip)
