"""The files that a few images are nearest to, among all files, without a tree over them. Pure.

A Matcher's tree over all files takes seconds to build and 4 kB a file: too much for every trial.
Here, each image is compared with every fingerprint, and a Matcher is built of the nearest files.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from feedbench.bench.equal_work.identity.fingerprints import UNKNOWN, Floats, Matcher, Places

ALIKE = 1.0  # grey levels farther than the nearest file; such files may be meant as well
_NEAREST = 64  # files that are kept of each image
_MATCHED = 8  # of these, files that a Matcher is built of
_FILES = 8192  # that are compared at a time

Distances = npt.NDArray[np.float64]


@dataclass(frozen=True)
class NearFiles:
    """The files near each of `B` images."""

    places: Places  # `[B]` of the files that the images match; UNKNOWN for none
    nearest: Places  # `[B]` of the nearest files, whether they match or not
    alike: list[list[int] | None]  # of each image: the files that it may be; None: very many


def near_files(prints: Floats, references: Floats) -> NearFiles:
    """Return the files near images with the fingerprints `[B, cells]`.

    `references` are fingerprints `[2, files, cells]` of both references; NaN: the file has none.
    """
    distances, places = _nearest(prints.astype(np.float64), references)
    first = distances[:, :1]
    alike = [
        None if len(row) > 1 and is_near.all() else row[is_near].tolist()
        for row, is_near in zip(places, distances <= first + ALIKE, strict=True)
    ]
    candidates = np.unique(places[:, :_MATCHED])
    matched = Matcher(np.asarray(references[:, candidates])).match(prints).places
    is_known = matched != UNKNOWN
    delivered = np.where(is_known, candidates[matched], UNKNOWN)
    return NearFiles(places=delivered, nearest=places[:, 0], alike=alike)


def _nearest(prints: Distances, references: Floats) -> tuple[Distances, Places]:
    """Return the distances and places of the nearest files `[B, at most _NEAREST]`, in order."""
    distances = np.empty((len(prints), 0))
    places = np.empty((len(prints), 0), np.intp)
    for start in range(0, references.shape[1], _FILES):
        both = np.asarray(references[:, start : start + _FILES], np.float64)
        apart = np.minimum(_apart(prints, both[0]), _apart(prints, both[1]))
        few = min(_NEAREST, apart.shape[1])
        near = np.argpartition(apart, few - 1, axis=1)[:, :few]
        distances = np.concatenate([distances, np.take_along_axis(apart, near, axis=1)], axis=1)
        places = np.concatenate([places, near + start], axis=1)
        order = np.argsort(distances, axis=1, kind="stable")[:, :_NEAREST]
        distances = np.take_along_axis(distances, order, axis=1)
        places = np.take_along_axis(places, order, axis=1)
    return distances, places


def _apart(prints: Distances, others: Distances) -> Distances:
    """Return the root mean square distances `[B, files]` in grey levels; infinite for NaN."""
    known = np.nan_to_num(others)
    squares = (
        np.square(prints).sum(axis=1)[:, np.newaxis]
        + np.square(known).sum(axis=1)
        - 2 * prints @ known.T
    )
    apart: Distances = np.sqrt(squares.clip(min=0) / prints.shape[1])
    apart[:, np.isnan(others).any(axis=1)] = np.inf
    return apart
