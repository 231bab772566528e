"""Compares the batches that were kept of the timed part with the references.

The proof comes before the timed part, and a loader may deliver less after it. So every trial keeps
a few batches at random. When its windows are over, it compares them with the references, as the
proof did: their files, their labels, each image once in an epoch, and the distances of the pixels.
Augmented images are recognised through their transforms instead (augmented_images.py).
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from feedbench.bench.equal_work import references
from feedbench.bench.equal_work.identity.fingerprints import UNKNOWN, Floats
from feedbench.bench.equal_work.identity.image_counts import file_id
from feedbench.bench.equal_work.judgement import FILTER, ROUNDING, levels
from feedbench.bench.equal_work.reference_files import FINGERPRINTS
from feedbench.bench.equal_work.timed_part.augmented_images import check_augmented
from feedbench.bench.equal_work.timed_part.kept_images import (
    KeptImage,
    doubled,
    kept_images,
    unknown,
    wrongly_labelled,
)
from feedbench.bench.measured.batches.kept_batches import KeptBatch
from feedbench.bench.records.proof import Proof
from feedbench.bench.text import counted
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import WrongWorkError
from feedbench.pipelines.images.index import shown

_PIXELS = 8  # images whose pixels are compared with both references
_PIXELS_SECONDS = 1.0  # after which no further one is decoded


def check_timed_part(
    kept: Sequence[KeptBatch], workload: Workload, folder: Path, proof: Proof
) -> None:
    """Raise WrongWorkError if kept batches are other work than `proof` shows.

    `folder` has the fingerprints of the references. `proof` must be one of equal work. This takes
    about half a second; nothing may be timed meanwhile.
    """
    if not kept:
        return
    if workload.augmentation is not None:
        check_augmented(kept, workload, workload.augmentation, folder, proof)
        return
    prints: Floats = np.load(folder / FINGERPRINTS, mmap_mode="r")
    try:
        images = kept_images(kept, workload, prints)
    except WrongWorkError as error:
        raise WrongWorkError(f"in its timed part, {error.sentence}", hint=error.hint) from None
    clause = (
        _of_unknown(images, prints)
        or _of_doubled(images, workload)
        or _of_labels(images, workload)
        or _of_pixels(images, workload, proof)
    )
    if clause is not None:
        raise WrongWorkError(clause)


def _of_unknown(images: Sequence[KeptImage], prints: Floats) -> str | None:
    count = unknown(images, prints)
    if not count:
        return None
    return (
        "it delivered other images in its timed part than in the proof:"
        f" {count:,} of {counted(len(images), 'image')} match no file"
    )


def _of_doubled(images: Sequence[KeptImage], workload: Workload) -> str | None:
    places = doubled(images)
    if not places:
        return None
    return (
        f"it delivered {counted(len(places), 'image')} more than once in an epoch of its timed part"
        f" ({file_id(workload, places[0])}); expected every image once"
    )


def _of_labels(images: Sequence[KeptImage], workload: Workload) -> str | None:
    wrong = wrongly_labelled(images, workload)
    if not wrong:
        return None
    first = wrong[0]
    name = shown(workload.class_names[first.label])
    return (
        f"in its timed part, {len(wrong):,} of {counted(len(images), 'image')} have the wrong label"
        f" ({file_id(workload, first.place)} as {name!r})"
    )


def _of_pixels(images: Sequence[KeptImage], workload: Workload, proof: Proof) -> str | None:
    """Return a clause if a few images are farther from their reference than any of the proof."""
    nearer = min(
        (distance for distance in (proof.from_sampled, proof.from_filtered) if distance),
        key=lambda distance: distance.mean,
        default=None,
    )
    if nearer is None:
        return None
    is_sampled = nearer is proof.from_sampled
    mean = _mean_distance(images, workload, references.BOTH[0 if is_sampled else 1])
    if mean is None or mean <= nearer.worst + ROUNDING:
        return None
    reference = "TensorFlow's sampling" if is_sampled else FILTER
    return (
        f"its pixels are {levels(mean)} from {reference} in its timed part; in the proof, they"
        f" were {levels(nearer.mean)} from it, and {levels(nearer.worst)} in the worst image"
    )


def _mean_distance(
    images: Sequence[KeptImage], workload: Workload, reference: references.Reference
) -> float | None:
    """Return the mean distance of some images in grey levels; None if none can be compared."""
    certain = [image for image in images if image.place != UNKNOWN and image.alike == [image.place]]
    chosen = random.SystemRandom().sample(certain, min(_PIXELS, len(certain)))
    distances: list[float] = []
    begun = time.monotonic()
    for image in chosen:
        try:
            picture = references.decoded(workload.files[image.place])
        except Exception:  # noqa: BLE001, S112 - whatever a broken file makes Pillow raise
            continue
        distances.append(float(np.abs(image.levels - reference(picture, workload)).mean()))
        if time.monotonic() - begun > _PIXELS_SECONDS:
            break
    return float(np.mean(distances)) if distances else None
