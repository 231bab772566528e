"""The images that a workload asks for, computed in two ways by Pillow and NumPy alone.

The first reference resizes by TensorFlow's sampling rule, the second by Pillow's antialiased
filter, as Keras' ImageDataGenerator does. Both are in grey levels, 0 to 255.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from feedbench.pipelines.contract import LUMA
from feedbench.pipelines.images.image_check import unrestrained
from feedbench.pipelines.images.placement import Placement, placement
from feedbench.pipelines.remote.reading import read

if TYPE_CHECKING:
    from PIL import Image

    from feedbench.pipelines.contract import Workload

Levels = npt.NDArray[np.float32]
"""`[height, width, channels]` in grey levels: 0 for black, 255 for white."""

Positions = Callable[[int, int], Levels]
"""`(size, count)` of an axis -> the positions of its `count` samples among `size` pixels."""

Resize = Callable[[npt.NDArray[Any], int, int], npt.NDArray[np.float32]]
"""`[height, width, 3]`, an axis and a size -> the image with that axis of that size."""

MOST = 255.0


def decoded(file: str) -> Image.Image:
    """Return a file's first picture in three channels, as Pillow decodes it.

    Raises what Pillow raises for a file that is not an image.
    """
    from PIL import Image

    with unrestrained(), Image.open(BytesIO(read(file))) as image:
        return image.convert("RGB")


def sampled(image: Image.Image, workload: Workload) -> Levels:
    """Return the first reference: `tf.image.resize` with its default method, without TensorFlow."""
    pixels = np.asarray(image)
    return in_form(interpolated(pixels, workload, half_pixel_centres), workload)


def filtered(image: Image.Image, workload: Workload) -> Levels:
    """Return the second reference: Pillow's bilinear filter, as wide as the image is reduced.

    Its triangle is stretched by the scale, so that every pixel counts: antialiasing. It rounds.
    """
    return in_form(resampled(image, workload, "BILINEAR"), workload)


def resampled(image: Image.Image, workload: Workload, filter_: str) -> npt.NDArray[np.float32]:
    """Return `[height, width, 3]`: an image fitted by one of Pillow's filters, which rounds."""
    from PIL import Image

    place = _placement((image.height, image.width), workload)
    size = (place.width, place.height)
    resized = image.resize(size, Image.Resampling[filter_], box=place.box)
    return _placed(np.asarray(resized, np.float32), place, workload)


Reference = Callable[["Image.Image", "Workload"], Levels]
BOTH: tuple[Reference, Reference] = (sampled, filtered)


def half_pixel_centres(size: int, count: int) -> Levels:
    """Return where TensorFlow samples an axis: `(i + 0.5) * size / count - 0.5`.

    In float32, as it does: HalfPixelScaler in tensorflow/core/util/image_resizer_state.h.
    """
    scale = np.float32(size / np.float32(count))
    return (np.arange(count, dtype=np.float32) + np.float32(0.5)) * scale - np.float32(0.5)


def interpolated(
    pixels: npt.NDArray[Any], workload: Workload, positions: Positions
) -> npt.NDArray[np.float32]:
    """Return `[height, width, 3]`: an image fitted by values at positions between its pixels.

    Along each axis, a value is the mean of its two neighbours, weighted by its distance to them.
    Positions beyond the edge use the edge's pixels. As compute_interpolation_weights and
    compute_lerp do in tensorflow/core/kernels/image/resize_bilinear_op.cc.
    """

    def resize(colours: npt.NDArray[Any], axis: int, count: int) -> npt.NDArray[np.float32]:
        size = colours.shape[axis]
        at = positions(size, count)
        before = np.floor(at)
        share = (at - before).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
        low = colours.take(before.astype(np.intp).clip(0, size - 1), axis).astype(np.float32)
        high = colours.take(np.ceil(at).astype(np.intp).clip(0, size - 1), axis)
        resized: npt.NDArray[np.float32] = low + (high - low) * share
        return resized

    return fitted(pixels, workload, resize)


def fitted(pixels: npt.NDArray[Any], workload: Workload, resize: Resize) -> npt.NDArray[np.float32]:
    """Return `[height, width, 3]`: an image fitted as the workload asks, each axis by a rule."""
    place = _placement((pixels.shape[0], pixels.shape[1]), workload)
    left, top, right, bottom = place.box
    rows = resize(pixels[top:bottom, left:right], 0, place.height)
    return _placed(resize(rows, 1, place.width), place, workload)


def _placement(size: tuple[int, int], workload: Workload) -> Placement:
    return placement(workload.fit, size, (workload.height, workload.width))


def _placed(
    resized: npt.NDArray[np.float32], place: Placement, workload: Workload
) -> npt.NDArray[np.float32]:
    """Return `[height, width, 3]`: a resized image on black, with what is outside cut off."""
    size = (workload.height, workload.width)
    if resized.shape[:2] == size:
        return resized
    delivered = np.zeros((*size, resized.shape[2]), np.float32)
    to, of = zip(
        *(
            (slice(max(at, 0), at + length), slice(max(-at, 0), side - at))
            for at, length, side in zip((place.top, place.left), resized.shape, size, strict=False)
        ),
        strict=True,
    )
    delivered[to] = resized[of]
    return delivered


def in_form(colours: npt.NDArray[Any], workload: Workload) -> Levels:
    """Bring `[..., 3]` in grey levels into the workload's channels, and round for uint8."""
    levels: Levels = colours.astype(np.float32)
    if workload.channels == 1:
        levels = (levels @ np.asarray(LUMA, np.float32))[..., np.newaxis]
    if workload.dtype == "uint8":
        levels = np.rint(levels).clip(0, MOST)
    elif workload.dtype != "float32":
        levels = _rounded(levels, workload).clip(0, MOST)
    return levels


def _rounded(levels: Levels, workload: Workload) -> Levels:
    """Return grey levels as a half-precision dtype leaves them, in the workload's range."""
    import ml_dtypes  # noqa: F401 - NumPy knows bfloat16 then

    mean, std = (np.asarray(each, np.float32) for each in _mean_and_std(workload))
    values = levels[..., ::-1] if workload.values.is_bgr else levels
    values = ((values - mean) / std).astype(workload.dtype).astype(np.float32)
    rounded: Levels = values * std + mean
    return rounded[..., ::-1] if workload.values.is_bgr else rounded


def _mean_and_std(workload: Workload) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the mean and std of each delivered channel; grey has those of the first one."""
    values = workload.values
    return values.mean[: workload.channels], values.std[: workload.channels]


def in_levels(images: npt.NDArray[Any], workload: Workload) -> Levels:
    """Return delivered images in grey levels, red first: `[..., height, width, channels]`.

    Whatever the workload's range, layout and dtype are.
    """
    mean, std = (np.asarray(each, np.float32) for each in _mean_and_std(workload))
    levels: Levels = images.astype(np.float32)
    if workload.data_format == "channels_first":
        levels = np.moveaxis(levels, -3, -1)
    levels = levels * std + mean
    return levels[..., ::-1] if workload.values.is_bgr else levels
