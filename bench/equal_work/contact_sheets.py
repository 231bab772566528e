"""Contact sheets: the same images as each pipeline delivers them, and how they differ.

STEM.webp is a strip of small images: the delivered ones above, their differences below.
STEM_full.webp has them in full size, below the references and with their names. It is written
only if the work is not the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from feedbench.bench.equal_work.references import MOST, Levels
from feedbench.bench.records.proof import AMPLIFIED, REFERENCE_SHEET, Shown
from feedbench.pipelines.images.index import shown

if TYPE_CHECKING:
    from PIL import Image
    from PIL.ImageFont import FreeTypeFont, ImageFont

THUMBNAIL = 80  # pixels of the longer side
GAP = 4  # transparent pixels between two images
_NOTHING = 128  # grey, where no image came
_QUALITY, _FULL_QUALITY = 70, 75  # of WebP
_FULL = 256  # pixels of the longer side, at least
_CAPTION = 34  # pixels, of two lines
_TITLES = 110
_INK, _PAPER = (30, 30, 30), (255, 255, 255)
_FONT_SIZE = 12
_LONGEST = 34  # characters of a caption


@dataclass(frozen=True)
class Picture:
    """An image of the sheet; None for a part that is missing."""

    file: str
    class_name: str
    delivered_as: str | None
    reference: Levels | None
    delivered: Levels | None

    @property
    def shown(self) -> Shown:
        """The names that a page shows."""
        name = None if self.delivered_as is None else shown(self.delivered_as)
        return Shown(file=self.file, class_name=shown(self.class_name), delivered_as=name)

    def difference(self) -> Levels | None:
        """Return its amplified difference from its reference; None if either is missing."""
        if self.reference is None or self.delivered is None:
            return None
        difference: Levels = np.abs(self.delivered - self.reference)
        return difference * np.float32(AMPLIFIED)


def write_strips(stem: Path, pictures: Sequence[Picture]) -> None:
    """Write STEM.webp, and _reference.webp next to it unless that exists."""
    delivered = [[picture.delivered for picture in pictures]]
    _strip([*delivered, [picture.difference() for picture in pictures]], pictures).save(
        stem.with_name(f"{stem.name}.webp"), quality=_QUALITY
    )
    reference = stem.with_name(REFERENCE_SHEET)
    if not reference.exists():
        rows = [[picture.reference for picture in pictures]]
        _strip(rows, pictures).save(reference, quality=_QUALITY)


def write_full(stem: Path, pictures: Sequence[Picture]) -> None:
    """Write STEM_full.webp: reference, delivered and difference, each image with its names."""
    from PIL import Image, ImageDraw

    font = _font()
    height, width = _size(pictures, _FULL, at_least=True)
    rows = (
        ("reference", [picture.reference for picture in pictures]),
        ("delivered", [picture.delivered for picture in pictures]),
        (f"difference\n{AMPLIFIED} times", [picture.difference() for picture in pictures]),
    )
    sheet = Image.new(
        "RGB",
        (_TITLES + len(pictures) * (width + GAP), _CAPTION + len(rows) * (height + GAP)),
        _PAPER,
    )
    draw = ImageDraw.Draw(sheet)
    for column, picture in enumerate(pictures):
        text = "\n".join(map(_shortened, _captions(picture)))
        draw.text((_TITLES + column * (width + GAP), 2), text, _INK, font)
    for row, (title, images) in enumerate(rows):
        top = _CAPTION + row * (height + GAP)
        draw.text((2, top), title, _INK, font)
        for column, levels in enumerate(images):
            tile = _tile(levels, height, width)
            sheet.paste(tile, (_TITLES + column * (width + GAP), top))
    sheet.save(stem.with_name(f"{stem.name}_full.webp"), quality=_FULL_QUALITY)


def _captions(picture: Picture) -> tuple[str, str]:
    delivered = picture.delivered_as
    if delivered is None:
        return picture.file, f"{shown(picture.class_name)}: not delivered"
    if delivered == picture.class_name:
        return picture.file, shown(delivered)
    return picture.file, f"{shown(delivered)}, not {shown(picture.class_name)}"


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"…{text[1 - _LONGEST :]}"


def _strip(rows: Sequence[Sequence[Levels | None]], pictures: Sequence[Picture]) -> Image.Image:
    from PIL import Image

    height, width = _size(pictures, THUMBNAIL, at_least=False)
    columns = max(len(pictures), 1)
    size = (columns * (width + GAP) - GAP, len(rows) * (height + GAP) - GAP)
    strip = Image.new("RGBA", size, (0, 0, 0, 0))
    for row, images in enumerate(rows):
        for column, levels in enumerate(images):
            tile = _tile(levels, height, width)
            strip.paste(tile, (column * (width + GAP), row * (height + GAP)))
    return strip


def _size(pictures: Sequence[Picture], longer: int, *, at_least: bool) -> tuple[int, int]:
    """Return the height and width of a tile whose longer side has `longer` pixels."""
    shapes = [
        levels.shape[:2]
        for picture in pictures
        for levels in (picture.reference, picture.delivered)
        if levels is not None
    ]
    height, width = shapes[0] if shapes else (longer, longer)
    scale = longer / max(height, width)
    if at_least and scale < 1:
        scale = 1.0
    return max(round(height * scale), 1), max(round(width * scale), 1)


def _tile(levels: Levels | None, height: int, width: int) -> Image.Image:
    from PIL import Image

    if levels is None:
        return Image.new("RGB", (width, height), (_NOTHING,) * 3)
    pixels: npt.NDArray[Any] = np.rint(levels.clip(0, MOST)).astype(np.uint8)
    if pixels.shape[2] == 1:
        pixels = pixels.repeat(3, axis=2)
    # Enlarged, a pixel stays a pixel.
    is_larger = height > pixels.shape[0]
    resampling = Image.Resampling.NEAREST if is_larger else Image.Resampling.BOX
    return Image.fromarray(pixels).resize((width, height), resampling)


def _font() -> FreeTypeFont | ImageFont:
    """Return matplotlib's font, which has more letters than Pillow's; or that one without it."""
    from PIL import ImageFont

    try:
        import matplotlib as mpl
    except ImportError:  # as in the Python of a single pipeline
        return ImageFont.load_default(_FONT_SIZE)
    file = Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    return ImageFont.truetype(file, _FONT_SIZE)
