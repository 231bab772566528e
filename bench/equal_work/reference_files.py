"""The references of a workload as files, computed once for all of its pipelines.

`serve` runs in a child of the forkserver and forks a worker a core; each pipeline's process reads
what they wrote. Fingerprints are there of every image; pixels of a sample chosen by the seed, of at
most SAMPLE_IMAGES images and SAMPLE_BYTES on disk.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from feedbench.bench.equal_work import references
from feedbench.bench.equal_work.fingerprints import Floats, Places, cells_of, fingerprints
from feedbench.bench.equal_work.references import Levels
from feedbench.bench.machine.cores import usable_cores
from feedbench.bench.records.messages import Counted, Event, Referenced
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.system.workers import LostError, each

SAMPLE_IMAGES = 1000
SAMPLE_BYTES = 400_000_000
SHEET_IMAGES = 6

_FINGERPRINTS, _PIXELS, _SAMPLE = "fingerprints.npy", "pixels.npy", "sample.npy"
_PARTS = 256  # of a grey level, that a stored pixel is rounded to
_STORED_BYTES = 2
_LIMIT_SECONDS = 60.0  # for one file
_EVERY = 64  # images, between two words of progress


class ReferenceFiles:
    """What the references of a workload are, read from the folder that `serve` filled."""

    def __init__(self, folder: Path) -> None:
        self.fingerprints: Floats = np.load(folder / _FINGERPRINTS)
        self.sample: Places = np.load(folder / _SAMPLE)
        self._pixels = np.load(folder / _PIXELS, mmap_mode="r")
        self._slots = {int(place): slot for slot, place in enumerate(self.sample)}

    def pixels(self, place: int) -> tuple[Levels, Levels] | None:
        """Return both references of an image in grey levels; None where it is not of the sample."""
        slot = self._slots.get(place)
        if slot is None:
            return None
        first, second = self._pixels[:, slot].astype(np.float32) / _PARTS
        return first, second


def serve(workload: Workload, folder: Path, say: Callable[[Event], Any]) -> None:
    """Compute the references of all images into an empty folder.

    A file that Pillow does not decode has none: its fingerprint is NaN.
    """
    sample = sample_of(workload)
    shape = (workload.height, workload.width, workload.channels)
    found = np.full((2, workload.images, cells_of(*shape)), np.nan, np.float32)
    np.save(folder / _SAMPLE, sample)
    pixels = np.lib.format.open_memmap(
        folder / _PIXELS, "w+", np.uint16, shape=(2, len(sample), *shape)
    )
    del pixels  # the workers open it for themselves
    slots = {int(place): slot for slot, place in enumerate(sample)}

    def begin() -> Callable[[int], bytes]:
        opened = np.lib.format.open_memmap(folder / _PIXELS, "r+")
        return lambda place: _of_file(workload, place, opened, slots.get(place))

    lost = 0
    workers = max(int(usable_cores()), 1)
    for done, (place, answer) in enumerate(
        each(begin, workload.images, workers, _LIMIT_SECONDS), 1
    ):
        if isinstance(answer, LostError) or not answer:
            lost += 1
        else:
            found[:, place] = np.frombuffer(answer, np.float32).reshape(2, -1)
        if done % _EVERY == 0:
            say(Counted(images=done))
    np.save(folder / _FINGERPRINTS, found)
    say(Referenced(images=workload.images - lost))


def sample_of(workload: Workload) -> Places:
    """Return the places of the images whose pixels are compared, in order, chosen by the seed."""
    fitting = SAMPLE_BYTES // (2 * _STORED_BYTES * workload.image_values)
    count = min(SAMPLE_IMAGES, max(fitting, 1), workload.images)
    rng = random.Random(f"{workload.seed}/sample")  # noqa: S311 - a choice, not a secret
    return np.asarray(sorted(rng.sample(range(workload.images), count)), np.intp)


def sheet_of(workload: Workload, sample: Iterable[int]) -> list[int]:
    """Return the places of the images on the contact sheet: of the sample, by turns of class."""
    places = list(map(int, sample))
    random.Random(f"{workload.seed}/sheet").shuffle(places)  # noqa: S311
    turns: dict[int, int] = {}
    ranked = []
    for at, place in enumerate(places):
        label = workload.labels[place]
        turns[label] = turns.get(label, -1) + 1
        ranked.append((turns[label], at, place))
    return sorted(place for _, _, place in sorted(ranked)[:SHEET_IMAGES])


def _of_file(workload: Workload, place: int, pixels: npt.NDArray[Any], slot: int | None) -> bytes:
    """Write a file's references where they belong, and return its two fingerprints."""
    try:
        image = references.decoded(workload.files[place])
    except Exception:  # noqa: BLE001 - whatever a broken file makes Pillow raise
        return b""
    both = np.stack([reference(image, workload) for reference in references.BOTH])
    if slot is not None:
        pixels[:, slot] = np.rint(both * _PARTS)
    return fingerprints(both).tobytes()
