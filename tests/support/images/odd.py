"""Odd files that the tests make for themselves."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


def noise(*shape: int, dtype: Any = np.uint8, seed: int = 0) -> Any:
    """Return random values of all that the dtype can hold."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def jpeg(height: int = 40, width: int = 60) -> bytes:
    return encoded(Image.fromarray(noise(height, width, 3)), "JPEG", quality=90)


def png(height: int = 40, width: int = 60) -> bytes:
    return encoded(Image.fromarray(noise(height, width, 3)), "PNG")


def png_of(width: int, height: int) -> bytes:
    """Return a PNG that says it has so many pixels, and has next to none."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(bytes(100)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + pixels + chunk(b"IEND", b"")


def write_odd_files(folder: Path) -> dict[str, str]:
    """Write them, and return the reason to be expected for each bad one, or its beginning."""
    transparent = Image.new("RGBA", (30, 30), (255, 0, 0, 0))
    palette = Image.fromarray(np.zeros((30, 30), np.uint8), "P")
    palette.putpalette([255, 255, 255, *[0] * 765])
    content: dict[str, tuple[bytes, str]] = {
        "good.jpg": (jpeg(), ""),
        "png named.jpg": (png(), ""),
        "jpeg named.png": (jpeg(), ""),
        "grey.jpg": (encoded(Image.fromarray(noise(20, 20)), "JPEG"), ""),
        "cmyk.jpg": (encoded(Image.fromarray(noise(20, 20, 3)).convert("CMYK"), "JPEG"), ""),
        "one pixel.png": (png(1, 1), ""),
        "picture.bmp": (encoded(Image.fromarray(noise(20, 20, 3)), "BMP"), ""),
        "picture.gif": (encoded(Image.fromarray(noise(20, 20)), "GIF"), ""),
        "alpha.png": (encoded(transparent, "PNG"), ""),
        "<script>alert(1)<:script>.jpg": (jpeg(), ""),
        'it\'s "quoted" 한국어.jpg': (jpeg(), ""),
        "empty.jpg": (b"", "an empty file"),
        "page.jpg": (b"<!DOCTYPE html><title>404</title>", "HTML or XML text, not an image"),
        "drawing.svg": (b"<svg xmlns='x'/>", "SVG, which neither TensorFlow nor Pillow decodes"),
        "text.jpg": (b"not found", "not an image that Pillow knows"),
        "cut.jpg": (jpeg(200, 300)[:3000], "Pillow: image file is truncated"),
        "cut.png": (png(200, 300)[:3000], "Pillow: image file is truncated"),
        "signature.png": (
            b"\x89PNG\r\n\x1a\n" + bytes(40),
            "Pillow cannot identify it, although it starts like PNG",
        ),
        "deep.png": (
            encoded(Image.fromarray(noise(20, 20, dtype=np.uint16)), "PNG"),
            "16-bit: TensorFlow and Pillow differ by ",
        ),
        "transparent.gif": (
            encoded(palette, "GIF", transparency=0),
            "transparency: TensorFlow and Pillow differ by 255.0 grey levels",
        ),
        "transparent.webp": (encoded(transparent, "WEBP"), "transparency: TensorFlow: Number of"),
        "tiff named.jpg": (
            encoded(Image.fromarray(noise(20, 20, 3)), "TIFF"),
            "TensorFlow does not decode TIFF",
        ),
        "huge.png": (
            png_of(20_000, 14_000),
            "20,000 x 14,000 pixels: over the limit of 89,478,485 (--max-pixels)",
        ),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, (data, _) in content.items():
        (folder / name).write_bytes(data)
    (folder / "round.jpg").symlink_to("round.jpg")
    (folder / "gone.jpg").symlink_to("nowhere.jpg")
    (folder / "folder.jpg").mkdir()
    return {name: reason for name, (_, reason) in content.items() if reason} | {
        "round.jpg": "a link that leads back to itself",
        "gone.jpg": "no such file, or a link to nothing",
    }
