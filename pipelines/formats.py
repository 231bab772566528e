"""What format a file has by its first bytes, which a name may hide. No TensorFlow, no Pillow."""

from __future__ import annotations

import os
from collections.abc import Iterable

UNKNOWN = "unknown"

_FIRST_BYTES = 12
_SIGNATURES = (
    (b"\xff\xd8\xff", "JPEG"),  # the three that tf.io.is_jpeg looks at
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
)


def formats_of(files: Iterable[str]) -> tuple[str, ...]:
    """Return the formats among the files, in order, by Pillow's names for them; or `unknown`.

    A file that cannot be read is unknown: who reads it next will say why.
    """
    return tuple(sorted({_format(_first_bytes(file)) for file in files}))


def _first_bytes(file: str) -> bytes:
    try:
        opened = os.open(file, os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.read(opened, _FIRST_BYTES)
    except OSError:  # a folder
        return b""
    finally:
        os.close(opened)


def _format(first: bytes) -> str:
    if first.startswith(b"RIFF") and first[8:12] == b"WEBP":
        return "WEBP"
    for signature, name in _SIGNATURES:
        if first.startswith(signature):
            return name
    return UNKNOWN
