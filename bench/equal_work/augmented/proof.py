"""The proof of two or three epochs of a pipeline that augments."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from feedbench.bench.equal_work.augmented.agreement import (
    differences,
    is_plain,
    most_distant,
)
from feedbench.bench.equal_work.augmented.epoch import AugmentedEpoch
from feedbench.bench.equal_work.augmented.estimates import (
    LEAST_ESTIMATED,
    estimated,
    together,
    transforms_of,
)
from feedbench.bench.equal_work.augmented.frozen import frozen_share, is_frozen
from feedbench.bench.equal_work.augmented.recognition import SIMULATED, Recogniser
from feedbench.bench.equal_work.augmented.thumbnails import pictures
from feedbench.bench.equal_work.identity.fingerprints import UNKNOWN
from feedbench.bench.equal_work.identity.shuffle import Order
from feedbench.bench.equal_work.judgement import levels, of_counts, of_labels
from feedbench.bench.equal_work.reference_files import ReferenceFiles
from feedbench.bench.records.augmented import Augmented, Transforms
from feedbench.bench.records.proof import Counts, Proof, Shuffle
from feedbench.bench.text import counted
from feedbench.pipelines.augmentation.ranges import Augmentation

_FEWER = 0.1  # fewer than that may be certain: photos of a pipeline are resized otherwise
_DEVIATIONS = 4.0
_LEAST_JUDGED = 0.75  # of images expected to be certain: fewer are those transformed least
_ALL = 0.9  # of images: if so many are frozen, that is what is wrong
_MOST_WRONG = 0.1  # of labels, above which they do not follow their images
_ESTIMATED = 256  # images of an epoch


def proof_of(
    asked: Augmentation,
    files: ReferenceFiles,
    recogniser: Recogniser,
    epochs: Sequence[AugmentedEpoch],
) -> Proof:
    """Return the proof of the first two or three epochs, without their shuffle.

    The last two are compared with each other: the second and third are of one iterator.
    """
    first, *later = epochs
    transforms = _transforms(files, epochs[:2])
    recognised = first.recognised
    margins = recognised.margin[recognised.is_certain]
    augmented = Augmented(
        asked=asked,
        is_identity_proven=recogniser.is_able,
        expected=recogniser.expected[0],
        expected_recognised=recogniser.expected[1],
        tried=len(first.certain),
        recognised=int((recognised.places != UNKNOWN).sum()),
        certain=int(recognised.is_certain.sum()),
        margin=float(np.median(margins)) if len(margins) else None,
        frozen=frozen_share(*epochs[-2:]),
        transforms=transforms,
    )
    counts = _worse(first.counts(), later[0].counts())
    proof = Proof(
        work="different",
        counts=counts,
        compared=0 if transforms is None else transforms.images,
        shuffle=Shuffle(kind="unknown"),
        augmented=augmented,
    )
    return judged(proof, len(epochs))


def _worse(first: Counts, second: Counts) -> Counts:
    second = msgspec.structs.replace(second, epoch=2)

    def faults(counts: Counts) -> tuple[int, int]:
        return counts.doubled + counts.missing + counts.wrong_labels, counts.unknown

    is_worse = faults(second)[0] > 0 == faults(first)[0]
    return second if is_worse else first


def _transforms(files: ReferenceFiles, epochs: Sequence[AugmentedEpoch]) -> Transforms | None:
    """Return the transforms of the images of some epochs whose references are in the sample."""
    parts = []
    sample = set(files.sample.tolist())
    for epoch in epochs:
        at = [at for at, place in enumerate(epoch.certain.tolist()) if place in sample]
        at = at[:: max(len(at) // _ESTIMATED, 1)][:_ESTIMATED]
        references = [files.pixels(int(epoch.certain[each])) for each in at]
        those = [pair[0] for pair in references if pair is not None]
        if those:
            small = np.concatenate([pictures(image[np.newaxis]) for image in those])
            parts.append(estimated(epoch.pictures[at], small, epoch.recognised.affine[at]))
    return transforms_of(together(parts)) if parts else None


def judged(proof: Proof, epochs: int) -> Proof:
    """Return the proof with its answer and its reason, from the proof's figures. Pure.

    `epochs` is how many were read.
    """
    augmented, counts = proof.augmented, proof.counts
    assert augmented is not None
    is_wrong = _is_wrong(augmented, counts)
    fault = _fault(augmented, counts, epochs, is_wrong=is_wrong)
    if fault is not None:
        return msgspec.structs.replace(proof, work="different", is_wrong=is_wrong, reason=fault)
    return msgspec.structs.replace(proof, work="augmented", reason=_note(augmented))


def _fault(augmented: Augmented, counts: Counts, epochs: int, *, is_wrong: bool) -> str | None:
    """Return why the work is different, as a clause; None if it is as asked."""
    if is_wrong:
        return _of_wrong(counts)
    least = _least(augmented, augmented.expected) if augmented.is_identity_proven else 0
    count = min(
        augmented.certain if augmented.certain < least else augmented.tried, augmented.recognised
    )
    if augmented.certain < least or augmented.recognised < _least(
        augmented, augmented.expected_recognised
    ):
        return (
            f"{augmented.tried - count:,} of {counted(augmented.tried, 'delivered image')} match no"
            " file, however they are flipped, rotated, shifted and zoomed"
        )
    transforms = augmented.transforms
    if transforms is not None and is_plain(transforms):
        return "not augmented: its images are as they are in the files"
    same = augmented.frozen or 0.0
    clauses = []
    if is_frozen(same, max(augmented.certain, 1), augmented.asked):
        clauses.append(
            f"frozen: epochs {epochs - 1} and {epochs} show the same transforms in"
            f" {100 * same:.0f}% of images"
        )
    if transforms is None or augmented.expected < _LEAST_JUDGED or same > _ALL:
        return clauses[0] if clauses else None
    clauses = [*differences(augmented.asked, transforms), *clauses]
    most = most_distant(transforms)
    if transforms.distance > most:
        clauses.append(
            f"its pixels are {levels(transforms.distance)} from the reference with the same"
            f" transform (expected {levels(most)} at most)"
        )
    return "; ".join(clauses) or None


def _is_wrong(augmented: Augmented, counts: Counts) -> bool:
    """Whether images are missing or doubled, or labels are wrong.

    Where identity is not proven, many wrong labels among the images that are certain prove that.
    """
    if augmented.is_identity_proven:
        return not msgspec.structs.replace(counts, unknown=0).is_right
    return counts.wrong_labels > max(_MOST_WRONG * augmented.certain, LEAST_ESTIMATED)


def _least(augmented: Augmented, share: float) -> float:
    """Return how many images must be certain or recognised, of a share of a few simulated ones."""
    deviation = math.sqrt(max(share * (1 - share), 0.02) / SIMULATED)
    return augmented.tried * (share - _FEWER - _DEVIATIONS * deviation)


def _of_wrong(counts: Counts) -> str:
    clauses = filter(None, [of_counts(counts), of_labels(counts)])
    reason = "; ".join(clauses)
    if counts.wrong_labels > _MOST_WRONG * counts.images:
        reason = f"labels do not follow their images: {reason}"
    return f"in its second epoch, {reason}" if counts.epoch > 1 else reason


def _note(augmented: Augmented) -> str | None:
    """Return what the word does not prove, as a clause; None for nothing."""
    if not augmented.is_identity_proven:
        return (
            "its images cannot be recognised with certainty through these transforms; the number of"
            " images, the number of each label, and the range of values are proven"
        )
    if augmented.transforms is None:
        return "there are too few images to estimate the ranges of its transforms"
    return None


def orders(epochs: Sequence[AugmentedEpoch]) -> list[Order]:
    """Return in which order each epoch delivered the files, of those that all whole ones show."""
    places = [epoch.recognised.places for epoch in epochs]
    known = np.unique(places[0][places[0] != UNKNOWN])
    for epoch, those in zip(epochs[1:], places[1:], strict=True):
        if epoch.is_whole:
            known = np.intersect1d(known, those)
    return [np.searchsorted(known, those[np.isin(those, known)]) for those in places]
