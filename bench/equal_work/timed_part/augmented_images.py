"""Compares kept batches of a pipeline that augments with the references.

As in the proof, each image is recognised through its transform, where the proof could do that. The
labels, each image once in an epoch, and the ranges of the transforms are checked. Otherwise the
values and labels alone are.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from feedbench.bench.equal_work.augmented.agreement import differences, is_plain
from feedbench.bench.equal_work.augmented.estimates import estimated, transforms_of
from feedbench.bench.equal_work.augmented.recognition import Recognised, Recogniser
from feedbench.bench.equal_work.augmented.thumbnails import pictures, thumbnails
from feedbench.bench.equal_work.identity.fingerprints import Floats
from feedbench.bench.equal_work.identity.image_counts import file_id
from feedbench.bench.equal_work.reference_files import THUMBNAILS
from feedbench.bench.equal_work.timed_part.kept_images import Evidence, evidence
from feedbench.bench.measured.batches.kept_batches import KeptBatch
from feedbench.bench.records.augmented import Augmented
from feedbench.bench.records.proof import Proof
from feedbench.bench.text import counted
from feedbench.pipelines.augmentation.ranges import Augmentation
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import WrongWorkError
from feedbench.pipelines.images.index import shown

_MOST = 64  # images that are recognised: some tenths of a second among 600 files
_LEAST_FOR_RANGES = 24  # images
_FEWER, _DEVIATIONS = 0.1, 4.0  # than the proof led to expect, may be recognised
_ACCIDENTS = 1  # images that may be taken for another file


def check_augmented(
    kept: Sequence[KeptBatch],
    workload: Workload,
    asked: Augmentation,
    folder: Path,
    proof: Proof,
) -> None:
    """Raise WrongWorkError if kept batches are other work than `proof` shows.

    `folder` has the thumbnails of the references.
    """
    try:
        images = evidence(kept, workload)
    except WrongWorkError as error:
        raise WrongWorkError(f"in its timed part, {error.sentence}", hint=error.hint) from None
    augmented = proof.augmented
    if augmented is None or not augmented.is_identity_proven or not (folder / THUMBNAILS).is_file():
        return
    files: Floats = np.load(folder / THUMBNAILS).astype(np.float32)
    images = random.SystemRandom().sample(images, min(_MOST, len(images)))
    small = np.concatenate([pictures(each.levels[np.newaxis]) for each in images])
    thumbs = thumbnails(small)
    recognised = Recogniser(files, asked).recognise(thumbs)
    clause = (
        _of_unknown(recognised, augmented)
        or _of_labels(images, recognised, workload)
        or _of_doubled(images, recognised, workload)
        or _of_ranges(thumbs, files, recognised, asked)
    )
    if clause is not None:
        raise WrongWorkError(clause)


def _of_unknown(recognised: Recognised, augmented: Augmented) -> str | None:
    count, certain = len(recognised.places), int(recognised.is_certain.sum())
    share = augmented.certain / max(augmented.tried, 1)
    deviation = math.sqrt(max(share * (1 - share), 0.01) / count)
    if certain >= count * (share - _FEWER - _DEVIATIONS * deviation):
        return None
    return (
        "it delivered other images in its timed part than in the proof:"
        f" {count - certain:,} of {counted(count, 'image')} match no file through any transform"
    )


def _of_labels(
    images: Sequence[Evidence], recognised: Recognised, workload: Workload
) -> str | None:
    wrong = [
        (image, int(place))
        for image, place, is_sure in _all(images, recognised)
        if is_sure and workload.labels[place] != image.label
    ]
    if len(wrong) <= _ACCIDENTS:
        return None
    first, place = wrong[0]
    name = shown(workload.class_names[first.label])
    return (
        f"in its timed part, {len(wrong):,} of {counted(len(images), 'image')} have the wrong label"
        f" ({file_id(workload, place)} as {name!r})"
    )


def _of_doubled(
    images: Sequence[Evidence], recognised: Recognised, workload: Workload
) -> str | None:
    came = Counter(
        (image.epoch, int(place)) for image, place, is_sure in _all(images, recognised) if is_sure
    )
    places = sorted(place for (_, place), count in came.items() if count > 1)
    if len(places) <= _ACCIDENTS:
        return None
    return (
        f"it delivered {counted(len(places), 'image')} more than once in an epoch of its timed part"
        f" ({file_id(workload, places[0])}); expected every image once"
    )


def _of_ranges(
    thumbs: Floats, files: Floats, recognised: Recognised, asked: Augmentation
) -> str | None:
    at = np.flatnonzero(recognised.is_certain)
    if len(at) < _LEAST_FOR_RANGES:
        return None
    ours, theirs = thumbs[at], files[recognised.places[at]]
    guess = recognised.affine[at]
    transforms = transforms_of(estimated(ours[..., np.newaxis], theirs[..., np.newaxis], guess))
    if transforms is None:
        return None
    if is_plain(transforms):
        return "in its timed part, its images are not augmented"
    clauses = differences(asked, transforms)
    return f"in its timed part, its images are {'; '.join(clauses)}" if clauses else None


def _all(images: Sequence[Evidence], recognised: Recognised) -> list[tuple[Evidence, int, bool]]:
    """Return each image with the place of its file, and whether that is sure."""
    places, sure = recognised.places.tolist(), recognised.is_sure.tolist()
    return list(zip(images, places, sure, strict=True))
