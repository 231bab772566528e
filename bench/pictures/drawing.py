"""Draws images with their names as one picture: a panel for each pipeline."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from feedbench.bench.pictures.delivered import Pixels
from feedbench.pipelines.images.index import shown

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")

_SIDE = 144  # pixels of the longer side of an image
_GAP, _MARGIN = 8, 28
_CAPTION, _TITLE = 20, 34  # heights of these lines
_CAPTION_SIZE, _TITLE_SIZE = 13, 18  # of the fonts
_PANELS = 3  # in a row
_INK, _PAPER = (30, 30, 30), (255, 255, 255)
_QUALITY = 92


@dataclass(frozen=True)
class Tile:
    """An image with its name."""

    pixels: Pixels
    name: str


@dataclass(frozen=True)
class Panel:
    """The images of one pipeline."""

    title: str
    tiles: Sequence[Tile]


def draw(panels: Sequence[Panel], columns: int) -> Image.Image:
    """Return the panels next to each other, each with this many images in a row."""
    from PIL import Image

    across = min(len(panels), _PANELS)
    columns = min(columns, max(len(panel.tiles) for panel in panels))
    rows = max(math.ceil(len(panel.tiles) / columns) for panel in panels)
    height, width = _size(panels[0].tiles[0].pixels)
    panel_width = columns * (width + _GAP) - _GAP
    panel_height = _TITLE + rows * (height + _CAPTION)
    picture = Image.new(
        "RGB",
        (
            across * (panel_width + _MARGIN) + _MARGIN,
            math.ceil(len(panels) / across) * (panel_height + _MARGIN) + _MARGIN,
        ),
        _PAPER,
    )
    drawn = _Drawn(picture, (height, width))
    for place, panel in enumerate(panels):
        left = _MARGIN + place % across * (panel_width + _MARGIN)
        top = _MARGIN + place // across * (panel_height + _MARGIN)
        drawn.title(panel.title, left, top, panel_width)
        for number, tile in enumerate(panel.tiles):
            at = number % columns * (width + _GAP), number // columns * (height + _CAPTION)
            drawn.tile(tile, left + at[0], top + _TITLE + at[1])
    return picture


def encoded(picture: Image.Image, suffix: str) -> bytes:
    """Return a picture as a file with this suffix holds it."""
    from PIL import Image

    stream = io.BytesIO()
    form = Image.registered_extensions()[suffix]
    options = {} if form == "PNG" else {"quality": _QUALITY}
    picture.save(stream, form, **options)
    return stream.getvalue()


class _Drawn:
    """A picture, and what draws on it."""

    def __init__(self, picture: Image.Image, size: tuple[int, int]) -> None:
        from PIL import ImageDraw, ImageFont

        self._picture = picture
        self._height, self._width = size
        self._draw: ImageDraw.ImageDraw = ImageDraw.Draw(picture)
        self._name_font = ImageFont.truetype(_font("DejaVuSans.ttf"), _CAPTION_SIZE)
        self._title_font = ImageFont.truetype(_font("DejaVuSans-Bold.ttf"), _TITLE_SIZE)

    def title(self, text: str, left: int, top: int, width: int) -> None:
        """Write a panel's title."""
        self._draw.text((left, top), _cut(text, self._title_font, width), _INK, self._title_font)

    def tile(self, tile: Tile, left: int, top: int) -> None:
        """Draw an image, and its name below it."""
        from PIL import Image

        pixels = tile.pixels.repeat(3, axis=2) if tile.pixels.shape[2] == 1 else tile.pixels
        # Enlarged, a pixel stays a pixel.
        is_larger = self._height > pixels.shape[0] or self._width > pixels.shape[1]
        resampling = Image.Resampling.NEAREST if is_larger else Image.Resampling.LANCZOS
        image = Image.fromarray(pixels).resize((self._width, self._height), resampling)
        self._picture.paste(image, (left, top))
        name = _cut(tile.name, self._name_font, self._width)
        middle = left + self._width / 2
        self._draw.text((middle, top + self._height + 1), name, _INK, self._name_font, anchor="ma")


def _size(pixels: Pixels) -> tuple[int, int]:
    """Return the height and width of an image in the picture; enlarged only by whole numbers."""
    height, width = pixels.shape[:2]
    longer = max(height, width)
    scale = _SIDE // longer if longer <= _SIDE else _SIDE / longer
    return max(round(height * scale), 1), max(round(width * scale), 1)


def _cut(text: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    """Return a text as one line of at most this width."""
    text = shown(text)
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"{text}…") > width:
        text = text[:-1]
    return f"{text}…"


def _font(name: str) -> Path:
    """Return one of matplotlib's font files, which have more letters than Pillow's."""
    import matplotlib as mpl

    return Path(mpl.get_data_path()) / "fonts" / "ttf" / name
