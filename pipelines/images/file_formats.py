"""What format a file has by its first bytes, which a name may hide. No TensorFlow, no Pillow."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

UNKNOWN = "unknown"

_FIRST_BYTES = 32
_SIGNATURES = (
    ("JPEG", rb"\xff\xd8\xff"),  # the three that tf.io.is_jpeg looks at
    ("PNG", rb"\x89PNG"),  # the next four tell a file that was damaged on its way
    ("GIF", rb"GIF8[79]a"),
    # Text may begin with BM: the size of the header behind it is one of those that Pillow knows.
    ("BMP", rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\x00\x00\x00"),
    ("WebP", rb"RIFF.{4}WEBP"),
    ("TIFF", rb"II\*\x00|MM\x00\*"),
    ("ICO", rb"\x00\x00\x01\x00.\x00"),
    ("JPEG 2000", rb"\x00\x00\x00\x0cjP  |\xff\x4f\xff\x51"),
    ("JPEG XL", rb"\xff\x0a|\x00\x00\x00\x0cJXL "),
    ("AVIF or HEIC", rb".{4}ftyp(avi|hei|mif)"),
)
# Of those that every pipeline decodes, Pillow's names.
_DELIVERED = {"JPEG": "JPEG", "PNG": "PNG", "GIF": "GIF", "BMP": "BMP", "WebP": "WEBP"}


def formats_of(files: Iterable[str]) -> tuple[str, ...]:
    """Return the formats among the files, in order, by Pillow's names for them; or `unknown`.

    Unknown is what not every pipeline decodes, and a file that cannot be read: who reads it next
    will say why.
    """
    return tuple(sorted({_DELIVERED.get(signature(file) or "", UNKNOWN) for file in files}))


def signature(file: str) -> str | None:
    """Return the format of which a file's first bytes are typical, as people write it, or None."""
    head = first_bytes(file, _FIRST_BYTES)
    for name, pattern in _SIGNATURES:
        if re.match(pattern, head, re.DOTALL):
            return name
    return None


def first_bytes(file: str, count: int) -> bytes:
    """Return so many bytes of a file, or fewer; none of what cannot be read."""
    try:
        opened = os.open(file, os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.read(opened, count)
    except OSError:  # a folder
        return b""
    finally:
        os.close(opened)
