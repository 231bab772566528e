"""What is drawn at random for an image, and what OpenCV does with it. Imports OpenCV.

The transform is that of Keras' ImageDataGenerator: `q = R (Z F p + t)` says which position `q` of
the image is shown at `p`. Both are distances from the centre. `F` mirrors, `Z` scales, `t` shifts
and `R` rotates. All of it is one step, so values are interpolated once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from feedbench.pipelines.augmentation.ranges import Augmentation

Array = np.ndarray[Any, Any]

_UNITS = 8  # numbers drawn for each image
_STREAM = (0, 1)  # after the seed: other numbers than those of the epochs' orders


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """What was drawn for one image."""

    mirror_x: int  # -1 or 1
    mirror_y: int
    angle: float  # radians
    shift_x: float  # of the width
    shift_y: float  # of the height
    zoom_x: float  # more than 1: a smaller picture
    zoom_y: float
    brightness: float  # a factor of all values

    def moved(self, levels: Array) -> Array:
        """Return an image `[H, W, 3]` uint8 mirrored, rotated, shifted and scaled: a new array.

        The pixels outside are those of the nearest edge.
        """
        shifts_and_zooms = (self.shift_x, self.shift_y, self.zoom_x - 1, self.zoom_y - 1)
        if not (self.angle or any(shifts_and_zooms)):
            return self._mirrored(levels)
        height, width = levels.shape[:2]
        moved: Array = cv2.warpAffine(
            levels,
            self._matrix(height, width),
            (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return moved

    def brightened(self) -> Array:
        """Return the value of each of the 256 grey levels, `[256]` float32 from 0 to 255."""
        levels = np.arange(256, dtype=np.float32) * np.float32(self.brightness)
        within: Array = np.minimum(levels, np.float32(255))
        return within

    def _mirrored(self, levels: Array) -> Array:
        return np.ascontiguousarray(levels[:: self.mirror_y, :: self.mirror_x])

    def _matrix(self, height: int, width: int) -> Array:
        """Return the matrix `[2, 3]` from a position (x, y) to the one whose pixel it shows."""
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        scale_x, scale_y = self.zoom_x * self.mirror_x, self.zoom_y * self.mirror_y
        shift_x, shift_y = self.shift_x * width, self.shift_y * height
        centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
        matrix = [[cos * scale_x, sin * scale_y], [-sin * scale_x, cos * scale_y]]
        offsets = (
            cos * shift_x + sin * shift_y + centre_x,
            -sin * shift_x + cos * shift_y + centre_y,
        )
        rows = [
            [of_x, of_y, offset - of_x * centre_x - of_y * centre_y]
            for (of_x, of_y), offset in zip(matrix, offsets, strict=True)
        ]
        return np.array(rows)


class Draws:
    """Draws for one image after another; the seed decides all of them."""

    def __init__(self, augmentation: Augmentation, seed: int) -> None:
        self._augmentation = augmentation
        self._rng = np.random.default_rng([seed, *_STREAM])

    def of(self, images: int) -> Iterator[Drawn]:
        """Yield what is drawn for so many images."""
        ranges = self._augmentation
        for row in self._rng.uniform(-1, 1, (images, _UNITS)).tolist():
            mirror_x, mirror_y, angle, shift_x, shift_y, zoom_x, zoom_y, brightness = row
            yield Drawn(
                mirror_x=-1 if ranges.flip and mirror_x < 0 else 1,
                mirror_y=-1 if ranges.vertical_flip and mirror_y < 0 else 1,
                angle=math.radians(ranges.rotate) * angle,
                shift_x=ranges.width_shift * shift_x,
                shift_y=ranges.height_shift * shift_y,
                zoom_x=1 + ranges.zoom * zoom_x,
                zoom_y=1 + ranges.zoom * zoom_y,
                brightness=1 + ranges.brightness * brightness,
            )
