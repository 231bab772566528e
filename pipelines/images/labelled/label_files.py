"""Files of labels: lines of a file and its label, between commas, semicolons or tabs."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import NamedTuple, NoReturn

from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.index import named, shown
from feedbench.pipelines.images.labelled.file_finder import FileFinder
from feedbench.pipelines.images.no_folder import refuse_no_table

_FILE_TITLES = {
    *("file", "filename", "file_name", "filepath", "file_path", "fname", "path", "id"),
    *("image", "image_id", "image_name", "image_path", "img", "img_path", "img_name", "photo"),
}
_IDS = {"id", "image_id"}  # next to a file's name, an id is something else
_LABEL_TITLES = {"label", "class", "category", "target"}
_DELIMITERS = ",;\t"  # the first wins where several fit
_SAMPLE_LINES = 20
_HEAD_BYTES = 200
_COLUMNS = 2

Pair = tuple[str, str]
"""A file's path relative to the folder, and its label."""


class _Columns(NamedTuple):
    """Where the file and the label are in a line, counted from 0."""

    file: int
    label: int
    fields: int  # in each line
    has_titles: bool


def read_labels(file: Path, finder: FileFinder, label_column: str | None = None) -> list[Pair]:
    """Return each image's path below the folder and its label, in the order of the file.

    `label_column` is a title, or a number counted from 1. Raises RequestError at the first line
    that is wrong, and where the labels are no classes.
    """
    first: dict[str, int] = {}  # an image -> its place among the pairs
    lines: list[int] = []
    pairs: list[Pair] = []
    for number, name, label in _rows(file, finder, label_column):
        image = _found(finder, f"{file}, line {number}", name, label)
        at = first.setdefault(image, len(pairs))
        if at < len(pairs):
            _refuse_twice(f"{file}, line {number}", name, lines[at], is_other=pairs[at][1] != label)
        if not label:
            raise RequestError(
                f"{file}, line {number}: expected a label; found none after {shown(name)}"
            )
        lines.append(number)
        pairs.append((image, label))
    if not pairs:
        raise RequestError(f"{file}: expected lines of file,label; found none")
    _refuse_no_classes(file, {label for _, label in pairs})
    return pairs


def _found(finder: FileFinder, where: str, name: str, label: str) -> str:
    """Return the image that a line names. Raises RequestError if there is not exactly one."""
    if not name:
        raise RequestError(f"{where}: expected a file; found none with {shown(label)}")
    try:
        image = finder.find(name)
    except RequestError as error:
        raise RequestError(f"{where}: {error.sentence}", hint=error.hint) from None
    if image is None:
        raise RequestError(
            f"{where}: expected a file in {finder.folder}; there is no {shown(name)}",
            hint="correct the name or remove the line",
        )
    return image


def _refuse_twice(where: str, name: str, line: int, *, is_other: bool) -> NoReturn:
    raise RequestError(
        f"{where}: expected each file once; found {shown(name)} again, as in line {line}"
        + (" with another label" if is_other else ""),
        hint="keep one label of each image; several cannot be measured"
        if is_other
        else "remove one of the two lines",
    )


def _rows(
    file: Path, finder: FileFinder, label_column: str | None
) -> Iterator[tuple[int, str, str]]:
    """Yield each line's number, file and label. Raises RequestError at the first wrong line."""
    text = _text(file)
    delimiter = _delimiter(text, finder)
    columns = _columns(file, _sample(text, delimiter), finder, label_column)
    reader = csv.reader(StringIO(text, newline=""), strict=True, delimiter=delimiter)
    try:
        for row in reader:
            if reader.line_num == 1 and columns.has_titles:
                continue
            if len(row) != columns.fields:
                what = f"{len(row)} fields" if any(row) else "a blank line"
                raise RequestError(
                    f"{file}, line {reader.line_num}: expected {columns.fields} fields, with the"
                    f" file and its label; found {what}",
                    hint="correct or remove the line",
                )
            yield reader.line_num, row[columns.file].strip(), row[columns.label].strip()
    except csv.Error as error:
        raise RequestError(
            f"{file}, line {reader.line_num}: expected file,label; found invalid CSV: {error}"
        ) from error


def _text(file: Path) -> str:
    """Return the text of a file in UTF-8 or UTF-16; names need not be valid UTF-8."""
    refuse_no_table(file)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise RequestError(f"--labels {file} cannot be read: {error.strerror}") from error
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "replace")
    head = content[:_HEAD_BYTES]
    for encoding, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[::2])):
        if len(zeros) > 1 and zeros.count(0) > len(zeros) // 2:
            return content.decode(encoding, "replace")
    return content.decode("utf-8-sig", "surrogateescape")


def _sample(text: str, delimiter: str) -> list[list[str]]:
    """Return the fields of the first lines, up to one that is not valid CSV."""
    rows: list[list[str]] = []
    with suppress(csv.Error):
        lines = csv.reader(StringIO(text, newline=""), strict=True, delimiter=delimiter)
        rows += ([cell.strip() for cell in row] for row in islice(lines, _SAMPLE_LINES))
    return rows


