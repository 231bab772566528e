"""The format of a file by its first bytes; its name may be wrong. No TensorFlow, no Pillow."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress

from feedbench.pipelines.remote.address import is_address
from feedbench.pipelines.remote.reading import first_bytes as first_in_store
from feedbench.pipelines.remote.reading import mapped
from feedbench.pipelines.system.regular_files import open_regular

UNKNOWN = "unknown"

APPLE_DOUBLE = b"\x00\x05\x16\x07"
"""How a file of metadata begins that macOS writes next to x.jpg as ._x.jpg (RFC 1740)."""

_FIRST_BYTES = 32
_SIGNATURES = (
    ("JPEG", rb"\xff\xd8\xff"),  # the three bytes that tf.io.is_jpeg checks
    ("PNG", rb"\x89PNG"),  # the next four bytes show whether a transfer damaged the file
    ("GIF", rb"GIF8[79]a"),
    # Text may begin with BM too, so the header's size must be one that Pillow knows.
    ("BMP", rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\x00\x00\x00"),
    ("WebP", rb"RIFF.{4}WEBP"),
    ("TIFF", rb"II\*\x00|MM\x00\*"),
    ("ICO", rb"\x00\x00\x01\x00.\x00"),
    ("JPEG 2000", rb"\x00\x00\x00\x0cjP  |\xff\x4f\xff\x51"),
    ("JPEG XL", rb"\xff\x0a|\x00\x00\x00\x0cJXL "),
    ("AVIF or HEIC", rb".{4}ftyp(avi|hei|mif)"),
)
# Pillow's names of the formats that every pipeline decodes.
_DELIVERED = {"JPEG": "JPEG", "PNG": "PNG", "GIF": "GIF", "BMP": "BMP", "WebP": "WEBP"}


def formats_of(files: Sequence[str]) -> tuple[str, ...]:
    """Return the formats of the files, sorted, by Pillow's names for them, or `unknown`.

    A format that not every pipeline decodes is unknown. So is a file that cannot be read; the next
    reader of that file reports why.
    """
    found = set(mapped(signature, files))
    return tuple(sorted({_DELIVERED.get(name or "", UNKNOWN) for name in found}))


def signature(file: str) -> str | None:
    """Return the usual name of the format that a file's first bytes show, or None."""
    return signature_of(first_bytes(file, _FIRST_BYTES))


def signature_of(content: bytes) -> str | None:
    """Return the usual name of the format that a file's content begins like, or None."""
    head = content[:_FIRST_BYTES]
    for name, pattern in _SIGNATURES:
        if re.match(pattern, head, re.DOTALL):
            return name
    return None


def is_delivered(name: str) -> bool:
    """Whether every pipeline decodes a format of this usual name."""
    return name in _DELIVERED


def first_bytes(file: str, count: int) -> bytes:
    """Return the first `count` bytes of a file, fewer of a shorter one; b"" if it is unreadable."""
    if is_address(file):
        with suppress(OSError):
            return first_in_store(file, count)
        return b""
    try:
        opened = open_regular(file)
    except OSError:
        return b""
    try:
        return os.read(opened, count)
    except OSError:  # a folder
        return b""
    finally:
        os.close(opened)
