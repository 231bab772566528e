"""The index of an image folder: which files are measured, and what was left out. No TensorFlow."""

from __future__ import annotations

import os
import random
from collections import Counter
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import NoReturn

from feedbench.pipelines.errors import RequestError

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".gif")
"""What every pipeline can decode, by the file's name."""


@dataclass(frozen=True)
class Index:
    """The images of a folder in code-point order of classes and files, as Keras orders them."""

    folder: Path  # absolute
    class_names: tuple[str, ...]
    files: tuple[str, ...]  # relative to the folder
    labels: tuple[int, ...]  # of each file: its place in class_names
    ignored: int  # files that have no image's suffix, or stand outside the class folders

    @property
    def paths(self) -> tuple[str, ...]:
        """The absolute path of each file."""
        return tuple(os.path.join(self.folder, file) for file in self.files)  # noqa: PTH118


def index_folder(folder: Path) -> Index:
    """List a folder whose sub-folders are the classes; images deeper down belong to their class.

    Raises RequestError where the folder is missing, cannot be read, or holds no images by class.
    """
    try:
        missing, is_file = not folder.exists(), not folder.is_dir()
    except OSError as error:  # a folder around it may not be entered
        _refuse(error)
    if missing:
        raise RequestError(
            f"there is no folder {folder}: expected a folder with one sub-folder of photos a class"
        )
    if is_file:
        raise RequestError(f"{folder} is a file: expected a folder with one sub-folder a class")
    top = _entries(folder)
    class_names = tuple(sorted(entry.name for entry in top if entry.is_dir()))
    if not class_names:
        found = f"no sub-folder, only files ({len(top)})" if top else "nothing in it"
        raise RequestError(f"{folder}: expected one sub-folder of photos a class; found {found}")
    files: list[str] = []
    labels: list[int] = []
    ignored = len(top) - len(class_names)
    for label, class_name in enumerate(class_names):
        images, others = _images_below(folder, class_name)
        files += images
        labels += [label] * len(images)
        ignored += others
    if not files:
        raise RequestError(
            f"{folder}: expected photos ({', '.join(SUFFIXES)}) in its sub-folders"
            f" ({len(class_names)}); found none, only other files ({ignored})"
        )
    return Index(folder.absolute(), class_names, tuple(files), tuple(labels), ignored)


def take(index: Index, images: int, seed: int) -> Index:
    """Return a part of the index: evenly over all classes, chosen by the seed, order kept.

    A class with fewer images than its share gives all that it has; the others fill the gap.
    """
    if images >= len(index.files):
        return index
    rng = random.Random(seed)  # noqa: S311 - a choice, not a secret
    by_class: dict[int, list[int]] = {}
    for place, label in enumerate(index.labels):
        by_class.setdefault(label, []).append(place)
    chosen: list[int] = []
    left = images
    # The smallest class first: what it cannot give is shared out among the larger ones.
    for turn, places in enumerate(sorted(by_class.values(), key=len)):
        share = -(-left // (len(by_class) - turn))
        part = rng.sample(places, min(share, len(places), left))
        chosen += part
        left -= len(part)
    chosen.sort()
    return Index(
        index.folder,
        index.class_names,
        tuple(index.files[place] for place in chosen),
        tuple(index.labels[place] for place in chosen),
        index.ignored,
    )


def image_id(file: str) -> str:
    r"""Return a file's name as text that can be shown: undecodable bytes as \xNN."""
    return os.fsencode(file).decode("utf-8", "backslashreplace")


def counts(index: Index) -> dict[str, int]:
    """Return the number of images of each class."""
    found = Counter(index.labels)
    return {name: found[label] for label, name in enumerate(index.class_names)}


def _images_below(folder: Path, class_name: str) -> tuple[list[str], int]:
    """Return the class's images, relative to the folder and in order, and the count of others.

    As in Keras: links to folders are not followed down, links to files are files.
    """
    images: list[str] = []
    others = 0
    # Keras sorts by the whole path, not level by level: x-1 comes before x/y.
    walked = os.walk(folder / class_name, onerror=_refuse)
    for root, _, names in sorted(walked, key=itemgetter(0)):
        below = os.path.relpath(root, folder)
        for name in sorted(names):
            if name.lower().endswith(SUFFIXES):
                images.append(os.path.join(below, name))  # noqa: PTH118 - a million times
            else:
                others += 1
    return images, others


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        _refuse(error)


def _refuse(error: OSError) -> NoReturn:
    raise RequestError(
        f"{error.filename} cannot be read: {error.strerror}; expected a folder that may be listed"
    ) from error