def _delimiter(text: str, finder: FileFinder) -> str:
    """Return the delimiter by which most of the first lines have a field that names a file."""

    def score(delimiter: str) -> tuple[int, int]:
        rows = [row for row in _sample(text, delimiter) if len(row) > 1]
        return sum(any(map(finder.is_likely, row)) for row in rows), len(rows)

    return max(_DELIMITERS, key=score)


def _columns(
    file: Path, sample: Sequence[Sequence[str]], finder: FileFinder, label_column: str | None
) -> _Columns:
    first = sample[0] if sample else []
    has_titles = _is_header(first, finder)
    titles = [title.lower() for title in first] if has_titles else [""] * len(first)
    rows = [row for row in sample[has_titles:] if row and len(row) == len(first)]
    label_at = None if label_column is None else _label_at(file, first, titles, label_column)
    file_at = _file_at(titles, rows, finder, label_at)
    if label_at is None:
        label_at = _usual_label_at(file, first, titles, file_at)
    if file_at == label_at:
        raise RequestError(
            f"{file}: expected the files and their labels in two columns; found both in column"
            f" {label_at + 1}",
            hint="choose the column of the labels with --label-column",
        )
    return _Columns(file_at, label_at, max(len(first), _COLUMNS), has_titles)


def _is_header(cells: Sequence[str], finder: FileFinder) -> bool:
    """Whether a first line holds titles; if not, it names an image, which may be missing."""
    if {cell.lower() for cell in cells} & (_FILE_TITLES | _LABEL_TITLES):
        return not any(map(finder.is_likely, cells))
    return any(cells) and not any(map(finder.is_meant, cells))


def _label_at(file: Path, first: Sequence[str], titles: Sequence[str], column: str) -> int:
    """Return the place of the label column that was asked for, by its title or number."""
    if column in first and any(titles):
        return first.index(column)
    if column.lower() in titles:
        return titles.index(column.lower())
    if column.isdecimal() and 1 <= int(column) <= len(first):
        return int(column) - 1
    what = f"the titles {named(first)}" if any(titles) else f"{len(first)} columns without titles"
    raise RequestError(
        f"--label-column {column!r}: expected a title or a number of a column in {file}; found"
        f" {what}"
    )


def _file_at(
    titles: Sequence[str],
    rows: Sequence[Sequence[str]],
    finder: FileFinder,
    label_at: int | None,
) -> int:
    """Return the place of the files: by its title, else where most lines name a file."""
    places = [at for at, title in enumerate(titles) if title in _FILE_TITLES and at != label_at]
    if len(places) > 1:
        places = [at for at in places if titles[at] not in _IDS]
    if len(places) == 1:
        return places[0]
    candidates = places or [at for at in range(len(titles)) if at != label_at] or [0]
    for is_file in (finder.is_likely, finder.is_meant):  # the second takes longer
        files = [sum(is_file(row[at]) for row in rows) for at in candidates]
        if any(files):
            return candidates[files.index(max(files))]
    return candidates[0]


def _usual_label_at(file: Path, first: Sequence[str], titles: Sequence[str], file_at: int) -> int:
    """Return the place of the labels where no column was asked for."""
    if len(first) <= _COLUMNS:
        return 1 - file_at
    places = [at for at, title in enumerate(titles) if title in _LABEL_TITLES and at != file_at]
    if len(places) == 1:
        return places[0]
    what = f"the titles {named(first)}" if any(titles) else "no titles"
    raise RequestError(
        f"{file}: expected two columns, or one with the title label, class, category or target;"
        f" found {len(first)} columns with {what}",
        hint="choose the column of the labels with --label-column",
    )


def _refuse_no_classes(file: Path, labels: set[str]) -> None:
    """Raise RequestError if the labels are measurements, or several of each image."""
    if fractions := _fractions(labels):
        raise RequestError(
            f"{file}: expected classes as labels; found numbers with fractions, such as"
            f" {fractions[0]}",
            hint="Feedbench measures classes only; choose a column of classes with --label-column",
        )
    parts = [part for label in sorted(labels) for part in _parts(label)]
    several = [label for label in sorted(labels) if len(_parts(label)) > 1]
    if several and len(set(parts)) < len(parts):
        raise RequestError(
            f"{file}: expected one label of each file; found several, such as {shown(several[0])}",
            hint="keep one label of each image; several cannot be measured",
        )


def _fractions(labels: set[str]) -> list[str]:
    """Return the labels that are no whole numbers, if all of them are numbers."""
    with suppress(ValueError):
        return [label for label in sorted(labels) if float(label) % 1]
    return []


def _parts(label: str) -> list[str]:
    """Return the labels in a field such as cat|dog, cat;dog or ['cat', 'dog']."""
    inner = re.fullmatch(r"[\[{(](.*)[\])}]", label)
    texts = re.split(r"[,|;]", inner[1]) if inner else re.split(r"[|;]", label)
    return [text.strip(" '\"") for text in texts]
