"""Which file a delivered image was made of, told by its content: batches carry no names.

A fingerprint is the mean grey level of each cell of a grid over the image, 8x8 and the channels
taken together; of an image that has no more values than that, it is those. A filter or another
JPEG transform moves it by 0 to 0.5 grey levels (600 photos of flowers at 224x224), wrong sampling
by 1 to 3; the nearest other photo was 13 away, and of 600 handwritten digits at 28x28 the nearest
two were 4.7 apart.
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
UNKNOWN = -1  # in place of a file's place

# An image is a file's if it is this near to it, or much nearer to it than to any other, though
# not farther than that. Grey levels, root mean square over the cells.
_NEAR = 4.0
_MUCH_NEARER = 0.6
_FAR = 16.0
_CLEAR = 1.0  # at which nothing else is looked at
_DIMENSIONS = 10  # of the tree: more would make it slow, and what it finds is measured in full
_NEIGHBOURS = 8
_SEARCHES = 4096  # through all files, for images that the tree does not find
_JOINED = 16  # nearest fingerprints that each is joined to: of a thousand black frames, not to all


def fingerprints(levels: npt.NDArray[Any]) -> Floats:
    """Return the fingerprints `[B, cells]` of images `[B, height, width, channels]`.

    By sums, not by a product of matrices: BLAS has threads of its own, which took twelve times as
    long beside TensorFlow's.
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
    """Return the cells of a fingerprint."""
    values = height * width * channels
    return values if values <= GRID * GRID else min(GRID, height) * min(GRID, width)


@cache
def _edges(size: int) -> Places:
    """Return where the cells along an axis begin, and where the last one ends."""
    return np.linspace(0, size, min(GRID, size) + 1).round().astype(np.intp)


@dataclass(frozen=True)
class Matches:
    """What was made of a batch of images."""

    places: Places  # `[B]` of the files; UNKNOWN for an image of none
    distances: Floats  # `[B]` to the nearest file, in grey levels


class Groups:
    """Files that are not told apart: `of` has a number for each file, UNKNOWN for one of none."""

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
        """Return the files that are told apart from all others, in order."""
        groups = self._members.items()
        alone = sorted(int(it[0]) for group, it in groups if len(it) == 1 and group != UNKNOWN)
        return np.asarray(alone, np.intp)


class Matcher:
    """Finds the files that images were made of.

    Takes 4 kB a file at the most, while it is made: two fingerprints, and a tree over them. An
    image is looked for among the fingerprints of both references: in few pixels, these are as far
    from each other as from those of other files.
    """

    def __init__(self, references: Floats) -> None:
        """Take `[2, files, cells]`: of both references; NaN where a file has none."""
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
        """Return which files are not told apart where so many grey levels are no difference."""
        groups = np.full(self._files, UNKNOWN, np.intp)
        if not len(self._known):
            return Groups(groups)
        count = len(self._prints)
        reach = levels * np.sqrt(self._prints.shape[1])
        ranks = list(range(2, 2 + _JOINED))
        # Among the tree's few directions nothing is farther apart than it is; in all of them it
        # would take minutes for 20,000 frames that are nearly equal.
        near = self._tree.query(self._projected(self._prints), k=ranks, distance_upper_bound=reach)[
            1
        ]
        pairs = []
        for column in np.asarray(near).T:
            rows = np.flatnonzero(column < count)
            differences = self._prints[rows] - self._prints[column[rows]]
            rows = rows[np.sqrt(np.square(differences).mean(axis=1)) <= levels]
            pairs.append((rows, column[rows]))
        # A file's own two stand for one and the same.
        pairs.append((self._which[0], self._which[1]))
        ends = tuple(np.concatenate(side) for side in zip(*pairs, strict=True))
        joined = coo_array((np.ones(len(ends[0]), bool), ends), (count, count))
        _, component = connected_components(joined, directed=False)
        groups[self._known] = component[self._which[0]]
        return Groups(groups)

    def match(self, prints: Floats) -> Matches:
        """Return the file of each of the fingerprints `[B, cells]`."""
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
            if distance <= _NEAR or (distance <= _FAR and distance < _MUCH_NEARER * other):
                places[at] = nearest
        return Matches(places, distances)

    def _best(self, fingerprint: Floats, candidates: Places) -> tuple[int, float, float]:
        """Return the nearest file, its distance, and that of the next one that is unlike it."""
        distances = np.sqrt(np.square(self._prints[candidates] - fingerprint).mean(axis=1))
        places = self._places[candidates]
        nearest = int(distances.argmin())
        unlike = self.groups.of[places] != self.groups.of[places[nearest]]
        other = float(distances[unlike].min(initial=np.inf))
        return int(places[nearest]), float(distances[nearest]), other

    def _projected(self, prints: npt.NDArray[Any]) -> npt.NDArray[Any]:
        projected: npt.NDArray[Any] = (prints - self._centre) @ self._axes
        return projected


def _axes(spread: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the directions `[cells, dimensions]` along which fingerprints differ most.

    Orthonormal, so that nothing is farther apart among them than it is.
    """
    _, directions = np.linalg.eigh(spread.T.astype(np.float64) @ spread)
    return directions[:, ::-1][:, :_DIMENSIONS]
