"""What is in a folder: counts, formats, sizes, duplicates, and which files are bad."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath

import numpy as np

from feedbench.bench.images.check import Checker, Checks, bad_of, refuse_unreadable
from feedbench.bench.images.duplicates import find_duplicates
from feedbench.bench.processes.client import Processes
from feedbench.bench.processes.progress import Listener
from feedbench.bench.records.checks.inspection import Bin, Inspection
from feedbench.bench.records.run import LeftOut
from feedbench.bench.text import counted
from feedbench.pipelines.images.file_formats import signature
from feedbench.pipelines.images.file_kinds import is_candidate, is_hidden
from feedbench.pipelines.images.image_check import Finding
from feedbench.pipelines.images.index import Index, counts, image_id, shown, stamps_of
from feedbench.pipelines.images.labelled.labels import index_unlabelled
from feedbench.pipelines.images.layouts import Layout, index_images
from feedbench.pipelines.images.listing import check_folder, entries, is_folder
from feedbench.pipelines.remote.address import Address
from feedbench.pipelines.remote.reading import Stamp
from feedbench.pipelines.remote.tree import OnListed

_BINS = 10
_FLOAT32_BYTES = 4


def inspect(
    folder: PurePath,
    layout: Layout,
    checks: Checks,
    *,
    image_size: tuple[int, int],
    channels: int,
    listener: Listener,
    listed: Index | None = None,
) -> Inspection:
    """Check every file of a folder, or those `listed`.

    Raises RequestError if the folder cannot be listed, or if a store lets no photo be read.
    """
    listener.stage(f"listing {folder}")
    if listed is None:
        listed = _index(
            folder, layout, lambda files: listener.stage(f"listing {folder}: {files:,} files")
        )
    index = listed
    before = stamps_of(index)
    findings = _findings(index, checks, channels, listener)
    listener.stage("looking for duplicates")
    duplicates = find_duplicates(folder, index, layout)
    bad = bad_of(index, findings)
    if len(bad) == len(index.files):  # there is nothing to show
        refuse_unreadable(index, bad)
    height, width = image_size
    after = stamps_of(index)
    sized = [finding for finding in findings if finding.pixels and finding.reason is None]
    return Inspection(
        folder=image_id(str(index.folder)),
        notes=[*index.notes, *_changed(index, before, after)],
        check=checks.how,
        images=len(index.files),
        ignored_files=index.ignored,
        ignored_images=_ignored_images(index),
        classes={image_id(name): count for name, count in counts(index).items()},
        bytes=sum(stamp.size for stamp in after if stamp is not None),
        formats=_counted(finding.format for finding in findings),
        modes=_counted(finding.mode for finding in findings),
        widths=_histogram([finding.width for finding in sized]),
        heights=_histogram([finding.height for finding in sized]),
        orientations=_counted(_orientations(findings)),
        duplicates=duplicates.all,
        class_duplicates=duplicates.across_classes,
        part_duplicates=duplicates.across_parts,
        bad=[LeftOut(file=image_id(file), reason=reason) for file, reason in bad],
        image_size=image_size,
        channels=channels,
        cache_bytes=(len(index.files) - len(bad)) * height * width * channels * _FLOAT32_BYTES,
    )


def _changed(
    index: Index, before: Iterable[Stamp | None], after: Iterable[Stamp | None]
) -> list[str]:
    """Return a sentence on files that changed since they were listed; none if none did."""
    pairs = zip(before, after, strict=True)
    places = [place for place, (was, is_now) in enumerate(pairs) if was != is_now]
    if not places:
        return []
    more = f" and {counted(len(places) - 1, 'other')}" if len(places) > 1 else ""
    name = shown(index.files[places[0]])
    first = f"The photo {name}{more} changed while the folder was checked."
    return [f"{first} Check it again when nothing writes to it."]


def _findings(index: Index, checks: Checks, channels: int, listener: Listener) -> list[Finding]:
    with tempfile.TemporaryDirectory(prefix="feedbench-", ignore_cleanup_errors=True) as name:
        scratch = Path(name)
        processes = Processes(scratch, scratch / "forkserver.log")
        decoder = processes if checks.how == "decode" else None
        try:  # the process starts only if a file must be decoded
            return Checker(checks, channels, decoder, scratch, listener).findings(index)
        finally:
            processes.close()


def _index(folder: PurePath, layout: Layout, on_listed: OnListed) -> Index:
    """List the images; only an inspection needs no labels."""
    check_folder(folder, "photos")
    is_default = layout in {Layout(), Layout(follow_links=True)}
    has_classes = any(is_folder(each) and not is_hidden(each.name) for each in entries(folder))
    if has_classes or not is_default:
        return index_images(folder, layout, on_listed)
    return index_unlabelled(folder, follow_links=layout.follow_links)


def _orientations(findings: Iterable[Finding]) -> Iterable[str | None]:
    for finding in findings:
        yield None if finding.orientation is None else str(finding.orientation)


def _counted(values: Iterable[str | None]) -> dict[str, int]:
    """Count the values that are not None, the most frequent first."""
    return dict(Counter(value for value in values if value is not None).most_common())


def _histogram(values: Sequence[int]) -> list[Bin]:
    if not values:
        return []
    least, most = min(values), max(values)
    edges = sorted({round(edge) for edge in np.linspace(least, most + 1, _BINS + 1)})
    bin_counts, _ = np.histogram(values, edges)
    return [
        Bin(start, end - 1, int(count))
        for start, end, count in zip(edges, edges[1:], bin_counts, strict=False)
    ]


def _ignored_images(index: Index) -> list[LeftOut]:
    """Return the files with an image's first bytes, but without an image's suffix."""
    if isinstance(index.folder, Address):
        return []  # each would have to be read
    taken = set(index.files)
    # Not by the classes' names: those may come from a CSV file and be anything.
    linked = [entry for entry in entries(index.folder) if entry.is_symlink() and is_folder(entry)]
    classes = set(index.class_names)
    ignored = []
    for top in (index.folder, *(Path(entry.path) for entry in linked if entry.name in classes)):
        for root, _, names in os.walk(top):
            for name in sorted(names):
                if is_candidate(name):
                    continue
                path = os.path.join(root, name)  # noqa: PTH118 - a million times
                file = os.path.relpath(path, index.folder)
                if file in taken or not os.path.isfile(path):  # noqa: PTH113
                    continue
                if kind := signature(path):
                    reason = f"starts like {kind}, but its name has no image suffix"
                    ignored.append(LeftOut(file=image_id(file), reason=reason))
    return sorted(ignored, key=lambda image: image.file)
