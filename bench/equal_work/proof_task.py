"""What happens in the process that proves equal work: two epochs laid beside the references.

The first comes by a new iterator, and all of it is compared. The second comes by `repeat()` where
there is one, as the rates do; of a large folder, its first few thousand images.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from feedbench.bench.equal_work import contact_sheets, known_mistakes
from feedbench.bench.equal_work.contact_sheets import Picture
from feedbench.bench.equal_work.fingerprints import ALIKE, UNKNOWN, Floats, Matcher, fingerprints
from feedbench.bench.equal_work.image_counts import Tally, file_id
from feedbench.bench.equal_work.judgement import ROUNDING, judged
from feedbench.bench.equal_work.pixel_distances import Pixels
from feedbench.bench.equal_work.reference_files import ReferenceFiles, sheet_of
from feedbench.bench.equal_work.references import Levels, in_levels
from feedbench.bench.equal_work.shuffle import shuffle_of
from feedbench.bench.measured.batch_checks import EpochCheck, check_range, pair
from feedbench.bench.measured.iterators import lasting
from feedbench.bench.records.messages import Counted, Event
from feedbench.bench.records.proof import Counts, Likeness, Proof, Shuffle, Work
from feedbench.pipelines.contract import Feed, Workload

SECOND_EPOCH_IMAGES = 4096  # that are looked at, at most
_SAY_SECONDS = 0.5
_LEAST_COMPARED = 64  # images of a part of an epoch whose mean distance is judged
# How much nearer to another file an image's fingerprint may come to lie, times the mean distance of
# its pixels: fast transforms and other filters would else take one frame of a burst for another.
_BLUR = 3.0
_GRADES: tuple[Work, ...] = ("same", "near", "different")
_MOST_UNKNOWN = 256  # images of no file that are remembered by their fingerprints


def prove(
    feed: Feed,
    workload: Workload,
    references: Path,
    sheet: Path | None,
    say: Callable[[Event], Any],
) -> Proof:
    """Return what two epochs of a feed were found to be.

    `sheet` is where the contact sheet goes, without its suffix. Raises WrongWorkError where shapes,
    dtypes, values, the form of labels or the number of images are not those of the workload.
    """
    begun = time.monotonic()
    comparison = _Comparison(workload, ReferenceFiles(references), say)
    first, second = comparison.first_epoch(feed), comparison.second_epoch(feed)
    epoch, proof = _worse(first, second)
    proof = msgspec.structs.replace(
        proof,
        shuffle=shuffle_of(
            first.tally.order(), second.tally.order(), first.tally.labels, first.tally.batch_sizes
        ),
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    if sheet is not None:
        contact_sheets.write_strips(sheet, epoch.pictures())
        if proof.work != "same":
            contact_sheets.write_full(sheet, [*epoch.pictures(), *epoch.worst_pictures()])
    return msgspec.structs.replace(proof, seconds=time.monotonic() - begun)


def _worse(first: _Epoch, second: _Epoch) -> tuple[_Epoch, Proof]:
    """Return the first epoch and what it was found to be, or the second where that is worse."""
    proof = first.proof()
    if second.is_comparable:
        later = second.proof(number=2)
    else:
        counts = msgspec.structs.replace(second.counts(), epoch=2)
        later = judged(msgspec.structs.replace(proof, counts=counts))
    is_worse = _GRADES.index(later.work) > _GRADES.index(proof.work)
    return (second, later) if is_worse else (first, proof)


class _Comparison:
    """A workload beside its references, epoch by epoch."""

    def __init__(
        self, workload: Workload, files: ReferenceFiles, say: Callable[[Event], Any]
    ) -> None:
        self._workload = workload
        self._files = files
        self._say = say
        self._said = 0.0
        self._matcher = Matcher(files.fingerprints)

    def first_epoch(self, feed: Feed) -> _Epoch:
        """Compare all images of an epoch by a new iterator."""
        check = EpochCheck(self._workload)
        epoch = _Epoch(self._workload, self._files, self._matcher)
        for delivered in feed:
            self._batch(check, epoch, delivered)
        check.end()
        check.labels_in_range()
        return epoch

    def second_epoch(self, feed: Any) -> _Epoch:
        """Compare the images of a further epoch, or of its beginning."""
        check = EpochCheck(self._workload)
        epoch = _Epoch(self._workload, self._files, self._matcher)
        enough = min(self._workload.images, SECOND_EPOCH_IMAGES)
        for delivered in lasting(feed.repeat() if hasattr(feed, "repeat") else feed):
            self._batch(check, epoch, delivered)
            if check.images >= enough and (hasattr(feed, "repeat") or enough < check.expected):
                break
        else:
            check.end()
        check.labels_in_range()
        return epoch

    def _batch(self, check: EpochCheck, epoch: _Epoch, delivered: object) -> None:
        """Check and compare a batch."""
        check.batch(delivered)
        images, _ = pair(delivered)
        check_range(images, self._workload)
        epoch.add(in_levels(images, self._workload), check.latest_labels)
        now = time.monotonic()
        if now - self._said > _SAY_SECONDS:
            self._said = now
            self._say(Counted(images=check.images))


class _Epoch:
    """What was seen of the images of an epoch, or of its beginning."""

    def __init__(self, workload: Workload, files: ReferenceFiles, matcher: Matcher) -> None:
        self.tally = Tally(workload, matcher)
        self._workload = workload
        self._files = files
        self._matcher = matcher
        self._sheet = sheet_of(workload, files.sample)
        self._tried = files.sample[:: max(len(files.sample) // known_mistakes.FILES, 1)].tolist()
        self._pixels = Pixels(workload, files, {*self._sheet, *self._tried})
        self._delivered_as: dict[int, int] = {}  # place -> label
        self._unknown: list[Floats] = []
        self._unknown_pictures: list[tuple[Levels, int]] = []  # and its label

    def add(self, levels: Levels, labels: npt.NDArray[Any]) -> None:
        """Count a batch's images in grey levels, and compare their pixels."""
        found = fingerprints(levels)
        places = self._matcher.match(found).places
        self.tally.add(places, labels)
        if len(self._unknown) < _MOST_UNKNOWN:
            self._unknown.extend(found[at : at + 1] for at in np.flatnonzero(places == UNKNOWN))
        for image, place, label in zip(levels, places.tolist(), labels.tolist(), strict=True):
            if place != UNKNOWN:
                self._delivered_as.setdefault(place, label)
                self._pixels.add(place, image)
            elif len(self._unknown_pictures) < len(self._sheet):
                self._unknown_pictures.append((image.copy(), label))

    @property
    def is_comparable(self) -> bool:
        """Whether all is there, or of the sample as much as its mean can be judged by."""
        is_whole = self.tally.images == self._workload.images
        return is_whole or self._pixels.compared >= _LEAST_COMPARED

    def proof(self, number: int = 1) -> Proof:
        """Return what this epoch, the first or the second, was found to be, but for its order."""
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
                likeness=self._likeness(),
                shuffle=Shuffle(kind="unknown"),
                sheet=[picture.shown for picture in self.pictures()],
            )
        )

    def counts(self) -> Counts:
        """Return the counts, by which files are alike to who delivers such pixels."""
        found = self.tally.counts()
        nearer = self._pixels.nearer
        if not found.is_right and nearer is not None and _BLUR * nearer > ALIKE:
            found = self.tally.counts(self._matcher.alike(_BLUR * nearer))
        if self.tally.images < self._workload.images:  # no more of it was looked at
            found = msgspec.structs.replace(found, missing=0, first_missing=None)
        return found

    def _likeness(self) -> Likeness | None:
        """Return what the pixels are, where they are far from both references."""
        undelivered = self.tally.undelivered()
        if undelivered and self._unknown:
            step = max(len(undelivered) // known_mistakes.FILES, 1)
            found = known_mistakes.of_unknown(
                self._workload, undelivered[::step], np.concatenate(self._unknown)
            )
            if found is not None:
                return found
        distance = self._pixels.nearer
        tried = {
            place: self._pixels.kept[place] for place in self._tried if place in self._pixels.kept
        }
        if distance is None or distance <= ROUNDING or not tried:
            return None
        return known_mistakes.of_pixels(self._workload, tried, distance)

    def pictures(self) -> list[Picture]:
        """Return the images of the contact sheet, unknown ones in place of those that are not."""
        spare = iter(self._unknown_pictures)
        found = []
        for place in self._sheet:
            levels, label = self._pixels.kept.get(place), self._delivered_as.get(place)
            if levels is None:
                levels, label = next(spare, (None, None))
            found.append(self._picture(place, levels, label))
        return found

    def worst_pictures(self) -> list[Picture]:
        """Return the images farthest from their references that are not on the sheet already."""
        return [
            self._picture(place, levels, self._delivered_as.get(place))
            for place, levels in self._pixels.worst.items()
            if place not in self._sheet
        ]

    def _picture(self, place: int, levels: Levels | None, label: int | None) -> Picture:
        names = self._workload.class_names
        pair = self._files.pixels(place)
        return Picture(
            file=file_id(self._workload, place),
            class_name=names[self._workload.labels[place]],
            delivered_as=None if label is None else names[label],
            reference=None if pair is None else pair[0],
            delivered=levels,
        )
