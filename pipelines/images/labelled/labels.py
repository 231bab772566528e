"""Labels in a CSV file, or in the names of the images."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path, PurePath

from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.file_kinds import SUFFIXES
from feedbench.pipelines.images.index import (
    Index,
    listed_stamps,
    named,
    no_photo,
    ordered,
    shown,
    walk_notes,
)
from feedbench.pipelines.images.labelled.file_finder import FileFinder
from feedbench.pipelines.images.labelled.label_files import read_labels
from feedbench.pipelines.images.listing import check_folder, walk
from feedbench.pipelines.remote.address import absolute


def index_labelled(
    folder: PurePath,
    labels: str,
    classes: Sequence[str] | None = None,
    *,
    follow_links: bool = False,
    label_column: str | None = None,
) -> Index:
    """List a folder's images by `labels`: a CSV file, or else a regular expression.

    An expression is searched in each image's path below the folder. `label_column` is a title or
    a number, counted from 1, of a CSV file. Classes, and the files of each, come in code-point
    order, unless `classes` gives an order. Raises RequestError if the folder, the file or the
    expression cannot be used.
    """
    check_folder(folder, "photos")
    is_listed = is_file(labels)
    walked = walk(folder, follow_links=follow_links, list_others=is_listed)
    notes: list[str] = []
    if is_listed:
        finder = FileFinder(folder, walked.images, walked.other_files, Path(labels).parent)
        pairs = read_labels(Path(labels), finder, label_column)
        seen = len(walked.images) + walked.others
    else:
        pairs, unmatched = _from_names(folder, labels, walked.images)
        seen = len(walked.images) + walked.others
        if unmatched:
            notes.append(
                f"Images whose paths do not match {shown(labels)} ({len(unmatched):,}) are"
                f" ignored: {named(unmatched)}."
            )
    class_names, left_out = ordered(sorted({label for _, label in pairs}), classes)
    by_class: dict[str, list[str]] = {name: [] for name in class_names}
    for file, label in pairs:
        if label in by_class:
            by_class[label].append(file)
    notes += walk_notes([walked])
    return Index(
        absolute(folder),
        class_names,
        tuple(file for files in by_class.values() for file in sorted(files)),
        tuple(label for label, files in enumerate(by_class.values()) for _ in files),
        max(seen - len(pairs), 0),
        (*left_out, *notes),
        listed=listed_stamps([walked]),
    )


def index_unlabelled(folder: PurePath, *, follow_links: bool = False) -> Index:
    """List a folder's images as one class without a name, where labels are not needed.

    Raises RequestError if there are none.
    """
    walked = walk(folder, follow_links=follow_links)
    if not walked.images:
        raise RequestError(
            f"{folder}: expected photos ({', '.join(SUFFIXES)}); found {no_photo(walked.others)}",
            hint=" ".join(walk_notes([walked])),
        )
    note = "The photos are not in class folders: a run needs --labels to know their classes."
    labels = (0,) * len(walked.images)
    return Index(
        absolute(folder),
        ("",),
        tuple(walked.images),
        labels,
        walked.others,
        (note, *walk_notes([walked])),
        listed=listed_stamps([walked]),
    )


def is_file(labels: str) -> bool:
    """Whether the value names an existing file; if not, it is a regular expression."""
    with suppress(OSError):
        return Path(labels).is_file()
    return False


def _from_names(
    folder: PurePath, expression: str, images: Sequence[str]
) -> tuple[list[tuple[str, str]], list[str]]:
    """Return each image with the label in its path, and the images whose paths hold none."""
    pattern = _compiled(expression)
    pairs, unmatched = [], []
    for image in images:
        match = pattern.search(image)
        if match and match[1]:
            pairs.append((image, match[1]))
        else:
            unmatched.append(image)
    if pairs:
        return pairs, unmatched
    what = f"paths such as {named(unmatched[:1])}" if unmatched else "no photos at all"
    hint = "try it on that path, or use a CSV file" if unmatched else ""
    if any(map(pattern.search, map(os.path.basename, unmatched))):
        hint = "it matches file names without their folders: write (?:^|/) in place of ^"
    raise RequestError(
        f"--labels {expression!r}: expected it to match paths of photos ({', '.join(SUFFIXES)})"
        f" below {folder}; found {what}",
        hint=hint,
    )


def _compiled(expression: str) -> re.Pattern[str]:
    what = "an existing CSV file, or a regular expression with one group, such as ^(\\w+)\\."
    if expression.lower().endswith((".csv", ".tsv")):
        raise RequestError(f"--labels {expression!r}: expected {what}; found no such file")
    try:
        pattern = re.compile(expression)
    except re.error as error:
        raise RequestError(f"--labels {expression!r}: expected {what}; found {error}") from error
    if pattern.groups != 1:
        raise RequestError(
            f"--labels {expression!r}: expected {what}; found {pattern.groups} groups"
        )
    return pattern
