"""Images with the same content: within a class, in several classes, and in several parts."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import NamedTuple

from feedbench.bench.records.checks.inspection import Labelled
from feedbench.pipelines.images.index import Index, image_id, stamps_of
from feedbench.pipelines.images.layouts import Layout, parts_of
from feedbench.pipelines.images.listing import walk
from feedbench.pipelines.remote.address import Address, absolute
from feedbench.pipelines.remote.reading import Stamp, stamps
from feedbench.pipelines.system.regular_files import open_regular

_CHUNK = 1 << 20
_CHECKSUMMED = {"s3", "gs"}  # schemes whose stamps are digests of the content


class Duplicates(NamedTuple):
    """Groups of files with the same content, as an Inspection has them."""

    all: list[list[str]]
    across_classes: list[list[Labelled]]
    across_parts: list[list[str]]


def find_duplicates(folder: PurePath, index: Index, layout: Layout) -> Duplicates:
    """Return the duplicates among the images, and with those of other parts of `folder`.

    Only files of the same size are read. In a store none is: see `_groups_in_store`.
    """
    names, paths = _other_parts(folder, index, layout)
    count = len(index.files)
    found = [*stamps_of(index), *stamps(paths)]
    if isinstance(index.folder, Address):
        groups = _groups_in_store(index.folder, found)
    else:
        groups = list(_groups((*index.paths, *paths), found))
    inside = [[at for at in group if at < count] for group in groups]
    return Duplicates(
        all=[[image_id(index.files[at]) for at in group] for group in inside if len(group) > 1],
        across_classes=[
            [
                Labelled(
                    file=image_id(index.files[at]),
                    class_name=image_id(index.class_names[index.labels[at]]),
                )
                for at in _spread(group, index.labels)
            ]
            for group in inside
            if len({index.labels[at] for at in group}) > 1
        ],
        across_parts=_across_parts(groups, index, names),
    )


def _other_parts(
    folder: PurePath, index: Index, layout: Layout
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the images of the parts that are not inspected: relative to `folder`, and paths."""
    top = absolute(folder)
    parts = [top / name for name in parts_of(folder).values()]
    if index.folder not in parts:
        return (), ()
    names = tuple(
        f"{part.name}/{image}"
        for part in parts
        if part != index.folder
        for image in walk(part, follow_links=layout.follow_links).images
    )
    return names, tuple(f"{top}/{name}" for name in names)


def _across_parts(
    groups: Sequence[Sequence[int]], index: Index, others: Sequence[str]
) -> list[list[str]]:
    """Return the groups with images of several parts, relative to the folder around these."""
    if not others:
        return []
    part, count = index.folder.name, len(index.files)

    def name(at: int) -> str:
        return f"{part}/{index.files[at]}" if at < count else others[at - count]

    across = []
    for group in groups:
        names = [name(at) for at in group]
        of = [each.partition("/")[0] for each in names]
        if len(set(of)) > 1:
            across.append([image_id(names[at]) for at in _spread(range(len(of)), of)])
    return across


def _spread(places: Sequence[int], kinds: Sequence[object]) -> list[int]:
    """Return the places with the first of each kind first, so that a few show all kinds."""
    firsts = {kinds[at]: at for at in reversed(places)}
    return sorted(places, key=lambda at: firsts[kinds[at]] != at)


def _groups(paths: Sequence[str], found: Sequence[Stamp | None]) -> Iterator[list[int]]:
    """Yield the places of files with the same content; only files of the same size are read."""
    by_size: dict[int, list[int]] = {}
    for place, stamp in enumerate(found):
        if stamp is not None and stamp.size:
            by_size.setdefault(stamp.size, []).append(place)
    groups: dict[bytes, list[int]] = {}
    for places in by_size.values():
        for place in places if len(places) > 1 else ():
            if digest := _digest(paths[place]):
                groups.setdefault(digest, []).append(place)
    yield from (group for group in groups.values() if len(group) > 1)


def _groups_in_store(folder: Address, found: Sequence[Stamp | None]) -> list[list[int]]:
    """Return the places of objects with the same size and checksum, where the store keeps one.

    That of S3 and of Google's is MD5, unless an object was written in several parts.
    """
    if folder.scheme not in _CHECKSUMMED:
        return []
    groups: dict[Stamp, list[int]] = {}
    for place, stamp in enumerate(found):
        if stamp is not None and stamp.size:
            groups.setdefault(stamp, []).append(place)
    return [group for group in groups.values() if len(group) > 1]


def _digest(path: str) -> bytes | None:
    digest = hashlib.blake2b(digest_size=16)
    try:
        with os.fdopen(open_regular(path), "rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError:
        return None
    return digest.digest()
