"""An epoch of augmented images, or its beginning, and the files that they are of."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from feedbench.bench.equal_work.augmented.recognition import Recognised, Recogniser
from feedbench.bench.equal_work.augmented.thumbnails import Pictures, pictures, thumbnails
from feedbench.bench.equal_work.identity.fingerprints import UNKNOWN, Floats, Places
from feedbench.bench.equal_work.identity.image_counts import file_id
from feedbench.bench.equal_work.references import Levels
from feedbench.bench.records.proof import Counts
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.images.index import shown

_MOST_ACCUSED = 256  # images that are searched for again before they count as wrong


class AugmentedEpoch:
    """The images of an epoch, or of its beginning, recognised through their transforms."""

    def __init__(self, workload: Workload, recogniser: Recogniser) -> None:
        self._workload = workload
        self._recogniser = recogniser
        self._most = recogniser.most()
        self._pictures: list[Pictures] = []
        self._labels: list[npt.NDArray[Any]] = []
        self._kept = 0
        self.batch_sizes: list[int] = []

    def add(self, levels: Levels, labels: npt.NDArray[Any]) -> None:
        """Keep small pictures of a batch's images in grey levels, and their labels."""
        self.batch_sizes.append(len(labels))
        self._labels.append(labels)
        room = self._most - self._kept
        if room > 0:
            self._pictures.append(pictures(levels[:room]))
            self._kept += len(levels[:room])

    def count(self, levels: Levels, labels: npt.NDArray[Any]) -> None:
        """Do the same as `add`: the order of images is known when they are recognised."""
        self.add(levels, labels)

    @property
    def images(self) -> int:
        """The number of images so far."""
        return sum(self.batch_sizes)

    @property
    def is_whole(self) -> bool:
        """Whether all images of an epoch came, and were compared."""
        return self._kept == self._workload.images

    @cached_property
    def pictures(self) -> Pictures:
        """Small pictures of the images that are compared: the first ones of the epoch."""
        return np.concatenate(self._pictures)

    @cached_property
    def thumbnails(self) -> Floats:
        """The thumbnails of these images."""
        return thumbnails(self.pictures)

    @cached_property
    def labels(self) -> npt.NDArray[Any]:
        """The labels of these images."""
        return self.all_labels[: self._kept]

    @cached_property
    def all_labels(self) -> npt.NDArray[Any]:
        """The labels of all images of the epoch, as places of classes."""
        return np.concatenate(self._labels)

    @cached_property
    def recognised(self) -> Recognised:
        """The files of these images. What seems to be wrong is searched for once more."""
        first = self._recogniser.recognise(self.thumbnails)
        accused = np.flatnonzero(self._is_accused(first))
        claimed = np.unique(first.places[first.is_certain])
        unclaimed = np.setdiff1d(np.arange(self._workload.images), claimed)
        if not (0 < len(accused) <= _MOST_ACCUSED and 0 < len(unclaimed) <= _MOST_ACCUSED):
            return first
        second = self._recogniser.among(self.thumbnails[accused], unclaimed)
        better = second.likeness > first.likeness[accused]
        return first.replaced(accused[better], second.some(np.flatnonzero(better)))

    def _is_accused(self, recognised: Recognised) -> npt.NDArray[np.bool_]:
        """Return which images match no file, or one that came already, or one of another class."""
        places = np.where(recognised.is_sure, recognised.places, UNKNOWN)
        values, counts = np.unique(places, return_counts=True)
        doubled = np.isin(places, values[(counts > 1) & (values != UNKNOWN)])
        theirs = np.asarray(self._workload.labels)[places]
        mislabelled = (places != UNKNOWN) & (theirs != self.labels)
        accused: npt.NDArray[np.bool_] = (recognised.places == UNKNOWN) | doubled | mislabelled
        return accused

    @cached_property
    def certain(self) -> Places:
        """The place of each image's file; UNKNOWN if it is not certain."""
        return np.where(self.recognised.is_certain, self.recognised.places, UNKNOWN)

    def counts(self) -> Counts:
        """Return the counts, by the images that are sure.

        None is missing if some are not certain: one of these may be of any file.
        """
        workload = self._workload
        places = np.where(self.recognised.is_sure, self.recognised.places, UNKNOWN)
        came = Counter(places[places != UNKNOWN].tolist())
        doubled = {place: count - 1 for place, count in came.items() if count > 1}
        missing: list[int] = []
        if doubled and self.is_whole and (self.certain != UNKNOWN).all():
            missing = sorted(set(range(workload.images)) - set(self.certain.tolist()))
        theirs = np.asarray(workload.labels)[places]
        wrong = np.flatnonzero((places != UNKNOWN) & (theirs != self.labels))
        first_wrong = None
        if len(wrong):
            at = wrong[places[wrong].argmin()]
            name = shown(workload.class_names[int(self.labels[at])])
            first_wrong = f"{file_id(workload, int(places[at]))} as {name!r}"
        return Counts(
            images=self.images,
            missing=len(missing),
            doubled=sum(doubled.values()),
            unknown=int((self.recognised.places == UNKNOWN).sum()),
            wrong_labels=len(wrong),
            first_missing=file_id(workload, missing[0]) if missing else None,
            first_doubled=file_id(workload, min(doubled)) if doubled else None,
            first_wrong_label=first_wrong,
            are_classes_sorted=workload.are_classes_sorted,
        )
