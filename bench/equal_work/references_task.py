"""The process that computes the references: it forks one worker a core."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from feedbench.bench.equal_work import references
from feedbench.bench.equal_work.augmented.thumbnails import pictures, shape_of, thumbnails
from feedbench.bench.equal_work.identity.fingerprints import cells_of, fingerprints
from feedbench.bench.equal_work.reference_files import (
    FINGERPRINTS,
    PARTS,
    PIXELS,
    SAMPLE,
    THUMBNAILS,
    has_thumbnails,
    sample_of,
)
from feedbench.bench.machine.cores import usable_cores
from feedbench.bench.records.messages import Counted, Event, Referenced
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.system.workers import LostError, each

_LIMIT_SECONDS = 60.0  # for one file
_EVERY = 64  # images between two reports of progress


def serve(workload: Workload, folder: Path, say: Callable[[Event], Any]) -> None:
    """Compute the references of all images into an empty folder.

    A file that Pillow does not decode has no reference: its fingerprint is NaN.
    """
    sample = sample_of(workload)
    shape = (workload.height, workload.width, workload.channels)
    prints = np.full((2, workload.images, cells_of(*shape)), np.nan, np.float32)
    np.save(folder / SAMPLE, sample)
    pixels = np.lib.format.open_memmap(
        folder / PIXELS, "w+", np.uint16, shape=(2, len(sample), *shape)
    )
    del pixels  # the workers open it for themselves
    small = shape_of(workload.height, workload.width)
    thumbs = np.zeros((workload.images, *small), np.float16) if has_thumbnails(workload) else None
    slots = {int(place): slot for slot, place in enumerate(sample)}

    def begin() -> Callable[[int], bytes]:
        opened = np.lib.format.open_memmap(folder / PIXELS, "r+")
        return lambda place: _of_file(workload, place, opened, slots.get(place))

    lost = 0
    workers = max(int(usable_cores()), 1)
    for done, (place, answer) in enumerate(
        each(begin, workload.images, workers, _LIMIT_SECONDS), 1
    ):
        if isinstance(answer, LostError) or not answer:
            lost += 1
        else:
            of_file = prints[:, place].size * prints.itemsize
            prints[:, place] = np.frombuffer(answer[:of_file], np.float32).reshape(2, -1)
            if thumbs is not None:
                thumbs[place] = np.frombuffer(answer[of_file:], np.float16).reshape(small)
        if done % _EVERY == 0:
            say(Counted(images=done))
    np.save(folder / FINGERPRINTS, prints)
    if thumbs is not None:
        np.save(folder / THUMBNAILS, thumbs)
    say(Referenced(images=workload.images - lost))


def _of_file(workload: Workload, place: int, pixels: npt.NDArray[Any], slot: int | None) -> bytes:
    """Write a file's references to the slot of the sample.

    Return its two fingerprints, and its thumbnail where there are any.
    """
    try:
        image = references.decoded(workload.files[place])
    except Exception:  # noqa: BLE001 - whatever a broken file makes Pillow raise
        return b""
    both = np.stack([reference(image, workload) for reference in references.BOTH])
    if slot is not None:
        pixels[:, slot] = np.rint(both * PARTS)
    prints = fingerprints(both).tobytes()
    if not has_thumbnails(workload):
        return prints
    return prints + thumbnails(pictures(both[:1])).astype(np.float16).tobytes()
