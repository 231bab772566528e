"""Which file each augmented image is of, and by which transform. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from feedbench.bench.equal_work.augmented.affine import Affine, at_random, hypotheses
from feedbench.bench.equal_work.augmented.alignment import Aligned, aligned
from feedbench.bench.equal_work.augmented.sampling import warped
from feedbench.bench.equal_work.augmented.shortlist import Correlations
from feedbench.bench.equal_work.augmented.thumbnails import COARSE, MIDDLE, smaller
from feedbench.bench.equal_work.identity.fingerprints import UNKNOWN, Floats, Places
from feedbench.pipelines.augmentation.ranges import Augmentation

# An image is recognised if its correlation with a file is at least _ALIKE. It is certain if no
# other file has less than _APART times what is missing to a correlation of 1. Of 600 flowers,
# rotated by up to 40 degrees and shifted by up to 20 %, none was wrong; at 2.0, two were.
_ALIKE = 0.85
_APART = 2.5
_FAR_APART = 4.0  # what an image must reach to show that another is missing, or a label is wrong
_FEW = 5  # files that are tried for each image, and half as many in the second step
_COARSE_STEPS, _MIDDLE_STEPS = 8, 8
_OPERATIONS = 2e11  # multiplications of a search, which take some seconds on a core
_LEAST_TRIED = 128
MOST_TRIED = 4096
LEAST_CERTAIN = 0.9  # of images that are augmented as asked: else identity is not proven
SIMULATED = 96  # images that are augmented here, to see how many would be recognised


@dataclass(frozen=True)
class Recognised:
    """What is recognised of `B` images."""

    places: Places  # the best file; UNKNOWN for none
    is_certain: npt.NDArray[np.bool_]  # no other file is nearly as good
    likeness: Floats  # the correlation with that file
    margin: Floats  # how many times more the second file lacks to a correlation of 1
    affine: Affine

    @property
    def is_sure(self) -> npt.NDArray[np.bool_]:
        """Which images are so certain that they can show what is wrong."""
        sure: npt.NDArray[np.bool_] = self.is_certain & (self.margin > _FAR_APART)
        return sure

    def some(self, at: Places) -> Recognised:
        """Return the results for some of the images."""
        return Recognised(
            self.places[at],
            self.is_certain[at],
            self.likeness[at],
            self.margin[at],
            self.affine[at],
        )

    def replaced(self, at: Places, by: Recognised) -> Recognised:
        """Return the results with others for some of the images."""

        def mixed(old: npt.NDArray[Any], new: npt.NDArray[Any]) -> npt.NDArray[Any]:
            values = old.copy()
            values[at] = new
            return values

        return Recognised(
            mixed(self.places, by.places),
            mixed(self.is_certain, by.is_certain),
            mixed(self.likeness, by.likeness),
            mixed(self.margin, by.margin),
            Affine(
                mixed(self.affine.matrix, by.affine.matrix),
                mixed(self.affine.offset, by.affine.offset),
            ),
        )


class Recogniser:
    """Recognises augmented images among the thumbnails of files."""

    def __init__(self, files: Floats, asked: Augmentation) -> None:
        """Prepare for thumbnails `[files, h, w]`; NaN where a file has none."""
        self._all = files
        self._known = np.flatnonzero(~np.isnan(files).any(axis=(1, 2)))
        self._fine = files[self._known]
        self._middle, self._coarse = smaller(self._fine, MIDDLE), smaller(self._fine, COARSE)
        self._asked = asked
        self._narrow = self._search(is_wide=False) if len(self._known) else None
        self._wide: tuple[Affine, Correlations] | None = None

    def most(self) -> int:
        """Return how many images can be recognised in some seconds."""
        if self._narrow is None:
            return _LEAST_TRIED
        fitting = int(_OPERATIONS / max(self._narrow[1].operations, 1))
        return min(max(fitting, _LEAST_TRIED), MOST_TRIED)

    @property
    def is_able(self) -> bool:
        """Whether nearly all images that are augmented as asked can be recognised."""
        return self.expected[0] >= LEAST_CERTAIN

    @cached_property
    def expected(self) -> tuple[float, float]:
        """The shares of images that are certain and recognised, of a few augmented as asked."""
        if not len(self._known):
            return 0.0, 0.0
        rng = np.random.default_rng(0)
        count = min(SIMULATED, len(self._known))
        chosen = rng.choice(len(self._known), count, replace=False)
        images = warped(self._fine[chosen], at_random(self._asked, count, rng))
        recognised = self.recognise(images)
        is_right = recognised.places == self._known[chosen]
        is_recognised = recognised.places != UNKNOWN
        return float((recognised.is_certain & is_right).mean()), float(is_recognised.mean())

    def recognise(self, images: Floats) -> Recognised:
        """Return the files of thumbnails `[B, h, w]`.

        Images that are not certain are searched for once more, through wider ranges.
        """
        if self._narrow is None:
            return _nothing(len(images))
        first = self._by(images, self._narrow)
        unsure = np.flatnonzero(~first.is_certain)
        if not len(unsure):
            return first
        if self._wide is None:
            self._wide = self._search(is_wide=True)
        fitting = max(int(_OPERATIONS / max(self._wide[1].operations, 1)), _LEAST_TRIED)
        unsure = unsure[:fitting]
        second = self._by(images[unsure], self._wide)
        better = np.flatnonzero(second.likeness > first.likeness[unsure])
        return first.replaced(unsure[better], second.some(better))

    def among(self, images: Floats, places: Places) -> Recognised:
        """Return which of some files the images are of, searched for through wider ranges."""
        files = np.full((len(self._all), *self._fine.shape[1:]), np.nan, np.float32)
        files[places] = self._all[places]
        few = Recogniser(files, self._asked)
        return few._by(images, few._search(is_wide=True))

    def _search(self, *, is_wide: bool) -> tuple[Affine, Correlations]:
        guesses = hypotheses(self._asked, is_wide=is_wide)
        return guesses, Correlations(self._coarse, guesses)

    def _by(self, images: Floats, search: tuple[Affine, Correlations]) -> Recognised:
        """Return the files, from one set of guesses."""
        guesses, correlations = search
        coarse, middle = smaller(images, COARSE), smaller(images, MIDDLE)
        listed = correlations.shortlist(coarse, _FEW)
        few = listed.places.shape[1]
        rows = np.arange(len(images)).repeat(few)
        places = listed.places.reshape(-1)
        fits = aligned(
            coarse,
            self._coarse,
            (rows, places),
            guesses[listed.hypotheses.reshape(-1)],
            _COARSE_STEPS,
        )
        kept = -(-few // 2)
        order = np.argsort(-fits.likeness.reshape(-1, few), axis=1)[:, :kept]
        chosen = (order + np.arange(len(images))[:, np.newaxis] * few).reshape(-1)
        fits = aligned(
            middle,
            self._middle,
            (rows[chosen], places[chosen]),
            fits.affine[chosen],
            _MIDDLE_STEPS,
        )
        return self._judged(places[chosen].reshape(-1, kept), fits, kept)

    def _judged(self, places: Places, fits: Aligned, kept: int) -> Recognised:
        likeness = fits.likeness.reshape(-1, kept)
        order = np.argsort(-likeness, axis=1)
        likeness = np.take_along_axis(likeness, order, axis=1)
        places = self._known[np.take_along_axis(places, order, axis=1)]
        lacks = np.maximum(1 - likeness, 1e-4)
        margin = lacks[:, 1] / lacks[:, 0] if kept > 1 else np.full(len(places), np.inf)
        is_known = likeness[:, 0] >= _ALIKE
        best = order[:, 0] + np.arange(len(places)) * kept
        return Recognised(
            np.where(is_known, places[:, 0], UNKNOWN),
            is_known & (margin > _APART),
            likeness[:, 0],
            margin.astype(np.float32),
            fits.affine[best],
        )


def _nothing(count: int) -> Recognised:
    """Return that none of some images is recognised."""
    nothing = np.zeros(count, np.float32)
    plain = Affine(np.tile(np.eye(2, dtype=np.float32), (count, 1, 1)), np.zeros((count, 2), "f"))
    return Recognised(np.full(count, UNKNOWN), nothing > 0, nothing - 1, nothing, plain)
