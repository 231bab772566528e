"""The process that proves equal work: it compares two epochs with the references.

It compares all of the first epoch, from a new iterator. The second comes from `repeat()` if there
is one, as in the timed trials. Of a large folder, only its first few thousand images are compared.
Images that are augmented are recognised through their transforms (augmented/).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from feedbench.bench.equal_work import contact_sheets
from feedbench.bench.equal_work.augmented import proof as augmented_proof
from feedbench.bench.equal_work.augmented import sheet as augmented_sheet
from feedbench.bench.equal_work.augmented.epoch import AugmentedEpoch
from feedbench.bench.equal_work.augmented.recognition import Recogniser
from feedbench.bench.equal_work.compared_epoch import ComparedEpoch
from feedbench.bench.equal_work.contact_sheets import Picture
from feedbench.bench.equal_work.identity.fingerprints import Matcher
from feedbench.bench.equal_work.identity.shuffle import is_same, shuffle_of
from feedbench.bench.equal_work.judgement import judged
from feedbench.bench.equal_work.reference_files import ReferenceFiles, sheet_of
from feedbench.bench.equal_work.references import Levels, in_levels
from feedbench.bench.measured.batches.batch_checks import EpochCheck, check_range, consume
from feedbench.bench.measured.batches.batch_forms import pair
from feedbench.bench.measured.iterators import lasting
from feedbench.bench.records.messages import Counted, Event
from feedbench.bench.records.proof import Proof, Shuffle, Work
from feedbench.pipelines.contract import Feed, Workload
from feedbench.pipelines.errors import WrongWorkError

THIRD_EPOCH_IMAGES = 256  # the images of the third epoch whose order is read
SECOND_EPOCH_IMAGES = 4096  # the most images compared in the second epoch
_PROGRESS_SECONDS = 0.5
_Say = Callable[[Event], Any]
_GRADES: tuple[Work, ...] = ("same", "near", "different")


def prove(
    feed: Feed,
    workload: Workload,
    references: Path,
    sheet: Path | None,
    say: Callable[[Event], Any],
) -> Proof:
    """Return the proof of two epochs of a feed.

    `sheet` is the path of the contact sheet without its suffix. Raises WrongWorkError if shapes,
    dtypes, values, the form of labels or the number of images do not match the workload.
    """
    begun = time.monotonic()
    files = ReferenceFiles(references)
    proven = _proven if workload.augmentation is None else _proven_augmented
    proof, pictures, worst = proven(feed, workload, files, say)
    proof = msgspec.structs.replace(
        proof,
        sheet=[picture.shown for picture in pictures],
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    if sheet is not None and pictures:
        contact_sheets.write_strips(sheet, pictures)
        if proof.work != "same":
            contact_sheets.write_full(sheet, [*pictures, *worst])
    return msgspec.structs.replace(proof, seconds=time.monotonic() - begun)


_Proven = tuple[Proof, list[Picture], list[Picture]]
"""A proof, the pictures of the contact sheet, and those farthest from their references."""


def _proven(feed: Feed, workload: Workload, files: ReferenceFiles, say: _Say) -> _Proven:
    """Return the proof of images that are delivered as they are."""
    matcher = Matcher(files.fingerprints)
    reading = _Reading(workload, lambda: ComparedEpoch(workload, files, matcher), say)
    first = reading.first_epoch(feed)
    second, batches = reading.second_epoch(feed)
    orders = first.tally.order(), second.tally.order()
    third = None
    # Where the second begins as the first did, only the third shows whether `repeat()` shuffles.
    is_listed = np.array_equal(orders[0], np.arange(len(orders[0])))  # then nothing shuffles
    if hasattr(feed, "repeat") and (
        second.images == workload.images or (not is_listed and is_same(*orders))
    ):
        third = reading.third_epoch(batches, second.images).tally.order()
    tally = first.tally
    epoch, proof = _worse(first, second)
    shuffle = shuffle_of(*orders, tally.labels, tally.batch_sizes, third)
    proof = msgspec.structs.replace(proof, shuffle=shuffle, forms=reading.forms)
    return proof, epoch.pictures.on_sheet(), epoch.pictures.worst()


def _proven_augmented(feed: Feed, workload: Workload, files: ReferenceFiles, say: _Say) -> _Proven:
    """Return the proof of images that are transformed at random."""
    assert workload.augmentation is not None
    recogniser = Recogniser(files.thumbnails, workload.augmentation)
    reading = _Reading(workload, lambda: AugmentedEpoch(workload, recogniser), say)
    first = reading.first_epoch(feed, counts_classes=not recogniser.is_able)
    second, batches = reading.second_epoch(feed)
    epochs = [first, second]
    if hasattr(feed, "repeat"):  # its cache is filled in its first epoch: the next shows the same
        epochs.append(reading.third_epoch(batches, second.images))
    proof = augmented_proof.proof_of(workload.augmentation, files, recogniser, epochs)
    shuffle = Shuffle(kind="unknown")
    if recogniser.is_able:
        order, next_order, *further = augmented_proof.orders(epochs)
        third = further[0] if further else None
        shuffle = shuffle_of(order, next_order, first.all_labels, first.batch_sizes, third)
    sheet = augmented_sheet.on_sheet(first, workload, files, sheet_of(workload, files.sample))
    return msgspec.structs.replace(proof, shuffle=shuffle, forms=reading.forms), sheet, []


def _worse(first: ComparedEpoch, second: ComparedEpoch) -> tuple[ComparedEpoch, Proof]:
    """Return the worse of two epochs with its proof; the first if they are equally good."""
    proof = first.proof()
    if second.is_comparable:
        later = second.proof(number=2)
    else:
        counts = msgspec.structs.replace(second.counts(), epoch=2)
        later = judged(msgspec.structs.replace(proof, counts=counts))
    is_worse = _GRADES.index(later.work) > _GRADES.index(proof.work)
    return (second, later) if is_worse else (first, proof)


class _Epoch(Protocol):
    """What takes the images of an epoch."""

    def add(self, levels: Levels, labels: npt.NDArray[Any]) -> None:
        """Compare the images of a batch."""

    def count(self, levels: Levels, labels: npt.NDArray[Any]) -> None:
        """Note which images they are."""

    @property
    def images(self) -> int:
        """The number of images so far."""


_Kind = TypeVar("_Kind", bound=_Epoch)


class _Reading(Generic[_Kind]):
    """Reads the epochs of a feed, and checks what needs no references."""

    def __init__(self, workload: Workload, epoch: Callable[[], _Kind], say: _Say) -> None:
        self._workload = workload
        self._epoch = epoch
        self._say = say
        self._latest = 0.0
        self.forms: list[str] = []

    def first_epoch(self, feed: Feed, *, counts_classes: bool = False) -> _Kind:
        """Compare all images of an epoch from a new iterator; count the labels if it is asked."""
        check = EpochCheck(self._workload)
        epoch = self._epoch()
        for delivered in feed:
            self._batch(check, epoch, delivered)
        check.end()
        check.labels() if counts_classes else check.labels_in_range()
        self.forms = check.notes
        return epoch

    def second_epoch(self, feed: Any) -> tuple[_Kind, Iterator[Any]]:
        """Compare the images of a further epoch, or of its beginning.

        Returns the iterator too, which a feed with `repeat()` continues.
        """
        check = EpochCheck(self._workload)
        epoch = self._epoch()
        enough = min(self._workload.images, SECOND_EPOCH_IMAGES)
        batches = lasting(feed.repeat() if hasattr(feed, "repeat") else feed)
        for delivered in batches:
            self._batch(check, epoch, delivered)
            if check.images >= enough and (hasattr(feed, "repeat") or enough < check.expected):
                break
        else:
            check.end()
        check.labels_in_range()
        return epoch, batches

    def third_epoch(self, batches: Iterator[Any], of_second: int) -> _Kind:
        """Return the beginning of the epoch after the second, in the same iterator.

        `of_second` are the images of the second that were read. The others are read first.
        """
        unread = self._workload.images - of_second
        while unread > 0:
            unread -= consume(_next(batches))
        check, epoch = EpochCheck(self._workload), self._epoch()
        enough = min(self._workload.images, THIRD_EPOCH_IMAGES)
        while epoch.images < enough:
            delivered = _next(batches)
            check.batch(delivered)
            epoch.count(in_levels(pair(delivered)[0], self._workload), check.latest_labels)
        return epoch

    def _batch(self, check: EpochCheck, epoch: _Kind, delivered: object) -> None:
        """Check and compare a batch."""
        check.batch(delivered)
        images, _ = pair(delivered)
        check_range(images, self._workload)
        epoch.add(in_levels(images, self._workload), check.latest_labels)
        now = time.monotonic()
        if now - self._latest > _PROGRESS_SECONDS:
            self._latest = now
            self._say(Counted(images=check.images))


def _next(batches: Iterator[Any]) -> object:
    """Return the next batch of `repeat()`. Raises WrongWorkError if it ends."""
    for delivered in batches:
        return delivered
    raise WrongWorkError("its repeat() ended; expected epoch after epoch without an end")
