"""Finds the file that a delivered image was made of, by its content: batches carry no names.

A fingerprint is the mean grey level of each cell of an 8x8 grid over the image, all channels
together. An image with no more values than the grid has cells is its own fingerprint.

On 600 photos of flowers at 224x224, a filter or another JPEG transform moved a fingerprint by 0 to
0.5 grey levels, and wrong sampling by 1 to 3. The nearest other photo was 13 away. Among 600
handwritten digits at 28x28, the nearest two were 4.7 apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]

GRID = 8  # cells along each side, fewer where there are fewer pixels
ALIKE = 0.25  # grey levels; files whose fingerprints differ by less are counted together
UNKNOWN = -1  # stands for the place of a file that was not found

# An image matches a file within _NEAR. It also matches one within _FAR that is nearer than
# _MUCH_NEARER times any other. Distances are grey levels, root mean square over the cells.
_NEAR = 4.0
_MUCH_NEARER = 0.6
_FAR = 16.0
_CLEAR = 1.0  # within this distance, no search through all files follows
_DIMENSIONS = 10  # of the tree: more would slow it down; its results are measured in all cells
_NEIGHBOURS = 8
_SEARCHES = 4096  # through all files, for images that the tree does not find
_JOINED = 16  # neighbours that each fingerprint is joined to, even among a thousand black frames


def fingerprints(levels: npt.NDArray[Any]) -> Floats:
    """Return the fingerprints `[B, cells]` of images `[B, height, width, channels]`.

    It uses sums, not a matrix product: BLAS has its own threads, which compete with TensorFlow's
    and took twelve times as long.
    """
    batch, height, width, channels = levels.shape
    if height * width * channels <= GRID * GRID:
        return levels.reshape(batch, -1).astype(np.float32)
    rows, columns = _edges(height), _edges(width)
    sums = np.add.reduceat(levels.reshape(batch, height, width * channels), rows[:-1], axis=1)
    sums = sums.reshape(batch, len(rows) - 1, width, channels).sum(axis=3)
    sums = np.add.reduceat(sums, columns[:-1], axis=2)
    pixels = np.outer(np.diff(rows), np.diff(columns)) * channels
    means: Floats = (sums / pixels).astype(np.float32)
    return means.reshape(batch, -1)


def cells_of(height: int, width: int, channels: int) -> int:
    """Return the number of cells in a fingerprint."""
    values = height * width * channels
    return values if values <= GRID * GRID else min(GRID, height) * min(GRID, width)


@cache
def _edges(size: int) -> Places:
    """Return the first pixel of each cell along an axis, and the end of the last cell."""
    return np.linspace(0, size, min(GRID, size) + 1).round().astype(np.intp)


@dataclass(frozen=True)
class Matches:
    """The files that the images of a batch match."""

    places: Places  # `[B]` of the files; UNKNOWN for an image that matches none
    distances: Floats  # `[B]` to the nearest file, in grey levels


class Groups:
    """Groups of files that look the same.

    `of` has a group's number for each file, UNKNOWN for a file without a fingerprint.
    """

    def __init__(self, of: Places) -> None:
        self.of = of
        order = np.argsort(of, kind="stable")
        numbers, starts = np.unique(of[order], return_index=True)
        parts = np.split(order, starts[1:])
        self._members = dict(zip(numbers.tolist(), parts, strict=True))

    def members(self, group: int) -> Places:
        """Return the files of a group, in order."""
        places: Places = self._members[group]
        return places

    def alone(self) -> Places:
        """Return the files that look like no other, in order."""
        groups = self._members.items()
        alone = sorted(int(it[0]) for group, it in groups if len(it) == 1 and group != UNKNOWN)
        return np.asarray(alone, np.intp)


class Matcher:
    """Finds the files that images were made of.

    Building it takes at most 4 kB a file, for two fingerprints and a tree over them. It compares an
    image with the fingerprints of both references: in small images, those of one file can be as
    far apart as those of two files.
    """

    def __init__(self, references: Floats) -> None:
        """Build it from fingerprints `[2, files, cells]` of both references; NaN: file has none."""
        self._files = references.shape[1]
        self._known = np.flatnonzero(~np.isnan(references[0]).any(axis=1))
        both = references[:, self._known].reshape(-1, references.shape[2])
        self._prints, first, which = np.unique(both, axis=0, return_index=True, return_inverse=True)
        self._which = which.reshape(2, -1)  # fingerprint that each known file has, by reference
        self._places: Places = np.tile(self._known, 2)[first]  # a file for each fingerprint
        self._centre = self._prints.mean(axis=0) if len(both) else np.zeros(references.shape[2])
        self._axes = _axes(self._prints - self._centre)
        self._tree = cKDTree(self._projected(self._prints))
        self._searches = 0
        self.groups = self.alike(ALIKE)

    def alike(self, levels: float) -> Groups:
        """Return groups of files whose fingerprints differ by at most `levels` grey levels."""
        groups = np.full(self._files, UNKNOWN, np.intp)
        if not len(self._known):
            return Groups(groups)
        count = len(self._prints)
        reach = levels * np.sqrt(self._prints.shape[1])
        ranks = list(range(2, 2 + _JOINED))
        # Distances in the tree's few directions are never larger than in all of them. A search in
        # all directions would take minutes for 20,000 frames that are nearly equal.
        near = self._tree.query(self._projected(self._prints), k=ranks, distance_upper_bound=reach)[
            1
        ]
        pairs = []
        for column in np.asarray(near).T:
            rows = np.flatnonzero(column < count)
            differences = self._prints[rows] - self._prints[column[rows]]
            rows = rows[np.sqrt(np.square(differences).mean(axis=1)) <= levels]
            pairs.append((rows, column[rows]))
        # The two fingerprints of a file belong together.
        pairs.append((self._which[0], self._which[1]))
        ends = tuple(np.concatenate(side) for side in zip(*pairs, strict=True))
        joined = coo_array((np.ones(len(ends[0]), bool), ends), (count, count))
        _, component = connected_components(joined, directed=False)
        groups[self._known] = component[self._which[0]]
        return Groups(groups)

    def match(self, prints: Floats) -> Matches:
        """Return the file that each of the fingerprints `[B, cells]` matches."""
        places = np.full(len(prints), UNKNOWN, np.intp)
        distances = np.full(len(prints), np.inf, np.float32)
        if not len(self._known):
            return Matches(places, distances)
        count = min(_NEIGHBOURS, len(self._prints))
        near = np.asarray(self._tree.query(self._projected(prints), k=list(range(1, count + 1)))[1])
        for at, fingerprint in enumerate(prints):
            nearest, distance, other = self._best(fingerprint, near[at])
            if distance > _CLEAR and self._searches < _SEARCHES:
                self._searches += 1
                nearest, distance, other = self._best(fingerprint, np.arange(len(self._prints)))
            distances[at] = distance
            plain = min(float(fingerprint.std()), float(self._prints[nearest].std()))
            if _is_match(distance, other, plain):
                places[at] = self._places[nearest]
        return Matches(places, distances)

    def _best(self, fingerprint: Floats, candidates: Places) -> tuple[int, float, float]:
        """Return the nearest fingerprint, its distance, and that of the nearest of another group.

        A fingerprint is given by its place among all of them.
        """
        distances = np.sqrt(np.square(self._prints[candidates] - fingerprint).mean(axis=1))
        places = self._places[candidates]
        nearest = int(distances.argmin())
        unlike = self.groups.of[places] != self.groups.of[places[nearest]]
        other = float(distances[unlike].min(initial=np.inf))
        return int(candidates[nearest]), float(distances[nearest]), other

    def _projected(self, prints: npt.NDArray[Any]) -> npt.NDArray[Any]:
        projected: npt.NDArray[Any] = (prints - self._centre) @ self._axes
        return projected


def _is_match(distance: float, other: float, plain: float) -> bool:
    """Whether an image at a distance from a file's fingerprint was made of that file.

    `other` is its distance from the nearest other file. `plain` is the distance of the image, or of
    the file, from a plain picture of its own brightness: the nearer a picture is to plain, the less
    there is to recognise. Otherwise images that are nearly black would match the darkest photo.
    """
    if distance <= _CLEAR:
        return True
    if distance >= _MUCH_NEARER * plain:
        return False
    return distance <= _NEAR or (distance <= _FAR and distance < _MUCH_NEARER * other)


def _axes(spread: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the directions `[cells, dimensions]` along which fingerprints differ most.

    They are orthonormal, so distances in them are never larger than in all directions.
    """
    _, directions = np.linalg.eigh(spread.T.astype(np.float64) @ spread)
    return directions[:, ::-1][:, :_DIMENSIONS]
