"""Affine transforms: from a file's picture to the delivered one. Pure.

A position `p` in the file's picture is at `matrix @ p + offset` in the delivered one. Positions are
those of thumbnails.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import qmc

from feedbench.bench.equal_work.identity.fingerprints import Floats
from feedbench.pipelines.augmentation.ranges import Augmentation

_FLIPS = ((1.0, 1.0), (-1.0, 1.0), (1.0, -1.0), (-1.0, -1.0))  # of x and y


@dataclass(frozen=True)
class Affine:
    """Transforms of `B` images."""

    matrix: Floats  # `[B, 2, 2]`
    offset: Floats  # `[B, 2]`

    def __getitem__(self, of: Any) -> Affine:
        """Return some of the transforms."""
        return Affine(self.matrix[of], self.offset[of])

    def positions(self, points: Floats) -> Floats:
        """Return where points `[2, P]` of the files' pictures are delivered: `[B, 2, P]`."""
        there: Floats = self.matrix @ points + self.offset[:, :, np.newaxis]
        return there


@dataclass(frozen=True)
class Drawn:
    """What a transform is made of, in the order of Keras' ImageDataGenerator: `[B]` of each.

    A delivered position `o` shows the file's position `R (Z F o + t)`: mirrored by `F`, scaled by
    `Z`, shifted by `t` and rotated by `R`.
    """

    flip_x: npt.NDArray[np.bool_]
    flip_y: npt.NDArray[np.bool_]
    rotation: Floats  # degrees
    shift_x: Floats  # of the longer side
    shift_y: Floats
    zoom_x: Floats  # more than 1: a smaller picture
    zoom_y: Floats


def affine_of(drawn: Drawn) -> Affine:
    """Return the transforms that are drawn."""
    angle = np.deg2rad(drawn.rotation)
    cos, sin = np.cos(angle), np.sin(angle)
    back = np.stack([np.stack([cos, sin], -1), np.stack([-sin, cos], -1)], -2)  # of R
    signs = np.stack([np.where(drawn.flip_x, -1, 1), np.where(drawn.flip_y, -1, 1)], -1)
    scale = signs / np.stack([drawn.zoom_x, drawn.zoom_y], -1)
    shift = np.stack([drawn.shift_x, drawn.shift_y], -1)
    return Affine(
        (scale[:, :, np.newaxis] * back).astype(np.float32), (-scale * shift).astype(np.float32)
    )


def drawn_of(affine: Affine) -> Drawn:
    """Return what transforms are made of. Upside down and turned by 180 degrees is a flip of both.

    Of the four combinations of flips, it is the one that is rotated least. The rotation is that of
    the polar decomposition, in which `Z` is symmetric.
    """
    inverse = np.linalg.inv(affine.matrix.astype(np.float64))
    turned = np.stack([inverse * np.asarray(flip) for flip in _FLIPS], 1)  # `R Z F F`
    angles = np.arctan2(
        turned[..., 1, 0] - turned[..., 0, 1], turned[..., 0, 0] + turned[..., 1, 1]
    )
    is_mirrored = np.linalg.det(turned) < 0
    which = np.where(is_mirrored, np.inf, np.abs(angles)).argmin(axis=1)
    rows = np.arange(len(which))
    angle = angles[rows, which]
    cos, sin = np.cos(angle), np.sin(angle)
    back = np.stack([np.stack([cos, sin], -1), np.stack([-sin, cos], -1)], -2)
    scale = back @ turned[rows, which]
    centre = -(inverse @ affine.offset[:, :, np.newaxis].astype(np.float64))
    shift = (back @ centre)[:, :, 0]
    flips = np.asarray(_FLIPS)[which] < 0
    values = (np.rad2deg(angle), shift[:, 0], shift[:, 1], scale[:, 0, 0], scale[:, 1, 1])
    return Drawn(flips[:, 0], flips[:, 1], *(value.astype(np.float32) for value in values))


# How far from the truth a search may begin: it still ends there (studied on 600 flowers).
_BASIN = (10.0, 0.06, 0.06, 0.12, 0.12)
_EACH = 6.0  # transforms tried for each of such basins
_MOST, _MOST_WIDE = 320, 512  # transforms tried for each combination of flips
_SLACK = (3.0, 0.02, 0.02, 0.03, 0.03)  # beyond the ranges
_WIDER = 1.75  # times the ranges, in a wide search
_LEAST_WIDE = (30.0, 0.15, 0.15, 0.25, 0.25)


def hypotheses(asked: Augmentation, *, is_wide: bool = False, seed: int = 0) -> Affine:
    """Return transforms to begin a search with, spread evenly over the ranges.

    A wide search has all flips, and wider ranges than those asked for.
    """
    ranges = np.asarray(
        [asked.rotate, asked.width_shift, asked.height_shift, asked.zoom, asked.zoom]
    )
    if is_wide:
        ranges = np.maximum(ranges * _WIDER, _LEAST_WIDE)
    ranges = ranges + _SLACK
    basins = np.maximum(ranges / _BASIN, 1).prod()
    count = int(min(max(round(_EACH * basins), 4), _MOST_WIDE if is_wide else _MOST))
    flips_x = (False, True) if asked.flip or is_wide else (False,)
    flips_y = (False, True) if asked.vertical_flip or is_wide else (False,)
    unit = qmc.Halton(5, rng=np.random.default_rng(seed)).random(count)
    unit[0] = 0.5  # as the files are
    parts = [_drawn(unit * 2 - 1, ranges, (x, y)) for x in flips_x for y in flips_y]
    affines = [affine_of(part) for part in parts]
    return Affine(
        np.concatenate([each.matrix for each in affines]),
        np.concatenate([each.offset for each in affines]),
    )


def at_random(asked: Augmentation, count: int, rng: np.random.Generator) -> Affine:
    """Return transforms drawn at random, as a pipeline draws them."""
    ranges = np.asarray(
        [asked.rotate, asked.width_shift, asked.height_shift, asked.zoom, asked.zoom]
    )
    drawn = _drawn(rng.uniform(-1, 1, (count, 5)), ranges, (False, False))
    flips = rng.random((2, count)) < 0.5  # noqa: PLR2004 - every other one
    return affine_of(
        Drawn(
            flips[0] & asked.flip,
            flips[1] & asked.vertical_flip,
            drawn.rotation,
            drawn.shift_x,
            drawn.shift_y,
            drawn.zoom_x,
            drawn.zoom_y,
        )
    )


def _drawn(units: npt.NDArray[Any], ranges: npt.NDArray[Any], flips: tuple[bool, bool]) -> Drawn:
    rotation, shift_x, shift_y, zoom_x, zoom_y = (units * ranges).astype(np.float32).T
    count = len(units)
    zooms = (np.maximum(1 + zoom, 0.2) for zoom in (zoom_x, zoom_y))
    return Drawn(
        np.full(count, flips[0]), np.full(count, flips[1]), rotation, shift_x, shift_y, *zooms
    )
