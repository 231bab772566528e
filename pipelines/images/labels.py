"""Labels in a CSV file, or in the names of the images."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.file_kinds import SUFFIXES
from feedbench.pipelines.images.index import Index, named, ordered, shown, walk_notes
from feedbench.pipelines.images.listing import check_folder, walk

_ID_TITLE = "id"
_FILE_TITLES = ("file", "filename", "file_name", "image", "path", "filepath", _ID_TITLE)
_LABEL_TITLES = ("label", "class", "category", "target")
_COLUMNS = 2

Labelled = Iterable[tuple[str, str]]
"""A file's path relative to the folder, and its label."""


def index_labelled(
    folder: Path,
    labels: str,
    classes: Sequence[str] | None = None,
    *,
    follow_links: bool = False,
) -> Index:
    """List a folder's images by `labels`: a CSV file, or else a regular expression.

    Classes, and the files of each, come in code-point order, unless `classes` gives an order.
    Raises RequestError if the folder, the file or the expression cannot be used.
    """
    check_folder(folder, "photos")
    walked = walk(folder, follow_links=follow_links)
    notes: list[str] = []
    if is_file(labels):
        pairs = _from_csv(folder, Path(labels))
        seen = len(walked.images) + walked.others
    else:
        pairs, unmatched = _from_names(folder, labels, walked.images)
        seen = len(walked.images) + walked.others
        if unmatched:
            notes.append(
                f"Images whose names do not match {shown(labels)} ({len(unmatched):,}) are"
                f" ignored: {named(unmatched)}."
            )
    class_names, left_out = ordered(sorted({label for _, label in pairs}), classes)
    place = {name: label for label, name in enumerate(class_names)}
    rows = sorted((place[label], file) for file, label in pairs if label in place)
    notes += walk_notes([walked])
    return Index(
        folder.absolute(),
        class_names,
        tuple(file for _, file in rows),
        tuple(label for label, _ in rows),
        max(seen - len(pairs), 0),
        (*left_out, *notes),
    )


def index_unlabelled(folder: Path, *, follow_links: bool = False) -> Index:
    """List a folder's images as one class without a name, where labels are not needed.

    Raises RequestError if there are none.
    """
    walked = walk(folder, follow_links=follow_links)
    if not walked.images:
        raise RequestError(
            f"{folder}: expected photos ({', '.join(SUFFIXES)}); found none, only other files"
            f" ({walked.others})"
        )
    note = "The photos are not in class folders: a run needs --labels to know their classes."
    labels = (0,) * len(walked.images)
    return Index(
        folder.absolute(),
        ("",),
        tuple(walked.images),
        labels,
        walked.others,
        (note, *walk_notes([walked])),
    )


def is_file(labels: str) -> bool:
    """Whether the value names an existing file; if not, it is a regular expression."""
    with suppress(OSError):
        return Path(labels).is_file()
    return False


def _from_names(
    folder: Path, expression: str, images: Sequence[str]
) -> tuple[list[tuple[str, str]], list[str]]:
    """Return each image with the label in its name, and the images whose names hold none."""
    pattern = _compiled(expression)
    pairs, unmatched = [], []
    for image in images:
        match = pattern.search(os.path.basename(image))  # noqa: PTH119 - a million times
        if match and match[1]:
            pairs.append((image, match[1]))
        else:
            unmatched.append(image)
    if pairs:
        return pairs, unmatched
    what = f"names such as {named(unmatched[:1])}" if unmatched else "no photos at all"
    raise RequestError(
        f"--labels {expression!r}: expected the names of photos ({', '.join(SUFFIXES)}) in {folder}"
        f" to match it; found {what}",
        hint="try it on one name, or use a CSV file",
    )


def _compiled(expression: str) -> re.Pattern[str]:
    what = "an existing CSV file, or a regular expression with one group, such as ^(\\w+)\\."
    if expression.lower().endswith(".csv"):
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


