"""Values of pictures at positions between their pixels, of many pictures at once. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from feedbench.bench.equal_work.augmented.affine import Affine
from feedbench.bench.equal_work.augmented.thumbnails import points
from feedbench.bench.equal_work.identity.fingerprints import Floats, Places


@dataclass(frozen=True)
class Samples:
    """Values at `P` positions in each of `B` pictures."""

    values: Floats  # `[B, P]`
    slope_x: Floats  # their derivatives by the position
    slope_y: Floats
    is_inside: npt.NDArray[np.bool_]  # the position is within the picture


@dataclass(frozen=True)
class _Taps:
    first: npt.NDArray[np.intp]  # the upper left of the four pixels around each position
    x: Floats  # from it, in pixels
    y: Floats
    is_inside: npt.NDArray[np.bool_]


def _taps(positions: Floats, shape: tuple[int, int]) -> _Taps:
    """Return the pixels around positions `[B, 2, P]`; both sides must have two pixels."""
    height, width = shape
    longer = max(shape)
    x = positions[:, 0] * longer + np.float32((width - 1) / 2)
    y = positions[:, 1] * longer + np.float32((height - 1) / 2)
    is_inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    x, y = x.clip(0, width - 1), y.clip(0, height - 1)
    left = np.minimum(x.astype(np.int32), width - 2)
    top = np.minimum(y.astype(np.int32), height - 2)
    return _Taps(top.astype(np.intp) * width + left, x - left, y - top, is_inside)


def samples(pictures: Floats, which: Places, affine: Affine) -> Samples:
    """Return the values of `pictures[which]` where the pixels of the files' pictures are."""
    height, width = shape = pictures.shape[1:3]
    taps = _taps(affine.positions(points(*shape)), (height, width))
    flat = pictures.reshape(-1)
    first = taps.first + (which * (height * width))[:, np.newaxis]
    a, b = flat[first], flat[first + 1]
    c, d = flat[first + width], flat[first + width + 1]
    upper, lower = a + (b - a) * taps.x, c + (d - c) * taps.x
    longer = np.float32(max(height, width))
    return Samples(
        upper + (lower - upper) * taps.y,
        ((b - a) + ((d - c) - (b - a)) * taps.y) * longer,
        (lower - upper) * longer,
        taps.is_inside,
    )


def matrix_of(affine: Affine, shape: tuple[int, int]) -> tuple[csr_array, npt.NDArray[np.bool_]]:
    """Return a matrix `[B * P, pixels]` that samples a picture by `B` transforms, and `[B, P]`.

    The latter are the positions inside the picture; outside, a value is 0.
    """
    taps = _taps(affine.positions(points(*shape)), shape)
    width = shape[1]
    x, y, weight = taps.x, taps.y, taps.is_inside
    weights = ((1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y)
    columns = (taps.first, taps.first + 1, taps.first + width, taps.first + width + 1)
    count = taps.first.size
    data: npt.NDArray[Any] = np.stack([part * weight for part in weights], -1).reshape(-1)
    places = np.stack(columns, -1).reshape(-1)
    starts = np.arange(0, 4 * count + 1, 4)
    matrix = csr_array((data.astype(np.float32), places, starts), (count, shape[0] * width))
    return matrix, taps.is_inside


def warped(pictures: Floats, affine: Affine) -> Floats:
    """Return pictures `[B, h, w]` as transforms deliver them; the nearest edge fills the rest."""
    inverse = np.linalg.inv(affine.matrix.astype(np.float64))
    offset = -(inverse @ affine.offset[:, :, np.newaxis])[:, :, 0]
    back = Affine(inverse.astype(np.float32), offset.astype(np.float32))
    return samples(pictures, np.arange(len(pictures)), back).values.reshape(pictures.shape)
