"""The picture: which image is where, how large it is, and which names it has."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from feedbench.bench.pictures.delivered import Pixels
from feedbench.bench.pictures.drawing import Panel, Tile, draw, encoded


def plain(level: int, side: int = 28, channels: int = 3) -> Pixels:
    return np.full((side, side, channels), level, np.uint8)


def a_panel(title: str, images: int, **given: int) -> Panel:
    return Panel(title, [Tile(plain(10 * n, **given), f"class {n}") for n in range(images)])


def levels_in(picture: Image.Image) -> set[int]:
    """The levels of the images: those of many pixels, which no letter has."""
    levels, counts = np.unique(np.asarray(picture)[:, :, 0], return_counts=True)
    return {int(each) for each, count in zip(levels, counts, strict=True) if count >= 140 * 140}


def test_every_image_is_in_the_picture() -> None:
    assert levels_in(draw([a_panel("tuned", 7)], 5)) == {*range(0, 70, 10), 255}


def test_images_are_in_order_row_by_row() -> None:
    pixels = np.asarray(draw([a_panel("tuned", 7)], 5))[:, :, 0]
    assert pixels[120, 60] == 0
    assert pixels[120, 60 + 148] == 10
    assert pixels[120 + 160, 60 + 148] == 60


def test_a_digit_is_enlarged_by_a_whole_number_and_a_photo_is_reduced() -> None:
    digit = draw([a_panel("a", 1, side=28)], 5).width
    photo = draw([a_panel("a", 1, side=500)], 5).width
    assert (digit - photo) == 5 * 28 - 144


def test_an_edge_between_two_pixels_of_a_digit_stays_sharp() -> None:
    digit = plain(0)
    digit[:, 14:] = 200
    pixels = np.asarray(draw([Panel("a", [Tile(digit, "1")])], 5))[100, :, 0]
    assert {*np.unique(pixels).tolist()} == {0, 200, 255}


def test_grey_images_are_drawn_in_grey() -> None:
    picture = draw([a_panel("a", 3, channels=1)], 5)
    assert {0, 10, 20} <= levels_in(picture)


def test_several_pipelines_are_next_to_each_other_and_then_below() -> None:
    single, three, four = (
        draw([a_panel(f"p{n}", 25) for n in range(count)], 5) for count in (1, 3, 4)
    )
    assert three.height == single.height
    assert three.width > 2.9 * (single.width - 56)
    assert four.width == three.width
    assert four.height > 1.9 * (single.height - 56)


def test_a_long_name_ends_at_the_edge_of_its_image() -> None:
    name = "Lilium longiflorum, Easter lily, of the garden behind the old house"
    long, short = (draw([Panel("a", [Tile(plain(0), each)])], 5) for each in (name, "x"))
    assert long.size == short.size
    assert np.asarray(long)[-20:, :20].min() == 255


@pytest.mark.parametrize(
    ("suffix", "form"), [(".png", "PNG"), (".jpg", "JPEG"), (".jpeg", "JPEG"), (".webp", "WEBP")]
)
def test_the_suffix_chooses_the_format(suffix: str, form: str) -> None:
    picture = draw([a_panel("a", 2)], 5)
    with Image.open(io.BytesIO(encoded(picture, suffix))) as read:
        assert (read.format, read.size) == (form, picture.size)
