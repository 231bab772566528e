"""The index of an image folder: the files to measure, and those left out. No TensorFlow."""

from __future__ import annotations

import dataclasses
import os
import random
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import NoReturn

from feedbench.pipelines.errors import RequestError

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".jpe", ".jfif", ".mpo")
"""The suffixes of images that every pipeline can decode."""

FOREIGN_SUFFIXES = (".tif", ".tiff", ".ico", ".jp2", ".jxl", ".svg", ".avif", ".heic")
"""The suffixes of images that not every pipeline decodes: such files are bad."""

_CANDIDATES = SUFFIXES + FOREIGN_SUFFIXES

_MOST_NAMED = 5  # names that a sentence lists


@dataclass(frozen=True)
class Index:
    """The images of a folder in code-point order of classes and files, as Keras orders them."""

    folder: Path  # absolute
    class_names: tuple[str, ...]
    files: tuple[str, ...]  # relative to the folder
    labels: tuple[int, ...]  # of each file: its place in class_names
    ignored: int  # files without an image's suffix, or outside the class folders
    notes: tuple[str, ...] = ()  # sentences: what a user may not expect of the list

    @property
    def paths(self) -> tuple[str, ...]:
        """The absolute path of each file."""
        return tuple(os.path.join(self.folder, file) for file in self.files)  # noqa: PTH118


@dataclass
class Walk:
    """What is below a folder, at any depth. Paths are relative to the folder of the index."""

    images: list[str] = dataclasses.field(default_factory=list)  # in order
    others: int = 0  # files without an image's suffix
    nested: int = 0  # images in folders below the folder itself
    links: int = 0  # links to folders, which are not followed


def index_folder(folder: Path, classes: Sequence[str] | None = None) -> Index:
    """List a folder whose sub-folders are the classes; images deeper down belong to their class.

    `classes` are those to use, in their order. Raises RequestError if the folder is missing,
    cannot be read, or holds no images by class.
    """
    check_folder(folder, "one sub-folder of photos a class")
    top = entries(folder)
    below = sorted(entry.name for entry in top if is_folder(entry))
    # .ipynb_checkpoints and .git are not classes, and would shift every other class's label.
    hidden = [name for name in below if name.startswith(".") and name not in (classes or ())]
    names = tuple(name for name in below if name not in hidden)
    if not names:
        what = f"no sub-folder, only files ({len(top)})" if top else "nothing in it"
        raise RequestError(
            f"{folder}: expected one sub-folder of photos a class; found {what}",
            hint="if the files' names hold the labels, use --labels" if top else "",
        )
    class_names, notes = ordered(names, classes)
    walks = [walk(folder, class_name) for class_name in class_names]
    files = tuple(file for walked in walks for file in walked.images)
    labels = tuple(label for label, walked in enumerate(walks) for _ in walked.images)
    ignored = len(top) - len(below) + sum(walked.others for walked in walks)
    if not files:
        raise RequestError(
            f"{folder}: expected photos ({', '.join(SUFFIXES)}) in its sub-folders"
            f" ({len(class_names)}); found none, only other files ({ignored})"
        )
    if hidden:
        notes = (*notes, f"Hidden folders ({len(hidden)}) are not classes: {named(hidden)}.")
    notes = (*notes, *_notes(class_names, walks))
    return Index(folder.absolute(), class_names, files, labels, ignored, notes)


