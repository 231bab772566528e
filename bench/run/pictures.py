"""`feedbench show`: a picture of what pipelines deliver. Nothing is timed or compared."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from feedbench.bench.equal_work.references import MOST, decoded, sampled
from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.pictures.delivered import Delivered
from feedbench.bench.pictures.drawing import Panel, Tile, draw
from feedbench.bench.processes.limit import Limit
from feedbench.bench.processes.progress import Listener
from feedbench.bench.processes.workload_file import read_workload
from feedbench.bench.run.choose_images import Images, choose, save_workload
from feedbench.bench.run.images_source import list_images
from feedbench.bench.run.plan import refuse_label_mode
from feedbench.bench.run.verification import Work, checked, kept_sources, prepare, work_of
from feedbench.bench.text import counted
from feedbench.pipelines.errors import FeedbenchError, RequestError
from feedbench.pipelines.images.index import Index, part, shown

if TYPE_CHECKING:
    from feedbench.pipelines.contract import Workload

_LIMIT_SECONDS = 3600.0  # of one pipeline; Ctrl-C ends it before
_GRID_COLUMNS = 5
_EPOCH_COLUMNS = 7  # 21 images: the original, and 20 epochs


@dataclass(frozen=True)
class Picture:
    """A picture, and the pipelines that are not in it."""

    picture: Image.Image
    failures: Mapping[str, str]  # why, by label


def picture_of(options: RunOptions, image: Path | None, listener: Listener) -> Picture:
    """Return a picture of what each pipeline delivers.

    It shows the first images of an epoch; with `image`, that one in each of some epochs, next to
    the original. Raises RequestError if the request is wrong or the images change meanwhile, and
    FeedbenchError if no pipeline delivers images.
    """
    with work_of(options, listener) as work:
        of_image = _save_images(work, image)
        with kept_sources(work, "while the picture was made") as sources:
            failures = prepare(work, sources)
            collected = _collect(work, of_image, failures)
            picture = _drawn(collected, read_workload(work.file), of_image)
        return Picture(picture, failures)


def _save_images(work: Work, image: Path | None) -> str:
    """Save the workload; return the file of the image that is shown alone, or ""."""
    options = work.options
    index = list_images(options, work.listener)
    refuse_label_mode(options, index)
    every = len(index.files)
    chosen = choose(options, index, [], None)
    place = None
    if image is not None:
        place = _place(image, index)
        chosen = _one_a_class(index, place)
    images = checked(work, Images(index, chosen)).measured
    save_workload(options, images, every, work.file)
    if place is None:
        return ""
    path = index.paths[place]
    if path not in images.paths:
        raise RequestError(f"--image {image}: it is a bad image", hint="name another image")
    return path


def _place(image: Path, index: Index) -> int:
    """Return the place of a file among the images, named in full or below their folder."""
    folder = os.path.realpath(index.folder)
    for path in (image, index.folder / image):
        file = os.path.relpath(os.path.realpath(path.parent), folder)
        name = os.path.normpath(os.path.join(file, path.name))  # noqa: PTH118 - as index.files are
        if name in index.files:
            return index.files.index(name)
    raise RequestError(
        f"--image {image}: expected one of the {counted(len(index.files), 'image')} of"
        f" {shown(str(index.folder))}; it is none of them",
        hint=f"name one below that folder, such as --image {shown(index.files[0])}",
    )


def _one_a_class(index: Index, place: int) -> Index:
    """Return the image at a place, and the first one of each other class: labels tell it then."""
    first = {label: at for at, label in reversed(list(enumerate(index.labels)))}
    return part(index, sorted((first | {index.labels[place]: place}).values()))


def _collect(work: Work, of_image: str, failures: dict[str, str]) -> dict[str, Delivered]:
    """Return what each pipeline delivers, by label; add to `failures` why one does not."""
    collected = {}
    for number, (label, spec) in enumerate(work.specs.items()):
        if label in failures:
            continue
        work.listener.stage(f"reading images of {label}")
        images = work.scratch / f"images-of-{number}.npz"
        record = work.trials.collect(spec, work.file, images, Limit(_LIMIT_SECONDS), of_image)
        if record.ended == "collected":
            collected[label] = Delivered.read(images)
            for note in collected[label].notes:
                work.listener.note(f"{label}: {note}")
        else:
            failures[label] = record.why or record.ended
    for label, why in failures.items():
        work.listener.note(f"{label}: {why}")
    if not collected:
        (label, why), *others = failures.items()
        count = f" (and {len(others)} more)" if others else ""
        raise FeedbenchError(f"no pipeline delivered images: {label}: {why}{count}")
    return collected


def _drawn(collected: Mapping[str, Delivered], workload: Workload, of_image: str) -> Image.Image:
    if not of_image:
        panels = [
            Panel(
                label,
                [
                    Tile(pixels, workload.class_names[place])
                    for pixels, place in zip(images.pixels, images.labels, strict=True)
                ],
            )
            for label, images in collected.items()
        ]
        return draw(panels, _GRID_COLUMNS)
    original = np.rint(sampled(decoded(of_image), workload).clip(0, MOST)).astype(np.uint8)
    panels = [
        Panel(
            label,
            [
                Tile(original, "original"),
                *(Tile(each, f"epoch {number}") for number, each in enumerate(images.pixels, 1)),
            ],
        )
        for label, images in collected.items()
    ]
    return draw(panels, _EPOCH_COLUMNS)
