"""Which TFRecord files a pattern names, and how each is compressed. No TensorFlow."""

from __future__ import annotations

import glob
import os
import re
import zlib
from collections.abc import Sequence
from pathlib import Path

from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.file_formats import first_bytes
from feedbench.pipelines.remote.address import Address, place
from feedbench.pipelines.remote.tree import matching

_HEAD_BYTES = 4096
_ANY_HEADER = 32 + zlib.MAX_WBITS  # zlib recognises the headers of GZIP and ZLIB


def files_of(pattern: str) -> tuple[str, ...]:
    """Return the absolute paths of the files that a pattern such as `train-*.tfrecord` names.

    In a store, these are addresses. Raises RequestError if it names none, or a folder, and if a
    store does not answer.
    """
    named = place(pattern)
    if isinstance(named, Address):
        return _in_store(pattern, named)
    where = os.path.expanduser(pattern)  # noqa: PTH111 - it is a pattern, not a path
    if Path(where).is_dir():
        raise RequestError(
            f"--records {pattern}: expected record files; found a folder",
            hint=f"name the files in it, such as '{pattern.rstrip('/')}/*.tfrecord*'",
        )
    # A file's name may hold brackets, which a pattern reads otherwise.
    names = [where] if Path(where).is_file() else glob.glob(where, recursive=True)  # noqa: PTH207
    files = sorted(os.path.abspath(name) for name in names if Path(name).is_file())  # noqa: PTH100
    if not files:
        raise RequestError(
            f"--records {pattern}: expected TFRecord files; found no file of that name in"
            f" {Path.cwd()}",
            hint="check the path; a pattern such as 'train-*.tfrecord' belongs in quotes",
        )
    return tuple(files)


def _in_store(pattern: str, named: Address) -> tuple[str, ...]:
    found = matching(named, "TFRecord files")
    files = tuple(sorted(address for address, is_file in found.items() if is_file))
    if not files:
        what = "a folder" if found else "no file of that name"
        raise RequestError(
            f"--records {pattern}: expected TFRecord files; found {what}",
            hint="check the address; a pattern such as 's3://bucket/train-*' belongs in quotes",
        )
    return files


def compression_of(file: str) -> str:
    """Return TensorFlow's name of a file's compression, by its first bytes: "", GZIP or ZLIB.

    A length may begin like the header of a compressed file. So the bytes behind it must decompress
    to what a TFRecord file begins with: a length of 8 bytes, of which no image needs the upper 4.
    https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
    """
    head = first_bytes(file, _HEAD_BYTES)
    try:
        length = zlib.decompressobj(_ANY_HEADER).decompress(head, 8)
    except zlib.error:
        return ""
    if length and length[4:] != b"\x00" * 4:
        return ""
    return "GZIP" if head.startswith(b"\x1f\x8b") else "ZLIB" if head else ""


def short_names(files: Sequence[str]) -> list[str]:
    """Return a different name for each record file, of letters that any loader can open."""
    letters = [
        re.sub(r"[^A-Za-z0-9._-]", "_", os.path.basename(file))[:100].lstrip(".")  # noqa: PTH119
        for file in files
    ]
    if len(set(letters)) == len(files) and all(letters):
        return letters
    width = len(str(len(files) - 1))
    return [f"{number:0{width}d}-{name}" for number, name in enumerate(letters)]