def take(index: Index, images: int, seed: int) -> Index:
    """Return a part of the index: spread evenly over all classes, chosen by the seed, in order.

    A class with fewer images than its share gives all that it has; the others fill the gap.
    """
    if images >= len(index.files):
        return index
    rng = random.Random(seed)  # noqa: S311 - a choice, not a secret
    by_class: dict[int, list[int]] = {}
    for place, label in enumerate(index.labels):
        by_class.setdefault(label, []).append(place)
    chosen: list[int] = []
    remaining = images
    # The smallest class first: what it cannot give is shared out among the larger ones.
    for turn, places in enumerate(sorted(by_class.values(), key=len)):
        share = -(-remaining // (len(by_class) - turn))
        drawn = rng.sample(places, min(share, len(places), remaining))
        chosen += drawn
        remaining -= len(drawn)
    chosen.sort()
    return part(index, chosen)


def part(index: Index, places: Collection[int]) -> Index:
    """Return the part of an index that has the files at these places, in the order given."""
    return dataclasses.replace(
        index,
        files=tuple(index.files[place] for place in places),
        labels=tuple(index.labels[place] for place in places),
    )


def image_id(file: str) -> str:
    r"""Return a file's name as text that can be shown: undecodable bytes as \xNN."""
    return os.fsencode(file).decode("utf-8", "backslashreplace")


def shown(name: str) -> str:
    r"""Return a name as a sentence shows it, on one line; \uNNNN for unprintable letters."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in image_id(name)
    )


def named(names: Iterable[str]) -> str:
    """Return names as a list for a sentence: the first ones, and how many more there are."""
    texts = [shown(name) for name in names]
    more = len(texts) - _MOST_NAMED
    return ", ".join(texts[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def counts(index: Index) -> dict[str, int]:
    """Return the number of images of each class."""
    by_label = Counter(index.labels)
    return {name: by_label[label] for label, name in enumerate(index.class_names)}


def is_candidate(name: str) -> bool:
    """Tell whether a file's name has an image's suffix."""
    return name.lower().endswith(_CANDIDATES)


def check_folder(folder: Path, expected: str) -> None:
    """Raise RequestError where there is no such folder; `expected` says what it should hold."""
    try:
        missing, is_file = not folder.exists(), not folder.is_dir()
    except OSError as error:  # a folder around it may not be entered
        _refuse(error)
    if missing:
        raise RequestError(f"there is no folder {folder}: expected a folder with {expected}")
    if is_file:
        raise RequestError(f"{folder} is a file: expected a folder with {expected}")


def entries(folder: Path) -> list[os.DirEntry[str]]:
    """Return a folder's entries. Raises RequestError if it cannot be listed."""
    try:
        with os.scandir(folder) as listing:
            return list(listing)
    except OSError as error:
        _refuse(error)


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder, or a link to one; a link that leads back to itself is not."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def ordered(
    names: Sequence[str], wanted: Sequence[str] | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the classes to use, in their order, and a note on those that are left out.

    Raises RequestError if a `wanted` class is not among the `names`.
    """
    if wanted is None:
        return tuple(names), ()
    there = set(names)
    if missing := [name for name in wanted if name not in there]:
        raise RequestError(
            f"--classes: there is no class {shown(missing[0])}; found {named(names)}",
            hint="choose among these, separated by commas",
        )
    rest = sorted(there.difference(wanted))
    return tuple(wanted), (f"Other classes ({len(rest)}) are left out: {named(rest)}.",) * bool(
        rest
    )


def walk(folder: Path, below: str = "") -> Walk:
    """List the images in `folder / below` and deeper down. As in Keras, links to files count.

    Raises RequestError if a folder cannot be listed.
    """
    walked = Walk()
    # Keras sorts by the whole path, not level by level: x-1 comes before x/y.
    top = os.path.join(folder, below)  # noqa: PTH118 - as os.walk joins them
    for root, folders, names in sorted(os.walk(top, onerror=_refuse), key=itemgetter(0)):
        walked.links += sum(map(os.path.islink, (os.path.join(root, name) for name in folders)))  # noqa: PTH118
        inside = os.path.relpath(root, folder)
        prefix = "" if inside == os.curdir else inside + os.sep
        images = [prefix + name for name in sorted(names) if name.lower().endswith(_CANDIDATES)]
        walked.images += images
        walked.others += len(names) - len(images)
        if root != top:
            walked.nested += len(images)
    return walked


def _notes(class_names: Sequence[str], walks: Sequence[Walk]) -> list[str]:
    notes = []
    if empty := [n for n, walked in zip(class_names, walks, strict=True) if not walked.images]:
        notes.append(
            f"No images are in the folders of these classes ({len(empty)}): {named(empty)}."
        )
    if nested := sum(walked.nested for walked in walks):
        notes.append(
            f"Images in folders below a class's folder ({nested:,}) belong to that class, as in"
            " Keras."
        )
    if links := sum(walked.links for walked in walks):
        notes.append(
            f"Links to folders below a class's folder ({links:,}) are not followed, as in Keras."
        )
    return notes


def _refuse(error: OSError) -> NoReturn:
    raise RequestError(
        f"{error.filename} cannot be read: {error.strerror}; expected a folder that can be listed"
    ) from error
