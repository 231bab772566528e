from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from feedbench.bench.equal_work.contact_sheets import (
    GAP,
    THUMBNAIL,
    Picture,
    write_full,
    write_strips,
)
from feedbench.bench.records.proof import AMPLIFIED, REFERENCE_SHEET


def a_picture(
    height: int = 160, width: int = 200, channels: int = 3, off: float = 0.0, name: str = "cats"
) -> Picture:
    reference = np.full((height, width, channels), 100, np.float32)
    reference[: height // 2] = 50
    return Picture(f"cats/{name}.jpg", "cats", name, reference, reference + np.float32(off))


def opened(file: Path) -> Image.Image:
    with Image.open(file) as image:
        return image.convert("RGBA")


def test_a_strip_has_the_delivered_images_above_and_their_differences_below(
    tmp_path: Path,
) -> None:
    write_strips(tmp_path / "naive", [a_picture(), a_picture(off=10)])
    strip = opened(tmp_path / "naive.webp")
    height = round(THUMBNAIL * 160 / 200)
    assert strip.size == (2 * THUMBNAIL + GAP, 2 * height + GAP)
    red = np.asarray(strip, int)[..., 0]
    assert abs(red[10, 40] - 50) < 6
    assert abs(red[height - 10, 40] - 100) < 6
    assert red[height + GAP + 10, 40] < 6  # equal: black
    assert abs(red[height + GAP + 10, THUMBNAIL + GAP + 40] - 10 * AMPLIFIED) < 8


def test_the_references_strip_is_written_once_for_all(tmp_path: Path) -> None:
    write_strips(tmp_path / "a", [a_picture()])
    first = (tmp_path / REFERENCE_SHEET).read_bytes()
    write_strips(tmp_path / "b", [a_picture(off=50)])
    assert (tmp_path / REFERENCE_SHEET).read_bytes() == first
    assert opened(tmp_path / REFERENCE_SHEET).size == (THUMBNAIL, round(THUMBNAIL * 160 / 200))


def test_strips_are_small(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    noise = rng.uniform(0, 255, (224, 224, 3)).astype(np.float32)
    other = rng.uniform(0, 255, (224, 224, 3)).astype(np.float32)
    write_strips(tmp_path / "a", [Picture("a.jpg", "a", "a", noise, other)] * 6)
    assert (tmp_path / "a.webp").stat().st_size < 40_000  # of noise, the worst there is


def test_what_did_not_come_is_grey(tmp_path: Path) -> None:
    write_strips(tmp_path / "a", [Picture("a.jpg", "cats", None, a_picture().reference, None)])
    assert np.abs(np.asarray(opened(tmp_path / "a.webp"), int)[5, 5, :3] - 128).max() < 6


@pytest.mark.parametrize("shape", [(28, 28, 1), (1, 1, 3), (2000, 30, 3)])
def test_images_of_every_size_and_channel_have_their_sheets(
    tmp_path: Path, shape: tuple[int, int, int]
) -> None:
    pictures = [a_picture(*shape)] * 6
    write_strips(tmp_path / "a", pictures)
    write_full(tmp_path / "a", pictures)
    assert max(opened(tmp_path / "a.webp").size) <= 6 * (THUMBNAIL + GAP)
    assert opened(tmp_path / "a_full.webp").height > 3 * 28


def test_a_small_image_is_shown_pixel_by_pixel_in_full(tmp_path: Path) -> None:
    write_full(tmp_path / "a", [a_picture(28, 28, 1)])
    assert opened(tmp_path / "a_full.webp").size[1] > 3 * 256


def test_the_full_sheet_bears_the_names_whatever_their_letters(tmp_path: Path) -> None:
    plain, named = ([a_picture(name=name)] for name in ("cats", "Ζωή 한국어 🐈 <b>\n" * 3))
    write_full(tmp_path / "plain", plain)
    write_full(tmp_path / "named", named)
    one, other = (np.asarray(opened(tmp_path / f"{name}_full.webp")) for name in ("plain", "named"))
    assert one.shape == other.shape
    assert not np.array_equal(one[:30], other[:30])


def test_what_a_page_says_of_a_picture_can_be_shown() -> None:
    picture = Picture("a.jpg", "ca\x1bts", "do\ngs", None, None).shown
    assert (picture.class_name, picture.delivered_as) == (r"ca\x1bts", r"do\ngs")
