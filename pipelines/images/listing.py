"""Reading folders: whether one is there, what is in it, and which images are below it."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import NoReturn

from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.file_kinds import SUFFIXES, SYSTEM_FOLDERS, is_candidate, kind
from feedbench.pipelines.images.no_folder import refuse_address, refuse_file


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


def check_folder(folder: Path, expected: str) -> None:
    """Raise RequestError if there is no such folder; `expected` says what it should hold."""
    try:
        missing, is_file = not folder.exists(), not folder.is_dir()
    except OSError as error:  # a folder around it may not be entered
        _refuse(error)
    if missing:
        refuse_address(str(folder), expected)
        raise RequestError(f"there is no folder {folder}: expected a folder with {expected}")
    if is_file:
        refuse_file(folder, expected)


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


def walk(
    folder: Path, below: str = "", *, follow_links: bool = False, list_others: bool = False
) -> Walk:
    """List the images in `folder / below` and deeper down. As in Keras, links to files count.

    Links to folders count if they are followed, unless they lead to a folder around them.
    Raises RequestError if a folder cannot be listed.
    """
    walked = Walk()
    # Keras sorts by the whole path, not level by level: x-1 comes before x/y.
    top = os.path.join(folder, below)  # noqa: PTH118 - as os.walk joins them
    for root, names in sorted(_folders(top, walked, follow_links=follow_links), key=itemgetter(0)):
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
