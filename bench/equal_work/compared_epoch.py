"""Compares an epoch, or its beginning, with the references, image by image."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from feedbench.bench.equal_work.augmented.thumbnails import Pictures, pictures
from feedbench.bench.equal_work.contact_sheets import Picture
from feedbench.bench.equal_work.identity.fingerprints import (
    ALIKE,
    UNKNOWN,
    Floats,
    Matcher,
    fingerprints,
)
from feedbench.bench.equal_work.identity.image_counts import Tally, file_id
from feedbench.bench.equal_work.judgement import ROUNDING, judged
from feedbench.bench.equal_work.mistakes import in_transform, recognition
from feedbench.bench.equal_work.pixel_distances import Pixels
from feedbench.bench.equal_work.reference_files import ReferenceFiles, sheet_of
from feedbench.bench.equal_work.references import Levels
from feedbench.bench.records.proof import Counts, Likeness, Proof, Shuffle
from feedbench.pipelines.contract import Workload

LEAST_COMPARED = 64  # images that a part of an epoch needs for its mean distance to be judged
# Files whose fingerprints differ by less than this many times the pixels' mean distance are equal.
# Otherwise a fast transform or another filter would confuse the frames of a burst.
_BLUR = 3.0
_MOST_OF = 0.75  # of the images that a mistake is tried on: it explains fewer if all differ
_MOST_UNKNOWN = 256  # fingerprints kept of images that match no file


class ComparedEpoch:
    """The images of an epoch, or of its beginning, compared with the references."""

    def __init__(self, workload: Workload, files: ReferenceFiles, matcher: Matcher) -> None:
        sheet = sheet_of(workload, files.sample)
        step = max(len(files.sample) // recognition.FILES, 1)
        self._workload = workload
        self._matcher = matcher
        self._tried = files.sample[::step].tolist()  # places of files to try known mistakes on
        self._files = files
        self._pixels = Pixels(workload, files, {*sheet, *self._tried})
        self._unknown: list[Floats] = []  # fingerprints of images that match no file
        self._unknown_pictures: list[Pictures] = []
        self.tally = Tally(workload, matcher)
        self.pictures = EpochPictures(workload, files, self._pixels, sheet)

    def add(self, levels: Levels, labels: npt.NDArray[Any]) -> None:
        """Count a batch's images in grey levels, and compare their pixels."""
        prints = fingerprints(levels)
        places = self._matcher.match(prints).places
        self.tally.add(places, labels)
        if len(self._unknown) < _MOST_UNKNOWN:
            unknown = np.flatnonzero(places == UNKNOWN)
            self._unknown.extend(prints[at : at + 1] for at in unknown)
            if len(unknown) and len(self._unknown_pictures) < in_transform.MOST:
                self._unknown_pictures += list(pictures(levels[unknown]))
        for image, place, label in zip(levels, places.tolist(), labels.tolist(), strict=True):
            self.pictures.add(place, image, label)
            if place != UNKNOWN:
                self._pixels.add(place, image)

    def count(self, levels: Levels, labels: npt.NDArray[Any]) -> None:
        """Count a batch's images, without comparing their pixels."""
        self.tally.add(self._matcher.match(fingerprints(levels)).places, labels)

    @property
    def images(self) -> int:
        """The number of images so far."""
        return self.tally.images

    @property
    def is_comparable(self) -> bool:
        """Whether all images came, or enough of the sample to judge their mean distance by."""
        is_whole = self.tally.images == self._workload.images
        return is_whole or self._pixels.compared >= LEAST_COMPARED

    def proof(self, number: int = 1) -> Proof:
        """Return the proof of this epoch, the first or the second, without its shuffle."""
        sampled, filtered = self._pixels.distances()
        return judged(
            Proof(
                work="different",
                counts=msgspec.structs.replace(self.counts(), epoch=number),
                compared=self._pixels.compared,
                off=self._pixels.off,
                others_mean=self._pixels.others_mean,
                from_sampled=sampled,
                from_filtered=filtered,
                between=self._pixels.between,
                likeness=self._likeness(),
                shuffle=Shuffle(kind="unknown"),
            )
        )

    def counts(self) -> Counts:
        """Return the counts. Files that differ by less than the pixels' error count as equal."""
        counts = self.tally.counts()
        nearer = self._pixels.nearer
        if not counts.is_right and nearer is not None and _BLUR * nearer > ALIKE:
            counts = self.tally.counts(self._matcher.alike(_BLUR * nearer))
        if self.tally.images < self._workload.images:  # only the beginning was compared
            counts = msgspec.structs.replace(counts, missing=0, first_missing=None)
        return counts

    def _likeness(self) -> Likeness | None:
        """Return the known mistake in the images, if they are far from both references."""
        undelivered = self.tally.undelivered()
        if undelivered and self._unknown:
            step = max(len(undelivered) // recognition.FILES, 1)
            mistake = recognition.of_unknown(
                self._workload,
                undelivered[::step],
                np.concatenate(self._unknown),
                self._matcher,
            )
            if mistake is None or mistake.images < _MOST_OF * len(undelivered[::step]):
                mistake = self._augmentation() or mistake
            if mistake is not None:
                return mistake
        distance, kept = self._pixels.nearer, self._pixels.kept
        tried = {place: kept[place] for place in self._tried if place in kept}
        if distance is None or distance <= ROUNDING or not tried:
            return None
        return recognition.of_pixels(self._workload, tried, distance)

    def _augmentation(self) -> Likeness | None:
        """Return what is done at random to the images that match no file."""
        images = np.stack(self._unknown_pictures[: in_transform.MOST])
        unknown = self.tally.counts().unknown
        share = unknown / max(self.tally.images, 1)
        return in_transform.of_augmentation(self._files, images, share)


class EpochPictures:
    """The pictures of an epoch for its contact sheet."""

    def __init__(
        self, workload: Workload, files: ReferenceFiles, pixels: Pixels, sheet: list[int]
    ) -> None:
        """Prepare the pictures of the files at the places `sheet`; `pixels` keeps their images."""
        self._workload = workload
        self._files = files
        self._pixels = pixels
        self._sheet = sheet
        self._labels: dict[int, int] = {}  # by place, as the image was delivered first
        self._unknown: list[tuple[Levels, int]] = []  # images of no file, and their labels

    def add(self, place: int, image: Levels, label: int) -> None:
        """Note an image's label, and keep a few images whose place is UNKNOWN."""
        if place != UNKNOWN:
            self._labels.setdefault(place, label)
        elif len(self._unknown) < len(self._sheet):
            self._unknown.append((image.copy(), label))

    def on_sheet(self) -> list[Picture]:
        """Return the pictures of the sheet; unknown images fill in for those not delivered."""
        spare = iter(self._unknown)
        pictures = []
        for place in self._sheet:
            levels, label = self._pixels.kept.get(place), self._labels.get(place)
            if levels is None:
                levels, label = next(spare, (None, None))
            pictures.append(self._picture(place, levels, label))
        return pictures

    def worst(self) -> list[Picture]:
        """Return the images farthest from their references, except those on the sheet."""
        return [
            self._picture(place, levels, self._labels.get(place))
            for place, levels in self._pixels.worst.items()
            if place not in self._sheet
        ]

    def _picture(self, place: int, levels: Levels | None, label: int | None) -> Picture:
        names = self._workload.class_names
        references = self._files.pixels(place)
        return Picture(
            file=file_id(self._workload, place),
            class_name=names[self._workload.labels[place]],
            delivered_as=None if label is None else names[label],
            reference=None if references is None else references[0],
            delivered=levels,
        )
