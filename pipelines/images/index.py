"""The index of an image folder: the files to measure, and those left out. No TensorFlow."""

from __future__ import annotations

import dataclasses
import os
import random
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from feedbench.pipelines.contract import Part, Records
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.file_kinds import (
    FOREIGN_SUFFIXES,
    RAW_SUFFIXES,
    SUFFIXES,
    SYSTEM_FILES,
    SYSTEM_FOLDERS,
    is_hidden,
)
from feedbench.pipelines.images.listing import (
    Entry,
    Walk,
    check_folder,
    entries,
    is_folder,
    walk,
    walk_all,
)
from feedbench.pipelines.remote.address import absolute
from feedbench.pipelines.remote.reading import Stamp, stamps
from feedbench.pipelines.remote.tree import OnListed

_MOST_NAMED = 5  # names that a sentence lists


@dataclass(frozen=True, kw_only=True)
class Split:
    """Which part of a split an index holds, and the other part."""

    subset: Part  # that the index holds
    other: Index
    by: str  # what decided: seed 0, or the folders train and val
    share: float | None = None  # of each class, for validation; None: the folder has the parts


@dataclass(frozen=True)
class Index:
    """The images of a folder in code-point order of classes and files, as Keras orders them."""

    folder: PurePath  # absolute; an Address if it is in a store
    class_names: tuple[str, ...]
    files: tuple[str, ...]  # relative to the folder
    labels: tuple[int, ...]  # of each file: its place in class_names
    ignored: int  # files without an image's suffix, or outside the class folders
    notes: tuple[str, ...] = ()  # sentences: what a user may not expect of the list
    records: Records | None = None  # the user's record files, if the files were extracted from them
    split: Split | None = None  # None: these are all images, not a part of a split
    listed: Mapping[str, Stamp] = field(default_factory=dict)  # in a store: file -> as it listed it

    @property
    def paths(self) -> tuple[str, ...]:
        """The absolute path of each file."""
        return tuple(os.path.join(self.folder, file) for file in self.files)  # noqa: PTH118

    @property
    def record_files(self) -> tuple[str, ...]:
        """The user's record files that hold any of these images."""
        if self.records is None:
            return ()
        held = {file for file, _ in self.records.places}
        return tuple(self.records.files[file] for file in sorted(held))


def index_folder(
    folder: PurePath,
    classes: Sequence[str] | None = None,
    *,
    follow_links: bool = False,
    on_listed: OnListed = lambda _: None,
) -> Index:
    """List a folder whose sub-folders are the classes; images deeper down belong to their class.

    `classes` are those to use, in their order. `on_listed` is as in `walk_all`.
    Raises RequestError if the folder is missing, cannot be read, or holds no images by class.
    """
    check_folder(folder, "one sub-folder of photos per class")
    top = entries(folder)
    below = sorted(entry.name for entry in top if is_folder(entry))
    # They are not classes, and would shift every other class's label.
    hidden = [name for name in below if is_hidden(name) and name not in (classes or ())]
    names = tuple(name for name in below if name not in hidden)
    if not names:
        files_there = len(top) - len(below)
        what = f"no sub-folder, only files ({files_there})" if files_there else "nothing in it"
        what = f"only hidden or system folders ({named(hidden)})" if hidden else what
        raise RequestError(
            f"{folder}: expected one sub-folder of photos per class; found {what}",
            hint="if the files' names hold the labels, use --labels" if top else "",
        )
    class_names, notes = ordered(names, classes)
    walks = walk_all(folder, class_names, follow_links=follow_links, on_listed=on_listed)
    files = tuple(file for walked in walks for file in walked.images)
    labels = tuple(label for label, walked in enumerate(walks) for _ in walked.images)
    ignored = len(top) - len(below) + sum(walked.others for walked in walks)
    if not files:
        raise RequestError(
            f"{folder}: expected photos ({', '.join(SUFFIXES)}) in its sub-folders"
            f" ({len(class_names)}); found {no_photo(ignored)}",
            hint=" ".join(walk_notes(walks)),
        )
    broken = sorted(entry.name for entry in top if _leads_nowhere(entry))
    if broken:
        notes = (*notes, f"Links that lead nowhere ({len(broken)}) are ignored: {named(broken)}.")
    notes = (*notes, *hidden_notes(hidden, names), *_notes(class_names, walks))
    return Index(
        absolute(folder), class_names, files, labels, ignored, notes, listed=listed_stamps(walks)
    )


def index_leaves(
    folder: PurePath, classes: Sequence[str] | None = None, *, follow_links: bool = False
) -> Index:
    """List a folder as `index_folder` does; every folder that holds images is a class.

    The name of a class is its folder's path below `folder`. Images in `folder` itself are ignored.
    """
    check_folder(folder, "folders of photos, one per class")
    walked = walk(folder, follow_links=follow_links)
    by_class: dict[str, list[str]] = {}
    for file in walked.images:
        by_class.setdefault(os.path.dirname(file), []).append(file)  # noqa: PTH120 - a million times
    outside = len(by_class.pop("", ()))
    hidden = [name for name in by_class if any(map(is_hidden, Path(name).parts))]
    hidden = [name for name in hidden if name not in (classes or ())]
    outside += sum(len(by_class.pop(name)) for name in hidden)
    if not by_class:
        raise RequestError(
            f"{folder}: expected photos ({', '.join(SUFFIXES)}) in folders below it; found"
            f" {no_photo(walked.others + outside)}",
            hint=" ".join(walk_notes([walked])),
        )
    class_names, notes = ordered(sorted(by_class), classes)
    if hidden:
        notes = (*notes, *hidden_notes(hidden, ()))
    return Index(
        absolute(folder),
        class_names,
        tuple(file for name in class_names for file in by_class[name]),
        tuple(label for label, name in enumerate(class_names) for _ in by_class[name]),
        walked.others + outside,
        (*notes, *walk_notes([walked])),
        listed=listed_stamps([walked]),
    )


