"""Formats by first bytes. No TensorFlow."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from feedbench.pipelines.images.file_formats import formats_of, signature
from tests.support.images.odd import encoded, noise, png


@pytest.mark.parametrize("name", ["JPEG", "PNG", "GIF", "BMP", "WEBP"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_file_has_the_format_that_pillow_names_whatever_its_own_name(
    tmp_path: Path, name: str, mode: str
) -> None:
    file = tmp_path / "a.tiff"
    Image.new(mode, (3, 2)).save(file, format=name)
    with Image.open(file) as image:
        assert formats_of([str(file)]) == (image.format,)


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xd8", b"\x89PN", b"GIF", b"RIFF\0\0\0\0WAVE", b"<html>", b"II*\0"]
)
def test_what_begins_like_none_of_them_is_unknown(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.jpg").write_bytes(content)
    assert formats_of([str(tmp_path / "a.jpg")]) == ("unknown",)


def test_what_cannot_be_read_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    (tmp_path / "folder.jpg").mkdir()
    for name in ("gone.jpg", "loop.jpg", "folder.jpg"):
        assert formats_of([str(tmp_path / name)]) == ("unknown",)


def test_each_format_is_named_once_and_in_order(tmp_path: Path) -> None:
    for name in ("1.png", "2.jpg", "3.png", os.fsdecode(b"4-\xff.bmp")):
        Image.new("RGB", (3, 2)).save(tmp_path / "made", format=name[-3:].replace("jpg", "jpeg"))
        (tmp_path / "made").rename(tmp_path / name)
    files = [str(file) for file in tmp_path.iterdir()]
    assert formats_of(files) == ("BMP", "JPEG", "PNG")
    assert formats_of([]) == ()


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        *(("JPEG", "JPEG"), ("PNG", "PNG"), ("GIF", "GIF"), ("BMP", "BMP"), ("TIFF", "TIFF")),
        *(("WEBP", "WebP"), ("ICO", "ICO"), ("JPEG2000", "JPEG 2000")),
    ],
)
def test_a_format_is_known_by_its_first_bytes(tmp_path: Path, kind: str, name: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(encoded(Image.fromarray(noise(32, 32, 3)), kind))
    assert signature(str(file)) == name


@pytest.mark.parametrize(
    "content", [b"", b"BM is a word", b"BMW, a maker of cars " * 3, b"text", bytes(64), b"\xff\xd8"]
)
def test_other_files_have_no_signature(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    assert signature(str(file)) is None
    assert signature(str(tmp_path / "gone")) is None


def test_a_png_that_was_damaged_on_its_way_is_known_for_one(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(png().replace(b"\r\n", b"\n", 1))
    assert (signature(str(file)), formats_of([str(file)])) == ("PNG", ("PNG",))
