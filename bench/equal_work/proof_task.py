"""The process that proves equal work: it compares two epochs with the references.

It compares all of the first epoch, from a new iterator. The second comes from `repeat()` if there
is one, as in the timed trials. Of a large folder, only its first few thousand images are compared.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from feedbench.bench.equal_work import contact_sheets
from feedbench.bench.equal_work.compared_epoch import ComparedEpoch
from feedbench.bench.equal_work.fingerprints import Matcher, fingerprints
from feedbench.bench.equal_work.image_counts import Tally
from feedbench.bench.equal_work.judgement import judged
from feedbench.bench.equal_work.reference_files import ReferenceFiles
from feedbench.bench.equal_work.references import in_levels
from feedbench.bench.equal_work.shuffle import Order, is_same, shuffle_of
from feedbench.bench.measured.batches.batch_checks import EpochCheck, check_range, consume
from feedbench.bench.measured.batches.batch_forms import pair
from feedbench.bench.measured.iterators import lasting
from feedbench.bench.records.messages import Counted, Event
from feedbench.bench.records.proof import Proof, Work
from feedbench.pipelines.contract import Feed, Workload
from feedbench.pipelines.errors import WrongWorkError

THIRD_EPOCH_IMAGES = 256  # the images of the third epoch whose order is read
SECOND_EPOCH_IMAGES = 4096  # the most images compared in the second epoch
_PROGRESS_SECONDS = 0.5
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
    comparison = _Comparison(workload, ReferenceFiles(references), say)
    first = comparison.first_epoch(feed)
    second, batches = comparison.second_epoch(feed)
    third = comparison.third_order(batches, first, second) if hasattr(feed, "repeat") else None
    epoch, proof = _worse(first, second)
    proof = msgspec.structs.replace(
        proof,
        shuffle=shuffle_of(
            first.tally.order(),
            second.tally.order(),
            first.tally.labels,
            first.tally.batch_sizes,
            third,
        ),
        forms=comparison.forms,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    if sheet is not None:
        contact_sheets.write_strips(sheet, epoch.pictures.on_sheet())
        if proof.work != "same":
            pictures = [*epoch.pictures.on_sheet(), *epoch.pictures.worst()]
            contact_sheets.write_full(sheet, pictures)
    return msgspec.structs.replace(proof, seconds=time.monotonic() - begun)


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


class _Comparison:
    """Compares the epochs of a feed with the references of its workload."""

    def __init__(
        self, workload: Workload, files: ReferenceFiles, say: Callable[[Event], Any]
    ) -> None:
        self._workload = workload
        self._files = files
        self._say = say
        self._latest = 0.0
        self.forms: list[str] = []
        self._matcher = Matcher(files.fingerprints)

    def first_epoch(self, feed: Feed) -> ComparedEpoch:
        """Compare all images of an epoch from a new iterator."""
        check = EpochCheck(self._workload)
        epoch = ComparedEpoch(self._workload, self._files, self._matcher)
        for delivered in feed:
            self._batch(check, epoch, delivered)
        check.end()
        check.labels_in_range()
        self.forms = check.notes
        return epoch

    def second_epoch(self, feed: Any) -> tuple[ComparedEpoch, Iterator[Any]]:
        """Compare the images of a further epoch, or of its beginning.

        Returns the iterator too, which a feed with `repeat()` continues.
        """
        check = EpochCheck(self._workload)
        epoch = ComparedEpoch(self._workload, self._files, self._matcher)
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

    def third_order(
        self, batches: Iterator[Any], first: ComparedEpoch, second: ComparedEpoch
    ) -> Order | None:
        """Return in which order the epoch after the second begins, in the same iterator.

        None if the second one is too long to be read to its end. It is read where it begins as the
        first one did: then only the third shows whether the order changes within `repeat()`.
        """
        unread = self._workload.images - second.tally.images
        order = first.tally.order()
        is_listed = np.array_equal(order, np.arange(len(order)))  # then nothing shuffles
        if unread and (is_listed or not is_same(order, second.tally.order())):
            return None
        while unread > 0:
            unread -= consume(_next(batches))
        check, tally = EpochCheck(self._workload), Tally(self._workload, self._matcher)
        enough = min(self._workload.images, THIRD_EPOCH_IMAGES)
        while tally.images < enough:
            delivered = _next(batches)
            check.batch(delivered)
            levels = in_levels(pair(delivered)[0], self._workload)
            tally.add(self._matcher.match(fingerprints(levels)).places, check.latest_labels)
        return tally.order()

    def _batch(self, check: EpochCheck, epoch: ComparedEpoch, delivered: object) -> None:
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
