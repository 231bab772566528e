"""Estimates the transform of each image, and the ranges that the transforms come from. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from feedbench.bench.equal_work.augmented.affine import Affine, drawn_of
from feedbench.bench.equal_work.augmented.alignment import aligned
from feedbench.bench.equal_work.augmented.sampling import samples
from feedbench.bench.equal_work.augmented.thumbnails import FINE, MIDDLE, Pictures, reduced
from feedbench.bench.equal_work.identity.fingerprints import Floats
from feedbench.bench.records.augmented import Range, Transforms

LEAST_ESTIMATED = 12  # images, under which no ranges are given
_STEPS = 6
_LEAST_ALIKE = 0.8  # the correlation that the last alignment must reach
_OUTER = (5.0, 95.0)  # percentiles
_INNER = 0.9  # of an even distribution is between them
_BRIGHT = 245.0  # grey levels; a factor is read below, where nothing is cut off
_CLEAR = 0.7  # of an image's light must be there: white digits on black show no factor


@dataclass(frozen=True)
class Estimates:
    """The transforms of `B` images, `[B]` of each. Shifts are in parts of the width and height."""

    flipped: npt.NDArray[np.bool_]
    upside_down: npt.NDArray[np.bool_]
    rotation: Floats
    width_shift: Floats
    height_shift: Floats
    zoom_x: Floats
    zoom_y: Floats
    brightness: Floats  # NaN where it cannot be estimated
    distance: Floats  # grey levels from the reference
    contrast: Floats  # of the reference: the standard deviation of its grey levels


def estimated(images: Pictures | Floats, references: Pictures | Floats, guess: Affine) -> Estimates:
    """Return the transforms of pictures `[B, h, w, channels]` whose references are known.

    Those that cannot be estimated are left out.
    """
    ours, theirs = reduced(images, FINE), reduced(references, FINE)
    rows = np.arange(len(ours))
    fits = aligned(ours.mean(axis=3), theirs.mean(axis=3), (rows, rows), guess, _STEPS)
    is_good = fits.likeness >= _LEAST_ALIKE
    affine = fits.affine[is_good]
    drawn = drawn_of(affine)
    height, width = ours.shape[1:3]
    longer = max(height, width)
    brightness, distance = _of_levels(ours[is_good], theirs[is_good], affine)
    return Estimates(
        drawn.flip_x,
        drawn.flip_y,
        drawn.rotation,
        drawn.shift_x * longer / width,
        drawn.shift_y * longer / height,
        drawn.zoom_x,
        drawn.zoom_y,
        brightness,
        distance,
        theirs[is_good].std(axis=(1, 2, 3)),
    )


def _of_levels(images: Floats, references: Floats, affine: Affine) -> tuple[Floats, Floats]:
    """Return the factor between the grey levels of each pair, and the distance that is left."""
    rows = np.arange(len(images))
    count = len(images)
    channels = [
        samples(np.ascontiguousarray(images[..., channel]), rows, affine)
        for channel in range(images.shape[3])
    ]
    values = np.stack([each.values for each in channels], -1)
    is_seen = channels[0].is_inside[..., np.newaxis] & np.ones(values.shape, bool)
    expected = references.reshape(count, -1, references.shape[3])
    # A ratio of sums: reading between pixels blurs, which changes no sum.
    is_clear = is_seen & (expected < _BRIGHT) & (values < _BRIGHT)
    ours, theirs = (np.where(is_clear, part, 0).sum(axis=(1, 2)) for part in (values, expected))
    factor = (np.maximum(ours, 1) / np.maximum(theirs, 1)).astype(np.float32)
    is_white = theirs < _CLEAR * np.where(is_seen, expected, 0).sum(axis=(1, 2))
    factor[is_white] = 1
    bright = (expected * factor[:, np.newaxis, np.newaxis]).clip(0, 255)
    # Over larger pixels: how a pipeline reads between pixels matters less there.
    shape = references.shape
    seen = reduced(is_seen.reshape(shape), MIDDLE)
    ours, theirs = (
        reduced(np.where(is_seen, part, 0).reshape(shape), MIDDLE) for part in (values, bright)
    )
    apart = np.abs(ours - theirs).sum(axis=(1, 2, 3)) / np.maximum(seen.sum(axis=(1, 2, 3)), 1)
    factor[is_white] = np.nan
    return factor, apart.astype(np.float32)


def together(parts: Sequence[Estimates]) -> Estimates:
    """Return the estimates of several epochs as one."""
    values: dict[str, Any] = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(Estimates)
    }
    return Estimates(**values)


def transforms_of(of: Estimates) -> Transforms | None:
    """Return the ranges that estimates come from; None for too few images."""
    count = len(of.rotation)
    if count < LEAST_ESTIMATED:
        return None
    bright = of.brightness[~np.isnan(of.brightness)]
    return Transforms(
        images=count,
        flipped=float(of.flipped.mean()),
        upside_down=float(of.upside_down.mean()),
        rotation=range_of(of.rotation),
        width_shift=range_of(of.width_shift),
        height_shift=range_of(of.height_shift),
        zoom=range_of(np.concatenate([of.zoom_x, of.zoom_y])),
        brightness=range_of(bright) if len(bright) >= LEAST_ESTIMATED else None,
        distance=float(np.median(of.distance)),
        contrast=float(np.median(of.contrast)),
    )


def range_of(values: Floats) -> Range:
    """Return the ends of the even distribution with the percentiles of some values."""
    low, high = np.percentile(values.astype(np.float64), _OUTER)
    beyond = (high - low) * (1 / _INNER - 1) / 2
    return Range(low=float(low - beyond), high=float(high + beyond))
