"""Where an image's label stands: its class's folder, its own name, or a file beside it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.index import (
    Index,
    check_folder,
    entries,
    index_folder,
    is_folder,
    shown,
)
from feedbench.pipelines.images.labels import index_labelled, is_file

PARTS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val"),
    "test": ("test", "testing"),
}
"""A part of a data set -> the names that its folder may have, in any case; of several the first."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How the images of a folder are labelled. Without anything: one sub-folder a class."""

    labels: str | None = None  # a CSV file, or a regular expression for the files' names
    classes: tuple[str, ...] | None = None  # which, and in which order
    part: str | None = None  # train, validation or test

    def __post_init__(self) -> None:
        """Raise RequestError for what cannot be meant."""
        if self.part is not None and self.part not in PARTS:
            raise RequestError(f"--part {self.part!r}: expected {' or '.join(PARTS)}")
        if self.part is not None and self.labels is not None and is_file(self.labels):
            raise RequestError(
                f"--part {self.part}: expected none beside a file of labels, which names the images"
                " itself; leave it out"
            )
        doubled = [name for name in self.classes or () if (self.classes or ()).count(name) > 1]
        if doubled or self.classes == () or "" in (self.classes or ()):
            wrong = f"{shown(doubled[0])!r} twice" if doubled else "an empty name"
            raise RequestError(f"--classes: expected names separated by commas; found {wrong}")


def index_images(folder: Path, layout: Layout) -> Index:
    """List the images of a folder by its layout.

    Raises RequestError where the folder or the layout's own files cannot be read, or hold no
    images by class.
    """
    what = "photos" if layout.labels else "one sub-folder of photos a class"
    check_folder(folder, what)
    if layout.labels is not None and layout.part is None:
        return index_labelled(folder, layout.labels, layout.classes)
    parts = _parts(folder)
    if not parts and layout.part is None:
        return index_folder(folder, layout.classes)
    name = layout.part or "train"
    if name not in parts:
        there = f"only {', '.join(parts)}" if parts else "none of them"
        raise RequestError(
            f"{folder}: expected a folder {' or '.join(PARTS[name])} for --part {name}, beside"
            f" another part, with sub-folders of its own; found {there}: leave --part out, or name"
            " the folder of that part itself"
        )
    return _of_part(folder, layout, parts, name)


def _of_part(folder: Path, layout: Layout, parts: dict[str, str], name: str) -> Index:
    inner = folder / parts[name]
    if layout.labels is not None:
        index = index_labelled(inner, layout.labels, layout.classes)
    else:
        index = index_folder(inner, layout.classes)
    others = [parts[part] for part in parts if part != name]
    beside = " and ".join(others)
    note = f"Took the part {parts[name]} and not {beside}, which lie beside it (--part)."
    return dataclasses.replace(index, notes=(note, *index.notes))


def _parts(folder: Path) -> dict[str, str]:
    """Return part -> its folder's name, where the folder holds `train` and another part.

    A class may be called train: only folders that hold folders themselves are taken for parts.
    """
    # Sorted: of Train and train it is train, whatever order the disk has.
    names_inside = sorted(entry.name for entry in entries(folder) if is_folder(entry))
    inside = {name.lower(): name for name in names_inside}
    folders = {
        part: inside[name]
        for part, names in PARTS.items()
        for name in reversed(names)
        if name in inside and any(map(is_folder, entries(folder / inside[name])))
    }
    return folders if len(folders) > 1 and "train" in folders else {}
