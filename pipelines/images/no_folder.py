"""Refuses what is not a folder of photos, or not a file of labels, and says what it is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NoReturn

from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.file_formats import first_bytes, signature

_HEAD_BYTES = 512
_UNPACK = "unpack it, then name the folder"
_WRITE = "write its images as files, one sub-folder per class, then name that folder"
_LABELS = "if it holds labels, name the folder of the photos, and this file with --labels"
_MAGIC = (  # first bytes, the kind of file, and what to do about it
    (rb"PK\x03\x04|PK\x05\x06", "a zip archive", _UNPACK),
    (rb".{257}ustar", "a tar archive", _UNPACK),  # POSIX.1-1988
    (rb"\x1f\x8b", "a gzip file", _UNPACK),
    (rb"BZh", "a bzip2 file", _UNPACK),
    (rb"\xfd7zXZ\x00", "an xz file", _UNPACK),
    (rb"\x28\xb5\x2f\xfd", "a zstd file", _UNPACK),
    (rb"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (rb"Rar!\x1a\x07", "a rar archive", _UNPACK),
    (rb"\x89HDF\r\n\x1a\n", "an HDF5 file", _WRITE),
    (rb"PAR1", "a parquet file", _WRITE),
    (rb"ARROW1", "an Arrow file", _WRITE),
    (rb"\x93NUMPY", "a NumPy array", _WRITE),
    (rb"SQLite format 3\x00", "an SQLite database", _WRITE),
)
_ZIPPED = {  # zip archives, by suffix
    ".npz": ("an archive of NumPy arrays", _WRITE),
    ".xlsx": ("an Excel file", _LABELS),
}
_SAVE = "save it as CSV, with lines of file,label"


def refuse_file(file: Path, expected: str) -> NoReturn:
    """Raise RequestError with the kind of the file, and what to do about it."""
    is_table = file.suffix.lower() in {".csv", ".tsv"}
    what, hint = _kind(file) or ("a file", _LABELS if is_table else "")
    raise RequestError(f"{file} is {what}: expected a folder with {expected}", hint=hint)


def refuse_no_table(file: Path) -> None:
    """Raise RequestError if a file of labels is not text, or is JSON."""
    if kind := _kind(file):
        raise RequestError(f"--labels {file} is {kind[0]}: expected a CSV file", hint=_SAVE)
    if re.match(rb"(\xef\xbb\xbf)?\s*(\{|\[\s*[\[{])", first_bytes(str(file), _HEAD_BYTES)):
        raise RequestError(f"--labels {file} is a JSON file: expected a CSV file", hint=_SAVE)


def _kind(file: Path) -> tuple[str, str] | None:
    """Return the kind of a file by its first bytes, and what to do about it; None for text."""
    path = str(file)
    if image := signature(path):
        return f"an image ({image})", "name the folder that holds the class folders"
    head = first_bytes(path, _HEAD_BYTES)
    for magic, what, hint in _MAGIC:
        if re.match(magic, head, re.DOTALL):
            is_zip = head.startswith(b"PK")
            return _ZIPPED.get(file.suffix.lower(), (what, hint)) if is_zip else (what, hint)
    return None
