"""Where an image's label is: its class's folder, the file's name, or a CSV file."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.index import Index, index_folder, index_leaves, shown
from feedbench.pipelines.images.labelled.class_notes import order_notes, root_notes
from feedbench.pipelines.images.labelled.labels import index_labelled, is_file
from feedbench.pipelines.images.listing import check_folder, entries, is_folder
from feedbench.pipelines.remote.tree import OnListed

ClassesFrom = Literal["top", "leaf"]
"""The folders that are classes: those in the folder itself, or each below that holds images."""

PARTS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val"),
    "test": ("test", "testing"),
}
"""A part of a data set -> the names that its folder may have, in any case; the first one wins."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How the images of a folder are labelled. The default: one sub-folder per class."""

    labels: str | None = None  # a CSV file, or a regular expression for paths below the folder
    label_column: str | None = None  # of a CSV file: a title, or a number from 1
    classes: tuple[str, ...] | None = None  # the classes to use, in their order; None: all
    part: str | None = None  # train, validation or test
    classes_from: ClassesFrom = "top"
    follow_links: bool = False  # links to folders, below the classes' folders

    def __post_init__(self) -> None:
        """Raise RequestError for a part, labels or classes that cannot be used."""
        if self.part is not None and self.part not in PARTS:
            raise RequestError(f"--part {self.part!r}: expected {' or '.join(PARTS)}")
        if self.part is not None and self.labels is not None and is_file(self.labels):
            raise RequestError(
                f"--part {self.part}: expected no --part with a CSV file, which lists the images"
                " itself",
                hint="leave --part out",
            )
        if self.label_column is not None and not (self.labels and is_file(self.labels)):
            raise RequestError(
                f"--label-column {self.label_column!r}: expected a CSV file for --labels",
                hint="name the file with --labels, or leave --label-column out",
            )
        if self.classes_from == "leaf" and self.labels is not None:
            raise RequestError(
                "--classes-from leaf: expected no --labels, which names the classes itself",
                hint="leave one of the two out",
            )
        doubled = [name for name in self.classes or () if (self.classes or ()).count(name) > 1]
        if doubled or self.classes == () or "" in (self.classes or ()):
            wrong = f"{shown(doubled[0])!r} twice" if doubled else "an empty name"
            raise RequestError(f"--classes: expected names separated by commas; found {wrong}")


def index_images(folder: PurePath, layout: Layout, on_listed: OnListed = lambda _: None) -> Index:
    """List the images of a folder by its layout. `on_listed` is as in `walk_all`.

    Raises RequestError if the folder or the CSV file cannot be read, or if they hold no images by
    class.
    """
    what = "photos" if layout.labels else "one sub-folder of photos per class"
    check_folder(folder, what)
    if layout.labels is not None and layout.part is None:
        return _index(folder, layout, on_listed)
    parts = parts_of(folder)
    if not parts and layout.part is None:
        return _index(folder, layout, on_listed)
    name = layout.part or "train"
    if name not in parts:
        there = f"only {', '.join(parts)}" if parts else "no parts"
        raise RequestError(
            f"{folder}: for --part {name}, expected a folder {' or '.join(PARTS[name])} with"
            f" sub-folders, next to another part; found {there}",
            hint="leave --part out, or give the part's folder as FOLDER",
        )
    index = _index(folder / parts[name], layout, on_listed)
    others = " and ".join(parts[part] for part in parts if part != name)
    note = f"Used the part {parts[name]}, and not {others}; --part selects another."
    return dataclasses.replace(index, notes=(note, *index.notes))


def _index(folder: PurePath, layout: Layout, on_listed: OnListed) -> Index:
    """List the images of a folder that has no parts, with notes on its classes."""
    classes, follow_links = layout.classes, layout.follow_links
    if layout.labels is not None:
        index = index_labelled(
            folder,
            layout.labels,
            classes,
            follow_links=follow_links,
            label_column=layout.label_column,
        )
        notes = order_notes(index.class_names)
    elif layout.classes_from == "leaf":
        index = index_leaves(folder, classes, follow_links=follow_links)
        notes = order_notes(index.class_names)
    else:
        index = index_folder(folder, classes, follow_links=follow_links, on_listed=on_listed)
        notes = (*order_notes(index.class_names), *root_notes(index))
    return index if classes else dataclasses.replace(index, notes=(*notes, *index.notes))


def parts_of(folder: PurePath) -> dict[str, str]:
    """Return part -> its folder's name, where the folder holds `train` and another part.

    A class may be called train, so only folders that hold folders count as parts.
    """
    # Sorted: train wins over Train, in whatever order the disk lists them.
    names_inside = sorted(entry.name for entry in entries(folder) if is_folder(entry))
    inside = {name.lower(): name for name in names_inside}
    folders = {
        part: inside[name]
        for part, names in PARTS.items()
        for name in reversed(names)
        if name in inside and any(map(is_folder, entries(folder / inside[name])))
    }
    return folders if len(folders) > 1 and "train" in folders else {}
