"""Reading folders: whether one is there, what is in it, and which images are below it."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path, PurePath
from typing import NoReturn, Protocol

from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.file_kinds import SUFFIXES, SYSTEM_FOLDERS, is_candidate, kind
from feedbench.pipelines.images.no_folder import refuse_file
from feedbench.pipelines.remote import tree
from feedbench.pipelines.remote.address import Address
from feedbench.pipelines.remote.reading import Stamp


@dataclass
class Walk:
    """What is below a folder, at any depth. Paths are relative to the folder of the index."""

    images: list[str] = dataclasses.field(default_factory=list)  # in order
    others: int = 0  # files without an image's suffix
    other_files: list[str] = dataclasses.field(default_factory=list)  # these, if asked for
    nested: int = 0  # images in folders below the folder itself
    links: int = 0  # links to folders, which are not followed
    loops: int = 0  # links to a folder around them, which are never followed
    kinds: Counter[str] = dataclasses.field(default_factory=Counter)  # files, by `kind`
    system: Counter[str] = dataclasses.field(default_factory=Counter)  # images, by system folder
    stamps: dict[str, Stamp] = dataclasses.field(default_factory=dict)  # of images in a store


class Entry(Protocol):
    """What is directly in a folder: an os.DirEntry, or an entry of a store."""

    @property
    def name(self) -> str:
        """Its name in the folder."""
        ...

    @property
    def path(self) -> str:
        """Its path, or its address."""
        ...

    def is_dir(self) -> bool:
        """Whether it is a folder."""
        ...

    def is_symlink(self) -> bool:
        """Whether it is a link."""
        ...


def check_folder(folder: PurePath, expected: str) -> None:
    """Raise RequestError if there is no such folder; `expected` says what it should hold."""
    if isinstance(folder, Address):
        tree.check(folder, expected)
        return
    folder = Path(folder)
    try:
        missing, is_file = not folder.exists(), not folder.is_dir()
    except OSError as error:  # a folder around it may not be entered
        _refuse(error)
    if missing:
        raise RequestError(f"there is no folder {folder}: expected a folder with {expected}")
    if is_file:
        refuse_file(folder, expected)


def entries(folder: PurePath) -> list[Entry]:
    """Return a folder's entries. Raises RequestError if it cannot be listed."""
    if isinstance(folder, Address):
        return [*tree.entries(folder)]
    try:
        with os.scandir(folder) as listing:
            return list(listing)
    except OSError as error:
        _refuse(error)


def is_folder(entry: Entry) -> bool:
    """Whether it is a folder, or a link to one; a link that leads back to itself is not."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def walk(
    folder: PurePath, below: str = "", *, follow_links: bool = False, list_others: bool = False
) -> Walk:
    """List the images in `folder / below` and deeper down. As in Keras, links to files count.

    Links to folders count if they are followed, unless they lead to a folder around them.
    Raises RequestError if a folder cannot be listed.
    """
    if isinstance(folder, Address):
        return _walked(folder, below, tree.tree(folder / below), list_others=list_others)
    walked = Walk()
    top = os.path.join(folder, below)  # noqa: PTH118 - as os.walk joins them
    folders = _folders(top, walked, follow_links=follow_links)
    return _filled(walked, folder, top, folders, list_others=list_others)


def walk_all(
    folder: PurePath,
    names: Sequence[str],
    *,
    follow_links: bool = False,
    on_listed: tree.OnListed = lambda _: None,
) -> list[Walk]:
    """List the images in several folders below `folder`, as `walk` does.

    A store lists them at once; `on_listed` gets the number of files so far.
    """
    if isinstance(folder, Address):
        found = tree.trees([folder / name for name in names], on_listed)
        return [_walked(folder, *each) for each in zip(names, found, strict=True)]
    return [walk(folder, name, follow_links=follow_links) for name in names]


def _walked(folder: Address, below: str, found: tree.Tree, *, list_others: bool = False) -> Walk:
    """Return the images in a folder of a store, from the files that it lists below it."""
    inside: dict[str, list[str]] = {}
    top = os.path.join(folder, below)  # noqa: PTH118
    for file in found.files:
        root, name = os.path.split(os.path.join(top, file))  # noqa: PTH118
        inside.setdefault(root, []).append(name)
    walked = _filled(Walk(), folder, top.rstrip("/"), inside.items(), list_others=list_others)
    prefix = below + "/" if below else ""
    stamps = {prefix + file: stamp for file, stamp in found.files.items() if stamp is not None}
    walked.stamps = {image: stamps[image] for image in walked.images if image in stamps}
    return walked


def _filled(
    walked: Walk,
    folder: PurePath,
    top: str,
    folders: Iterable[tuple[str, list[str]]],
    *,
    list_others: bool,
) -> Walk:
    """Add what is in folders below the top, each with its files' names. Return the same walk."""
    # Keras sorts by the whole path, not level by level: x-1 comes before x/y.
    for root, names in sorted(folders, key=itemgetter(0)):
        inside = os.path.relpath(root, folder)
        prefix = "" if inside == os.curdir else inside + os.sep
        images = [prefix + name for name in sorted(names) if name.lower().endswith(SUFFIXES)]
        if len(images) < len(names):
            rest = [name for name in names if not name.lower().endswith(SUFFIXES)]
            images = sorted([*images, *(prefix + name for name in rest if is_candidate(name))])
            walked.kinds.update(filter(None, map(kind, rest)))
            if list_others:
                walked.other_files += [prefix + name for name in rest if not is_candidate(name)]
        walked.images += images
        walked.others += len(names) - len(images)
        if root != top:
            walked.nested += len(images)
            name = os.path.basename(root)  # noqa: PTH119 - a million times
            if images and name.lower() in SYSTEM_FOLDERS:
                walked.system[name] += len(images)
    return walked


def _folders(top: str, walked: Walk, *, follow_links: bool) -> Iterator[tuple[str, list[str]]]:
    """Yield each folder below the top and its files' names; count the links that do not count."""
    for root, folders, names in os.walk(top, onerror=_refuse, followlinks=follow_links):
        links = [name for name in folders if os.path.islink(os.path.join(root, name))]  # noqa: PTH114, PTH118
        if follow_links:
            loops = {name for name in links if _leads_back(top, root, name)}
            walked.loops += len(loops)
            folders[:] = [name for name in folders if name not in loops]
        else:
            walked.links += len(links)
        yield root, names


def _leads_back(top: str, root: str, name: str) -> bool:
    """Whether a link in a folder leads to a folder around it, on the way there from the top."""
    target = os.path.realpath(os.path.join(root, name))  # noqa: PTH118
    around = [root, *(str(each) for each in Path(root).parents if each.is_relative_to(top))]
    return any(
        os.path.commonpath([target, here]) == target for here in map(os.path.realpath, around)
    )


def _refuse(error: OSError) -> NoReturn:
    raise RequestError(
        f"{error.filename} cannot be read: {error.strerror}; expected a folder that can be listed"
    ) from error
