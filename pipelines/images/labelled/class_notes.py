"""Notes on classes that a user may not have meant: a wrong folder, or an order of text."""

from __future__ import annotations

import os
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from feedbench.pipelines.images.index import Index, named, shown

_CONTAINERS = {
    *("train", "training", "valid", "validation", "val", "test", "testing", "eval"),
    *("data", "dataset", "datasets", "image", "images", "img", "imgs", "photos", "pictures"),
}
"""Names that folders around classes usually have, in lower case."""

_MOST_ORDERED = 6  # classes that a note lists in their order


def order_notes(class_names: Sequence[str]) -> tuple[str, ...]:
    """Return a note on numbers that are sorted as text, such as 1, 10, 11, 2; or nothing."""
    shapes = {re.sub(r"[0-9]+", "0", name) for name in class_names}
    by_number = sorted(class_names, key=_numbers)
    if len(shapes) != 1 or by_number == list(class_names):
        return ()
    order = ", ".join(map(shown, class_names[:_MOST_ORDERED]))
    label = next(at for at, name in enumerate(class_names) if by_number[at] != name)
    more = ", ..." if len(class_names) > _MOST_ORDERED else ""
    note = (
        f"Classes are sorted as text, as in Keras: {order}{more}. So class"
        f" {shown(class_names[label])} has the label {label}; --classes sets another order."
    )
    return (note,)


def root_notes(index: Index) -> Iterator[str]:
    """Yield notes on classes that look like folders around classes, and the likely classes."""
    # Of each class its first file; labels are in order.
    places = {label: bisect_left(index.labels, label) for label in range(len(index.class_names))}
    firsts = {
        label: index.files[at]
        for label, at in places.items()
        if index.labels[at : at + 1] == (label,)
    }
    is_alone = len(firsts) == 1
    for label, first in firsts.items():
        name = index.class_names[label]
        if not (is_alone or name.lower() in _CONTAINERS):
            continue
        # A class's own images are listed before those deeper down.
        inner, classes = _around_classes(index, label) if _is_nested(name, first) else (name, [])
        if len(classes) > 1:
            yield (
                f"The {'only ' * is_alone}class {shown(name)} has sub-folders that look like"
                f" classes ({len(classes)}): {named(classes)}. Did you mean the folder"
                f" {shown(str(index.folder / inner))}? Or use --classes-from leaf."
            )
    names = [index.class_names[label] for label in firsts]
    if all(name.lower() in _CONTAINERS for name in names) and not any(
        _is_nested(index.class_names[label], first) for label, first in firsts.items()
    ):
        yield (
            f"The classes are called {named(names)}, like parts of a data set or a whole one."
            " If the names of the files hold their labels, use --labels."
        )


def _is_nested(class_name: str, file: str) -> bool:
    return os.sep in file[len(class_name) + 1 :]


def _around_classes(index: Index, label: int) -> tuple[str, list[str]]:
    """Return the folder below a class whose sub-folders hold its images, and their names.

    A folder with a single folder in it does not count: the search goes deeper. A folder that holds
    images itself has no classes in it.
    """
    folder = index.class_names[label]
    files = [file for file, of in zip(index.files, index.labels, strict=True) if of == label]
    while True:
        start = len(folder) + 1
        if any(os.sep not in file[start:] for file in files):
            return folder, []
        inside = sorted({file[start : file.index(os.sep, start)] for file in files})
        if len(inside) > 1:
            return folder, inside
        folder = os.path.join(folder, inside[0])  # noqa: PTH118 - relative, as the files are


def _numbers(name: str) -> list[int | str]:
    return [int(text) if text.isdecimal() else text for text in re.split(r"([0-9]+)", name)]
