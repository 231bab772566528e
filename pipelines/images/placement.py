"""Where an image's pixels go when it is fitted to a size: whole numbers, from `Fit` and sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

    from feedbench.pipelines.contract import Workload
    from feedbench.pipelines.forms import Fit


@dataclass(frozen=True)
class Placement:
    """A part of an image is resized, and put on black at a place; what is outside is cut off."""

    box: tuple[int, int, int, int]  # left, top, right, bottom of the part, in pixels of the image
    height: int  # that the part is resized to
    width: int
    top: int = 0  # of the resized part in the delivered image; negative: rows are cut off
    left: int = 0


def placement(fit: Fit, image: tuple[int, int], delivered: tuple[int, int]) -> Placement:
    """Return where the pixels of an image go; both sizes are (height, width)."""
    if fit.rule == "pad":
        return _padded(image, delivered)
    if fit.rule == "crop" and fit.share is not None:
        return _resized_and_cropped(fit.share, image, delivered)
    if fit.rule == "crop":
        return _cropped(image, delivered)
    return Placement((0, 0, image[1], image[0]), *delivered)


DECODE_RATIOS = (2, 4, 8)
"""The parts of its size, other than the whole, at which a JPEG can be decoded: 1/2, 1/4, 1/8."""


@dataclass(frozen=True)
class Least:
    """The size that an image must have, so that fitting it does not enlarge it."""

    height: int
    width: int
    is_either: bool = False  # one of the two sides is enough: the other one is padded

    @property
    def longest(self) -> int:
        """The longest side of an image that has just this size."""
        return max(self.height, self.width)

    def is_in(self, height: int, width: int) -> bool:
        """Whether an image of this size is large enough."""
        is_high, is_wide = height >= self.height, width >= self.width
        return (is_high or is_wide) if self.is_either else (is_high and is_wide)


def least_of(fit: Fit, delivered: tuple[int, int]) -> Least:
    """Return the size from which images are not enlarged, by the (height, width) delivered."""
    height, width = delivered if fit.share is None else _covered(fit.share, delivered)
    return Least(height, width, is_either=fit.rule == "pad")


def decode_ratio(fit: Fit, image: tuple[int, int], delivered: tuple[int, int]) -> int:
    """Return the largest of 1, 2, 4 and 8 by which a JPEG may be reduced as it is decoded.

    It stays large enough, and none of its pixels goes to another place: libjpeg rounds reduced
    sides up, and where an image is padded or cut depends on its sides. Sizes are (height, width).
    """
    least, place = least_of(fit, delivered), _place(fit, image, delivered)

    def is_right(ratio: int) -> bool:
        reduced = -(-image[0] // ratio), -(-image[1] // ratio)
        return least.is_in(*reduced) and _place(fit, reduced, delivered) == place

    return max(filter(is_right, DECODE_RATIOS), default=1)


def _place(fit: Fit, image: tuple[int, int], delivered: tuple[int, int]) -> tuple[int, ...]:
    """Return the size of an image when it is resized, and where it is put."""
    place = placement(fit, image, delivered)
    return place.height, place.width, place.top, place.left


def covered_size(workload: Workload) -> tuple[int, int] | None:
    """Return the (height, width) that images cover before their centre is cut out; else None."""
    share = workload.fit.share
    return None if share is None else _covered(share, (workload.height, workload.width))


def fitted(image: Image.Image, workload: Workload, filter_: str) -> Image.Image:
    """Return a picture of three channels fitted to the workload by one of Pillow's filters."""
    from PIL import Image

    delivered = (workload.height, workload.width)
    place = placement(workload.fit, (image.height, image.width), delivered)
    resampling = Image.Resampling[filter_.upper()]
    resized = image.resize((place.width, place.height), resampling, box=place.box)
    if resized.size == (workload.width, workload.height):
        return resized
    canvas = Image.new("RGB", (workload.width, workload.height))
    canvas.paste(resized, (place.left, place.top))
    return canvas


def _cropped(image: tuple[int, int], delivered: tuple[int, int]) -> Placement:
    """Cut, then resize: `load_img(keep_aspect_ratio=True)` in keras/src/utils/image_utils.py."""
    (height, width), (to_height, to_width) = image, delivered
    kept_height = max(min(height, width * to_height // to_width), 1)
    kept_width = max(min(width, height * to_width // to_height), 1)
    top, left = (height - kept_height) // 2, (width - kept_width) // 2
    return Placement((left, top, left + kept_width, top + kept_height), *delivered)


def _resized_and_cropped(
    share: float, image: tuple[int, int], delivered: tuple[int, int]
) -> Placement:
    """Resize, then cut: `resize` and `center_crop` in torchvision/transforms/functional.py."""
    (height, width), (to_height, to_width) = image, delivered
    least_height, least_width = _covered(share, delivered)
    if width * least_height <= height * least_width:
        resized_height, resized_width = height * least_width // width, least_width
    else:
        resized_height, resized_width = least_height, width * least_height // height
    return Placement(
        (0, 0, width, height),
        resized_height,
        resized_width,
        # Halves to the even number, as there.
        -round((resized_height - to_height) / 2),
        -round((resized_width - to_width) / 2),
    )


def _covered(share: float, delivered: tuple[int, int]) -> tuple[int, int]:
    return round(delivered[0] / share), round(delivered[1] / share)


def _padded(image: tuple[int, int], delivered: tuple[int, int]) -> Placement:
    """Resize, then pad: `_resize_image_with_pad_common` in tensorflow/python/ops/image_ops_impl.py.

    In float32, as there.
    """
    size, wanted = np.asarray(image, np.float32), np.asarray(delivered, np.float32)
    exact = size / (size / wanted).max()
    height, width = np.floor(exact).astype(int).tolist()
    top, left = np.floor((wanted - exact) / np.float32(2)).astype(int).clip(0).tolist()
    return Placement((0, 0, image[1], image[0]), height, width, top, left)
