"""The references of a workload as files, computed once for all of its pipelines.

One child of the forkserver writes them (references_task.py), and each pipeline's process reads
them. They hold fingerprints of every image, and the pixels of a sample that the seed chooses. The
sample has at most SAMPLE_IMAGES images and takes at most SAMPLE_BYTES on disk. Where images are
augmented, they hold a thumbnail of every image too.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from feedbench.bench.equal_work.identity.fingerprints import Floats, Places
from feedbench.bench.equal_work.references import Levels
from feedbench.pipelines.contract import Workload

SAMPLE_IMAGES = 1000
SAMPLE_BYTES = 400_000_000
SHEET_IMAGES = 6

FINGERPRINTS, PIXELS, SAMPLE = "fingerprints.npy", "pixels.npy", "sample.npy"
THUMBNAILS = "thumbnails.npy"  # of the first reference, where the workload augments
MOST_THUMBNAILS = 20_000  # files, of 3 kB each: among more, no augmented image is searched for
PARTS = 256  # a stored pixel is rounded to this part of a grey level
_STORED_BYTES = 2  # bytes a stored value


class ReferenceFiles:
    """The references of a workload, read from their folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.fingerprints: Floats = np.load(folder / FINGERPRINTS)
        self.sample: Places = np.load(folder / SAMPLE)
        self._pixels = np.load(folder / PIXELS, mmap_mode="r")
        self._slots = {int(place): slot for slot, place in enumerate(self.sample)}

    @property
    def thumbnails(self) -> Floats:
        """The thumbnails `[files, h, w]` of all files; NaN where a file has none.

        There are none at all if the workload does not augment, or has too many files.
        """
        if not (self._folder / THUMBNAILS).is_file():
            return np.empty((0, 1, 1), np.float32)
        made: Floats = np.load(self._folder / THUMBNAILS).astype(np.float32)
        made[np.isnan(self.fingerprints[0]).any(axis=1)] = np.nan
        return made

    def pixels(self, place: int) -> tuple[Levels, Levels] | None:
        """Return both references of an image in grey levels; None if it is not in the sample."""
        slot = self._slots.get(place)
        if slot is None:
            return None
        first, second = self._pixels[:, slot].astype(np.float32) / PARTS
        return first, second


def has_thumbnails(workload: Workload) -> bool:
    """Whether the references of a workload have thumbnails."""
    return workload.augmentation is not None and workload.images <= MOST_THUMBNAILS


def kept_files(workload: Workload) -> tuple[str, ...]:
    """Return the names of the files that the check of the timed part needs."""
    return (FINGERPRINTS, THUMBNAILS) if has_thumbnails(workload) else (FINGERPRINTS,)


def sample_of(workload: Workload) -> Places:
    """Return the places of the images whose pixels are compared, in order, chosen by the seed."""
    fitting = SAMPLE_BYTES // (2 * _STORED_BYTES * workload.image_values)
    count = min(SAMPLE_IMAGES, max(fitting, 1), workload.images)
    rng = random.Random(f"{workload.seed}/sample")  # noqa: S311 - a choice, not a secret
    return np.asarray(sorted(rng.sample(range(workload.images), count)), np.intp)


def sheet_of(workload: Workload, sample: Iterable[int]) -> list[int]:
    """Return the places of the images on the contact sheet: from the sample, class by class."""
    places = list(map(int, sample))
    random.Random(f"{workload.seed}/sheet").shuffle(places)  # noqa: S311
    turns: dict[int, int] = {}
    ranked = []
    for at, place in enumerate(places):
        label = workload.labels[place]
        turns[label] = turns.get(label, -1) + 1
        ranked.append((turns[label], at, place))
    return sorted(place for _, _, place in sorted(ranked)[:SHEET_IMAGES])
