"""The schema of what is proven of a pipeline that augments."""

from __future__ import annotations

import msgspec

from feedbench.pipelines.augmentation.ranges import Augmentation


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """The ends of an even distribution that has the estimates' 5th and 95th percentiles."""

    low: float
    high: float

    @property
    def width(self) -> float:
        """How far the ends are apart."""
        return self.high - self.low


class Transforms(msgspec.Struct, frozen=True, kw_only=True):
    """The transforms that were estimated from delivered images and their references."""

    images: int  # in which they were estimated, of all epochs together
    flipped: float  # left to right: the share of these
    upside_down: float
    rotation: Range  # degrees
    width_shift: Range  # of the width
    height_shift: Range  # of the height
    zoom: Range  # of each side, as a factor; more than 1: a smaller picture
    brightness: Range | None  # a factor; null: the images are too black and white to show it
    contrast: float  # grey levels, the median of the references' standard deviations
    distance: float  # grey levels, the median of the images, from the reference so transformed


class Augmented(msgspec.Struct, frozen=True, kw_only=True):
    """How augmented images were recognised, and how they differ from their references."""

    asked: Augmentation
    is_identity_proven: bool  # false: counts, labels and value ranges alone
    expected: float  # the share of images that are certain if Feedbench augments a few as asked
    expected_recognised: float = 1.0  # the share of these that are recognised
    tried: int  # images of the epoch that were compared with the files
    recognised: int  # of these
    certain: int  # of these: no other file is nearly as much alike
    margin: float | None = None  # times that the second file is less alike: the median
    frozen: float | None = None  # share of images with the same transform in two epochs; null: none
    transforms: Transforms | None = None  # null: too few images were recognised