def take(index: Index, images: int, seed: int) -> Index:
    """Return a part of the index: spread evenly over all classes, chosen by the seed, in order.

    A class with fewer images than its share gives all that it has; the others fill the gap. Of a
    split, the other part becomes smaller by the same factor.
    """
    if images >= len(index.files):
        return index
    if index.split is not None:
        other = index.split.other
        count = max(round(images / len(index.files) * len(other.files)), 1)
        smaller = dataclasses.replace(index.split, other=take(other, count, seed))
        index = dataclasses.replace(index, split=smaller)
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
    records = index.records
    if records is not None:
        records = dataclasses.replace(records, places=tuple(records.places[at] for at in places))
    return dataclasses.replace(
        index,
        files=tuple(index.files[place] for place in places),
        labels=tuple(index.labels[place] for place in places),
        records=records,
    )


def listed_stamps(walks: Iterable[Walk]) -> dict[str, Stamp]:
    """Return the stamps of images in a store, as it listed them."""
    return {file: stamp for walked in walks for file, stamp in walked.stamps.items()}


def stamps_of(index: Index) -> list[Stamp | None]:
    """Return the stamp of each file of an index; None if it cannot be accessed.

    A store has told most of them when it listed the files: it is asked only for the others.
    """
    known = [index.listed.get(file) for file in index.files]
    unknown = [place for place, stamp in enumerate(known) if stamp is None]
    paths = index.paths
    for place, stamp in zip(unknown, stamps([paths[at] for at in unknown]), strict=True):
        known[place] = stamp
    return known


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
    return listed([shown(name) for name in names])


def listed(texts: Sequence[str]) -> str:
    """Return texts as a list for a sentence: the first ones, and how many more there are."""
    more = len(texts) - _MOST_NAMED
    return ", ".join(texts[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def no_photo(others: int) -> str:
    """Return what a folder has in which there is no photo: other files, or none."""
    return f"none, only other files ({others})" if others else "no file"


def counts(index: Index) -> dict[str, int]:
    """Return the number of images of each class."""
    by_label = Counter(index.labels)
    return {name: by_label[label] for label, name in enumerate(index.class_names)}


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


def hidden_notes(hidden: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    """Yield what there is to say of folders that are no classes, next to the classes' `names`."""
    if not hidden:
        return
    kinds = [[SYSTEM_FOLDERS.get(part.lower()) for part in Path(name).parts] for name in hidden]
    texts = [
        shown(name) + "".join(f" ({what})" for what in kind if what)
        for name, kind in zip(hidden, kinds, strict=True)
    ]
    yield f"Hidden or system folders ({len(hidden)}) are not classes: {listed(texts)}."
    for name in hidden:
        later = sum(each > name for each in names)
        if not name.startswith(".") and later:
            yield (
                f"Keras would use {shown(name)} as a class, and shift the labels of the classes"
                f" after it ({later}) by 1: remove that folder."
            )


def walk_notes(walks: Sequence[Walk]) -> Iterator[str]:
    """Yield what there is to say of files and links that are not what an image is."""
    if links := sum(walked.links for walked in walks):
        yield (
            f"Links to folders ({links:,}) are not followed, as in Keras; --follow-links follows"
            " them."
        )
    if loops := sum(walked.loops for walked in walks):
        yield f"Links that lead to a folder around them ({loops:,}) are not followed."
    kinds = sum((walked.kinds for walked in walks), Counter[str]())
    if text := _counted(kinds, FOREIGN_SUFFIXES):
        yield (
            f"TensorFlow does not decode files of these kinds: {text}. Convert them to JPEG or PNG."
        )
    if text := _counted(kinds, RAW_SUFFIXES):
        yield f"Camera raw files are ignored: {text}. Export them as JPEG to measure them."
    made = [name for name in kinds if name.lower() in SYSTEM_FILES]
    if made:
        texts = [f"{kinds[name]:,} {shown(name)} ({SYSTEM_FILES[name.lower()]})" for name in made]
        yield f"Files of the system are ignored: {', '.join(texts)}."


def _counted(kinds: Counter[str], among: Sequence[str]) -> str:
    """Return the number of files of each kind among these, as a list; "" if there are none."""
    return ", ".join(f"{kinds[name]:,} {name}" for name in among if kinds[name])


def _notes(class_names: Sequence[str], walks: Sequence[Walk]) -> Iterator[str]:
    if empty := [n for n, walked in zip(class_names, walks, strict=True) if not walked.images]:
        yield f"No images are in the folders of these classes ({len(empty)}): {named(empty)}."
    if nested := sum(walked.nested for walked in walks):
        yield (
            f"Images in folders below a class's folder ({nested:,}) belong to that class, as in"
            " Keras; --classes-from leaf uses each of these folders as a class."
        )
    for name, images in sum((walked.system for walked in walks), Counter[str]()).items():
        yield (
            f"Images in folders {shown(name)} below a class's folder ({images:,}) belong to that"
            f" class, as in Keras. They are {SYSTEM_FOLDERS[name.lower()]}: remove them."
        )
    yield from walk_notes(walks)


def _leads_nowhere(entry: Entry) -> bool:
    return entry.is_symlink() and not os.path.exists(entry.path)  # noqa: PTH110
