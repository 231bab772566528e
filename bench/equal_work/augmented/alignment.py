"""Finds the transform between two pictures, from a guess that is near. Pure.

It is the algorithm of Lucas and Kanade (1981) with an affine transform, and a factor and a shift
of the grey levels: of Gauss and Newton's steps, each the least squares of

    file(p) = gain * (delivered(q) + slope(q) * change of q) + shift,   q = matrix @ p + offset
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from feedbench.bench.equal_work.augmented.affine import Affine
from feedbench.bench.equal_work.augmented.sampling import samples
from feedbench.bench.equal_work.augmented.thumbnails import points
from feedbench.bench.equal_work.identity.fingerprints import Floats, Places

_AT_A_TIME = 256  # pairs of pictures
_LONGEST_STEP = 0.12  # of an entry of the matrix, or of the offset
_DAMPING = 1e-3  # of the diagonal's mean
_LEAST_GAIN = 0.2
_LEAST_SEEN = 0.25  # of the file's picture
_SCALES = (0.35, 2.8)  # of the matrix's determinant


@dataclass(frozen=True)
class Aligned:
    """How pairs of pictures are aligned: `[B]` of each."""

    affine: Affine
    likeness: Floats  # the correlation of the pixels that both show; -1 where none was found


def aligned(
    images: Floats, files: Floats, pairs: tuple[Places, Places], guess: Affine, steps: int
) -> Aligned:
    """Return the transform of each pair: `images[pairs[0]]` of `files[pairs[1]]`, `[., h, w]`."""
    if not len(pairs[0]):
        return Aligned(guess, np.empty(0, np.float32))
    parts = [
        _aligned(
            images,
            files,
            (pairs[0][at : at + _AT_A_TIME], pairs[1][at : at + _AT_A_TIME]),
            guess[at : at + _AT_A_TIME],
            steps,
        )
        for at in range(0, len(pairs[0]), _AT_A_TIME)
    ]
    affine = Affine(
        np.concatenate([part.affine.matrix for part in parts]),
        np.concatenate([part.affine.offset for part in parts]),
    )
    return Aligned(affine, np.concatenate([part.likeness for part in parts]))


def _aligned(
    images: Floats, files: Floats, pairs: tuple[Places, Places], guess: Affine, steps: int
) -> Aligned:
    targets = _standard(files.reshape(len(files), -1)[pairs[1]])
    affine = guess
    for _ in range(steps):
        affine = _step(images, targets, pairs[0], affine)
    at = samples(images, pairs[0], affine)
    likeness = _correlation(at.values, targets, at.is_inside)
    determinant = np.abs(np.linalg.det(affine.matrix))
    is_sound = (determinant > _SCALES[0]) & (determinant < _SCALES[1])
    is_sound &= at.is_inside.mean(axis=1) > _LEAST_SEEN
    return Aligned(affine, np.where(is_sound, likeness, np.float32(-1)))


def _step(images: Floats, targets: Floats, which: Places, affine: Affine) -> Affine:
    """Return the transforms after one step."""
    at = samples(images, which, affine)
    x, y = points(*images.shape[1:3])
    weight = at.is_inside.astype(np.float32)
    values = _standard(at.values)
    scale = 1 / np.maximum(at.values.std(axis=1, keepdims=True), 1)
    slope_x, slope_y = at.slope_x * scale * weight, at.slope_y * scale * weight
    columns = np.stack(
        [
            values * weight,
            weight,
            slope_x * x,
            slope_x * y,
            slope_x,
            slope_y * x,
            slope_y * y,
            slope_y,
        ],
        1,
    )  # [B, 8, P]
    normal = (columns @ columns.transpose(0, 2, 1)).astype(np.float64)
    right = (columns @ targets[:, :, np.newaxis]).astype(np.float64)
    damping = _DAMPING * normal.trace(axis1=1, axis2=2) / 8 + 1e-6
    normal += damping[:, np.newaxis, np.newaxis] * np.eye(8)
    solved = np.linalg.solve(normal, right)[:, :, 0]
    change = solved[:, 2:] / np.maximum(solved[:, :1], _LEAST_GAIN)
    longest = np.abs(change).max(axis=1, keepdims=True)
    change = (change * np.minimum(1, _LONGEST_STEP / np.maximum(longest, 1e-9))).astype(np.float32)
    rows = change.reshape(-1, 2, 3)
    return Affine(affine.matrix + rows[:, :, :2], affine.offset + rows[:, :, 2])


def _standard(values: Floats) -> Floats:
    """Return `[B, P]` with a mean of 0 and a standard deviation of 1, of at least a grey level."""
    centred = values - values.mean(axis=1, keepdims=True)
    standard: Floats = centred / np.maximum(centred.std(axis=1, keepdims=True), 1)
    return standard


def _correlation(values: Floats, targets: Floats, is_inside: np.ndarray) -> Floats:
    """Return the correlation of `[B, P]` with `[B, P]` over the positions inside."""
    weight = is_inside.astype(np.float32)
    count = np.maximum(weight.sum(axis=1, keepdims=True), 1)
    one = (values - (values * weight).sum(axis=1, keepdims=True) / count) * weight
    other = (targets - (targets * weight).sum(axis=1, keepdims=True) / count) * weight
    sizes = np.sqrt(np.square(one).sum(axis=1) * np.square(other).sum(axis=1))
    correlation: Floats = (one * other).sum(axis=1) / np.maximum(sizes, 1e-3)
    return correlation
