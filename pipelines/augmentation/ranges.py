"""The ranges of an augmentation."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """What is drawn anew for every image in every epoch, each evenly from its range.

    The names and meanings are those of Keras' ImageDataGenerator. 0 or False: not done.
    """

    flip: bool = False  # left to right, every other image on average (horizontal_flip)
    vertical_flip: bool = False  # upside down, as often
    rotate: float = 0.0  # degrees: -rotate to rotate (rotation_range)
    width_shift: float = 0.0  # of the width: -width_shift to width_shift
    height_shift: float = 0.0  # of the height
    zoom: float = 0.0  # scale of each side: 1 - zoom to 1 + zoom (zoom_range)
    brightness: float = 0.0  # factor of all values: 1 - brightness to 1 + brightness
