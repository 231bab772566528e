"""Formats by first bytes. No TensorFlow."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from feedbench.pipelines.formats import formats_of


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
