"""The files that each augmented image may be of, by tiny pictures and many transforms. Pure.

The delivered image is transformed back, not the file's picture forth. So what a pipeline fills
beyond the edges of a picture is never read, whichever way it does that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from feedbench.bench.equal_work.augmented.affine import Affine
from feedbench.bench.equal_work.augmented.sampling import matrix_of
from feedbench.bench.equal_work.identity.fingerprints import Floats, Places

_LEAST_SEEN = 0.35  # of a file's picture, that a transform must leave within the delivered one
_FLAT = 1.0  # grey levels, the standard deviation under which a picture shows nothing
_BYTES = 64_000_000  # of the correlations that are in memory at a time


@dataclass(frozen=True)
class Shortlist:
    """The best files of `B` images: `[B, few]` each."""

    places: Places
    hypotheses: Places  # by which of the transforms each file is alike


class Correlations:
    """Correlates images with all files through all transforms, over the pixels that both show."""

    def __init__(self, files: Floats, affine: Affine) -> None:
        """Prepare for thumbnails `[files, h, w]` of the files, of some 14x14 pixels."""
        self._matrix, inside = matrix_of(affine, (files.shape[1], files.shape[2]))
        seen = inside.mean(axis=1)
        self._count = len(inside)
        self._inside = inside.astype(np.float32)
        self._pixels = np.maximum(self._inside.sum(axis=1), 1)
        flat = files.reshape(len(files), -1)
        flat = flat - flat.mean(axis=1, keepdims=True)
        self._files = np.ascontiguousarray(flat.T)  # [pixels, files]
        sums, squares = self._inside @ self._files, self._inside @ np.square(self._files)
        variance = squares - np.square(sums) / self._pixels[:, np.newaxis]
        least = _FLAT**2 * self._pixels[:, np.newaxis]
        self._scale = 1 / np.sqrt(np.maximum(variance, least))
        self._scale[seen < _LEAST_SEEN] = 0

    @property
    def operations(self) -> float:
        """The multiplications that one image takes."""
        return float(self._count) * self._files.size

    def shortlist(self, images: Floats, few: int) -> Shortlist:
        """Return the `few` best files of thumbnails `[B, h, w]`; fewer if there are fewer files."""
        few = min(few, self._files.shape[1])
        at_a_time = max(_BYTES // (4 * self._count * self._files.shape[1]), 1)
        parts = [
            self._part(images[start : start + at_a_time], few)
            for start in range(0, len(images), at_a_time)
        ]
        places, hypotheses = (np.concatenate(each) for each in zip(*parts, strict=True))
        return Shortlist(places, hypotheses)

    def _part(self, images: Floats, few: int) -> tuple[Places, Places]:
        count = len(images)
        flat = self._matrix @ images.reshape(count, -1).T  # [transforms * pixels, B]
        values: npt.NDArray[Any] = flat.reshape(self._count, -1, count)
        means = values.sum(axis=1) / self._pixels[:, np.newaxis]
        values = (values - means[:, np.newaxis]) * self._inside[:, :, np.newaxis]
        sizes = np.sqrt(np.square(values).sum(axis=1))
        values /= np.maximum(sizes, _FLAT * np.sqrt(self._pixels)[:, np.newaxis])[:, np.newaxis]
        rows = values.transpose(2, 0, 1).reshape(count * self._count, -1)
        alike: npt.NDArray[Any] = (rows @ self._files).reshape(count, self._count, -1)
        alike *= self._scale
        best = alike.max(axis=1)  # [B, files]
        places = np.argpartition(-best, few - 1, axis=1)[:, :few]
        order = np.argsort(-np.take_along_axis(best, places, axis=1), axis=1)
        places = np.take_along_axis(places, order, axis=1)
        by = np.stack([alike[at][:, those].argmax(axis=0) for at, those in enumerate(places)])
        return places, by