def _from_csv(folder: Path, file: Path) -> list[tuple[str, str]]:
    """Return each image's path below the folder and its label, in the order of the file."""
    first: dict[str, int] = {}  # an image -> the line that names it
    pairs: list[tuple[str, str]] = []
    for number, name, label in _rows(folder, file):
        where = f"{file}, line {number}"
        image = os.path.normpath(name)
        if os.path.isabs(image) or Path(image).parts[:1] == (os.pardir,):  # noqa: PTH117
            raise RequestError(
                f"{where}: expected a name relative to {folder}, below it; found {shown(name)}"
            )
        if image in first:
            raise RequestError(
                f"{where}: expected each file once; found {shown(name)} again, as in line"
                f" {first[image]}",
                hint="remove one of the two lines",
            )
        if not name:
            raise RequestError(f"{where}: expected a file; found none with {shown(label)}")
        if not label:
            raise RequestError(f"{where}: expected a label; found none after {shown(name)}")
        if not _is_there(folder, image):
            raise RequestError(
                f"{where}: expected a file in {folder}; there is no {shown(name)}",
                hint="correct the name or remove the line",
            )
        first[image] = number
        pairs.append((image, label))
    if not pairs:
        raise RequestError(f"{file}: expected lines of file,label; found none")
    return pairs


def _rows(folder: Path, file: Path) -> Iterator[tuple[int, str, str]]:
    """Yield each line's number, file and label. Raises RequestError at the first wrong line."""
    file_at, label_at, width = 0, 1, _COLUMNS
    try:
        # Names need not be valid UTF-8; Excel begins its files with a byte-order mark.
        with file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as opened:
            reader = csv.reader(opened, strict=True)
            for row in reader:
                cells = [cell.strip() for cell in row]
                if reader.line_num == 1 and _is_header(folder, cells):
                    file_at, label_at, width = _columns(file, cells)
                    continue
                if len(cells) != width:
                    what = f"{len(cells)} fields" if any(cells) else "a blank line"
                    raise RequestError(
                        f"{file}, line {reader.line_num}: expected {width} fields, with the file"
                        f" and its label; found {what}",
                        hint="correct or remove the line",
                    )
                yield reader.line_num, cells[file_at], cells[label_at]
    except OSError as error:
        raise RequestError(f"--labels {file} cannot be read: {error.strerror}") from error
    except csv.Error as error:
        raise RequestError(
            f"{file}, line {reader.line_num}: expected file,label; found invalid CSV: {error}"
        ) from error


def _is_header(folder: Path, cells: Sequence[str]) -> bool:
    """Whether a first line holds titles; if not, it names an image, which may be missing."""
    titles = {cell.lower() for cell in cells}
    if titles & {*_FILE_TITLES, *_LABEL_TITLES}:
        return not any(_is_there(folder, cell) for cell in cells)
    named_file = cells[0] if cells else ""
    is_image = named_file.lower().endswith(SUFFIXES) or _is_there(folder, named_file)
    return any(cells) and not is_image


def _columns(file: Path, titles: Sequence[str]) -> tuple[int, int, int]:
    """Return the places of the file and the label in a line, and the number of fields."""
    lowered = [title.lower() for title in titles]
    if len(titles) == _COLUMNS:
        is_turned = lowered[0] in _LABEL_TITLES and lowered[1] not in _LABEL_TITLES
        return (1, 0, _COLUMNS) if is_turned else (0, 1, _COLUMNS)
    file_at = [at for at, title in enumerate(lowered) if title in _FILE_TITLES]
    if len(file_at) > 1:  # next to a file's name, an id is something else
        file_at = [at for at in file_at if lowered[at] != _ID_TITLE]
    label_at = [at for at, title in enumerate(lowered) if title in _LABEL_TITLES]
    if len(file_at) != 1 or len(label_at) != 1:
        raise RequestError(
            f"{file}, line 1: expected two columns, or the titles file and label among"
            f" {len(titles)}; found {named(titles)}"
        )
    return file_at[0], label_at[0], len(titles)


def _is_there(folder: Path, name: str) -> bool:
    if not name:
        return False
    with suppress(OSError, ValueError):
        return os.path.isfile(os.path.join(folder, name))  # noqa: PTH113, PTH118 - a million times
    return False
