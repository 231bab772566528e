"""The parts that a folder has: `train`, and one for validation."""

from __future__ import annotations

import dataclasses
from pathlib import PurePath

from feedbench.pipelines.contract import Part
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.index import Index, Split, named, part, shown
from feedbench.pipelines.images.layouts import Layout, index_images, parts_of

_FOLDERS: dict[Part, str] = {"training": "train", "validation": "validation"}  # as in PARTS
_OTHER: dict[Part, Part] = {"training": "validation", "validation": "training"}


def has_parts(folder: PurePath, layout: Layout) -> bool:
    """Whether a folder has a part for training and one for validation, which `layout` lists."""
    if layout.labels is not None and layout.part is None:
        return False  # the labels are those of the whole folder
    return set(_FOLDERS.values()) <= parts_of(folder).keys()


def with_other_part(index: Index, folder: PurePath, layout: Layout) -> Index:
    """Return the index of a folder's part with the other part as its `split`.

    The index itself, with a note, if the other part has no images of its classes; the index itself
    if the folder has no part for training or validation, or if it is of another part.
    """
    subset: Part = "validation" if layout.part == "validation" else "training"
    if layout.part not in {None, _FOLDERS[subset]} or not has_parts(folder, layout):
        return index
    names = parts_of(folder)
    wanted = _FOLDERS[_OTHER[subset]]
    shown_name = shown(names[wanted])
    try:
        listed = index_images(folder, dataclasses.replace(layout, part=wanted, classes=None))
    except RequestError as error:
        return _noted(index, f"The part {shown_name} is not used: {error.sentence}.")
    other = _of_classes(listed, index.class_names)
    if not other.files:
        return _noted(index, f"The part {shown_name} is not used: it has no images of the classes.")
    there = set(other.labels)
    missing = [name for label, name in enumerate(index.class_names) if label not in there]
    if missing:
        text = f"The part {shown_name} has no images of these classes ({len(missing)})"
        index = _noted(index, f"{text}: {named(missing)}.")
    folders = f"the folders {shown(names['train'])} and {shown(names['validation'])}"
    measured = shown(names[_FOLDERS[subset]])
    note = f"Used the part {measured}, and {shown_name} for {_OTHER[subset]}."
    return dataclasses.replace(
        index,
        split=Split(subset=subset, other=other, by=folders),
        notes=(note, *index.notes[1:]),  # the first one said that the other part is not used
    )


def _of_classes(index: Index, class_names: tuple[str, ...]) -> Index:
    """Return the images of these classes, labelled by their places among them."""
    label_of = {name: label for label, name in enumerate(class_names)}
    labels = [label_of.get(index.class_names[label]) for label in index.labels]
    places = [at for at, label in enumerate(labels) if label is not None]
    places.sort(key=lambda at: labels[at] or 0)  # stable: in the order of the classes
    return dataclasses.replace(
        part(index, places),
        class_names=class_names,
        labels=tuple(labels[at] or 0 for at in places),
    )


def _noted(index: Index, note: str) -> Index:
    return dataclasses.replace(index, notes=(*index.notes, note))
