"""The images of the kept batches, matched with their files."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from feedbench.bench.equal_work.identity.fingerprints import UNKNOWN, Floats, fingerprints
from feedbench.bench.equal_work.references import Levels, in_levels
from feedbench.bench.equal_work.timed_part.nearest_files import near_files
from feedbench.bench.measured.batches.batch_checks import check_labels, check_range
from feedbench.bench.measured.batches.kept_batches import KeptBatch
from feedbench.bench.measured.batches.label_forms import places_of

if TYPE_CHECKING:
    from feedbench.bench.measured.batches.batch_forms import Array
    from feedbench.pipelines.contract import Workload


@dataclass(frozen=True, kw_only=True)
class KeptImage:
    """An image of a kept batch."""

    epoch: int
    levels: Levels
    label: int
    place: int  # of the file that it matches; UNKNOWN for none
    alike: list[int] | None  # places of the files that it may be; None: very many


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """An image of a kept batch as it was delivered."""

    epoch: int
    levels: Levels
    label: int


def evidence(batches: Iterable[KeptBatch], workload: Workload) -> list[Evidence]:
    """Return the images of kept batches. Raises WrongWorkError if values or labels are invalid.

    A batch whose memory was filled again is represented by the one image that was copied.
    """
    kept: list[Evidence] = []
    for batch in batches:
        images, of_images = _intact(batch)
        check_range(images, workload)
        places = places_of(of_images, len(images), workload)
        check_labels(places, workload)
        kept += [
            Evidence(epoch=batch.epoch, levels=levels, label=int(label))
            for levels, label in zip(in_levels(images, workload), places, strict=True)
        ]
    return kept


def kept_images(
    batches: Iterable[KeptBatch], workload: Workload, references: Floats
) -> list[KeptImage]:
    """Return the images of kept batches, matched. Raises WrongWorkError as `evidence` does."""
    kept = evidence(batches, workload)
    near = near_files(
        np.concatenate([fingerprints(it.levels[np.newaxis]) for it in kept]), references
    )
    return [
        KeptImage(epoch=it.epoch, levels=it.levels, label=it.label, place=int(place), alike=alike)
        for it, place, alike in zip(kept, near.places, near.alike, strict=True)
    ]


def _intact(batch: KeptBatch) -> tuple[Array, Array]:
    """Return the images and labels that are certainly as they were delivered."""
    if batch.is_intact:
        return batch.images, batch.labels
    return batch.copied, batch.labels[batch.place : batch.place + 1]


def doubled(images: Sequence[KeptImage]) -> list[int]:
    """Return the places of files that came too often within one epoch, each once.

    An image may be any of the files that look like it, and each of these may come once.
    """
    of_file: dict[tuple[int, int], list[KeptImage]] = defaultdict(list)
    for image in images:
        if image.place != UNKNOWN and image.alike is not None:
            of_file[image.epoch, image.place].append(image)
    return sorted(
        {
            place
            for (_, place), same in of_file.items()
            if len(same) > max(len(image.alike or ()) for image in same)
        }
    )


def wrongly_labelled(images: Iterable[KeptImage], workload: Workload) -> list[KeptImage]:
    """Return the images whose label is that of no file that they may be."""
    return [
        image
        for image in images
        if image.place != UNKNOWN
        and image.alike is not None
        and image.label not in {workload.labels[place] for place in image.alike}
    ]


def unknown(images: Iterable[KeptImage], references: Floats) -> int:
    """Return how many images match no file, beyond those that have no reference.

    A file that Pillow does not decode has none, and comes once in an epoch.
    """
    lost = int(np.isnan(references[0]).any(axis=1).sum())
    of_epoch = Counter(image.epoch for image in images if image.place == UNKNOWN)
    return sum(max(count - lost, 0) for count in of_epoch.values())
