"""Known mistakes, which a report names if a pipeline's pixels do not match the reference.

"Swapped red and blue" helps a user, "34.9 grey levels" does not. Each mistake is applied to a
few files, and the result is compared with the images that the pipeline delivered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from feedbench.bench.equal_work import references
from feedbench.bench.equal_work.fingerprints import ALIKE, Floats, fingerprints
from feedbench.bench.equal_work.judgement import ROUNDING
from feedbench.bench.equal_work.references import Levels, half_pixel_centres, in_form, interpolated
from feedbench.bench.records.proof import Likeness
from feedbench.pipelines.contract import LUMA, Workload
from feedbench.pipelines.images.image_check import unrestrained

FILES = 12  # files that each mistake is tried on
_CLEARLY = 3.0  # a mistake must be so many times nearer than the reference
_LEAST_ALIKE = 2  # images that a mistake must explain among the unknown ones
_CORNERS = 2  # samples: the first and the last are the pixels at the edge

_Deliver = Callable[[Path, Image.Image, Workload], Levels]
"""A file, its picture as Pillow decodes it, and the workload -> the image that a mistake gives."""


@dataclass(frozen=True)
class _Mistake:
    name: str
    deliver: _Deliver
    is_fault: bool = True
    needs_colour: bool = False  # grey images cannot show it

    def levels(self, workload: Workload, place: int) -> Levels | None:
        """Return the image that it makes of a file; None if the file cannot be decoded."""
        file = workload.files[place]
        try:
            return self.deliver(Path(file), references.decoded(file), workload)
        except Exception:  # noqa: BLE001 - whatever a user's file makes a decoder raise
            return None


def of_pixels(
    workload: Workload, delivered: Mapping[int, Levels], distance: float
) -> Likeness | None:
    """Return the mistake that gives these pixels, by place; None if no known one does.

    `distance` is their mean distance from the nearer reference, in grey levels.
    """
    for mistake in _IN_PIXELS:
        if mistake.needs_colour and workload.channels == 1:
            continue
        mean = _mean_distance(mistake, workload, delivered)
        if mean is not None and mean <= min(ROUNDING, distance / _CLEARLY):
            return Likeness(
                name=mistake.name,
                is_fault=mistake.is_fault,
                images=len(delivered),
                distance=mean,
            )
    return None


def of_unknown(workload: Workload, places: Sequence[int], unknown: Floats) -> Likeness | None:
    """Return the mistake that gives images that match no file; None if no known one does.

    `unknown` are their fingerprints `[images, cells]`. `places` are the files that no delivered
    image matches.
    """
    if not len(unknown) or not places:
        return None
    needed = min(_LEAST_ALIKE, len(places), len(unknown))
    for mistake in _IN_WHAT_IS_SHOWN:
        candidates = (mistake.levels(workload, place) for place in places)
        images = [levels for levels in candidates if levels is not None]
        if not images:
            continue
        nearest = _nearest(fingerprints(np.stack(images)), unknown)
        alike = nearest[nearest <= _CLEARLY * ALIKE]
        if len(alike) >= needed:
            return Likeness(
                name=mistake.name, is_fault=True, images=len(alike), distance=float(alike.mean())
            )
    return None


def _nearest(candidates: Floats, unknown: Floats) -> Floats:
    """Return the distance of each candidate fingerprint from the nearest unknown one."""
    squares = [np.square(unknown - candidate).mean(axis=1).min() for candidate in candidates]
    return np.sqrt(np.asarray(squares, np.float32))


def _mean_distance(
    mistake: _Mistake, workload: Workload, delivered: Mapping[int, Levels]
) -> float | None:
    distances = []
    for place, levels in delivered.items():
        expected = mistake.levels(workload, place)
        if expected is not None:
            distances.append(float(np.abs(levels - expected).mean()))
    return float(np.mean(distances)) if distances else None


def _sampled_at(positions: references.Positions) -> _Deliver:
    def deliver(_: Path, image: Image.Image, workload: Workload) -> Levels:
        return in_form(interpolated(np.asarray(image), workload, positions), workload)

    return deliver


def _swapped(
    reference: Callable[[Image.Image, Workload], Levels],
) -> _Deliver:
    return lambda _, image, workload: reference(image, workload)[..., ::-1]


def _filtered_by(name: str) -> _Deliver:
    def deliver(_: Path, image: Image.Image, workload: Workload) -> Levels:
        size = (workload.width, workload.height)
        return in_form(np.asarray(image.resize(size, Image.Resampling[name])), workload)

    return deliver


def _fast(file: Path, _: Image.Image, workload: Workload) -> Levels:
    """Decode with TensorFlow's default JPEG transform, and resize by TensorFlow's rule."""
    import tensorflow as tf

    pixels = tf.io.decode_jpeg(file.read_bytes(), channels=3, dct_method="INTEGER_FAST")
    return in_form(interpolated(np.asarray(pixels), workload, half_pixel_centres), workload)


def _transposed(name: str) -> _Deliver:
    def deliver(_: Path, image: Image.Image, workload: Workload) -> Levels:
        return references.sampled(image.transpose(Image.Transpose[name]), workload)

    return deliver


def _upright(file: Path, _: Image.Image, workload: Workload) -> Levels:
    with unrestrained(), Image.open(file) as image:
        return references.sampled(ImageOps.exif_transpose(image).convert("RGB"), workload)


def _cropped(_: Path, image: Image.Image, workload: Workload) -> Levels:
    """Crop the middle to the delivered proportions, as large as possible."""
    scale = min(image.width / workload.width, image.height / workload.height)
    size = (round(workload.width * scale), round(workload.height * scale))
    return references.sampled(ImageOps.fit(image, size), workload)


def _padded(_: Path, image: Image.Image, workload: Workload) -> Levels:
    """Keep the proportions, and pad with black."""
    scale = max(image.width / workload.width, image.height / workload.height)
    size = (round(workload.width * scale), round(workload.height * scale))
    return references.sampled(ImageOps.pad(image, size), workload)


def _grey(_: Path, image: Image.Image, workload: Workload) -> Levels:
    grey: Levels = references.sampled(image, workload) @ np.asarray(LUMA, np.float32)
    return np.repeat(grey[..., np.newaxis], 3, axis=2)


def _drafted(file: Path, _: Image.Image, workload: Workload) -> Levels:
    with unrestrained(), Image.open(file) as image:
        image.draft("RGB", (workload.width, workload.height))
        return references.filtered(image.convert("RGB"), workload)


def _legacy(size: int, count: int) -> Levels:
    """LegacyScaler in tensorflow/core/util/image_resizer_state.h."""
    at: Levels = np.arange(count, dtype=np.float32) * np.float32(size / np.float32(count))
    return at


def _corners(size: int, count: int) -> Levels:
    """CalculateResizeScale with align_corners, in the same file."""
    if count < _CORNERS:
        return _legacy(size, count)
    at: Levels = np.arange(count, dtype=np.float32)
    return at * np.float32((size - 1) / np.float32(count - 1))


def _nearest_centre(size: int, count: int) -> Levels:
    """Use the pixel at a sample's centre, without interpolation."""
    at: Levels = np.floor(half_pixel_centres(size, count) + np.float32(0.5))
    return at.clip(0, size - 1)


def _nearest_corner(size: int, count: int) -> Levels:
    return np.floor(_legacy(size, count))


_IN_PIXELS = (
    _Mistake("TensorFlow's fast JPEG transform", _fast, is_fault=False),
    _Mistake("nearest-neighbour sampling", _sampled_at(_nearest_centre)),
    _Mistake("nearest-neighbour sampling", _filtered_by("NEAREST")),  # rounds otherwise at ties
    _Mistake("nearest-neighbour sampling from the corners", _sampled_at(_nearest_corner)),
    _Mistake(
        "bilinear sampling half a pixel off (without half_pixel_centers)", _sampled_at(_legacy)
    ),
    _Mistake("bilinear sampling with align_corners", _sampled_at(_corners)),
    _Mistake("swapped red and blue channels", _swapped(references.sampled), needs_colour=True),
    _Mistake(
        "swapped red and blue channels, and an antialiased filter",
        _swapped(references.filtered),
        needs_colour=True,
    ),
    _Mistake("grey values in all three channels", _grey, needs_colour=True),
    _Mistake("JPEGs decoded at a reduced size (Pillow's draft mode)", _drafted),
    _Mistake("Pillow's bicubic filter", _filtered_by("BICUBIC")),
    _Mistake("Pillow's Lanczos filter", _filtered_by("LANCZOS")),
)

_IN_WHAT_IS_SHOWN = (
    _Mistake("images mirrored left to right", _transposed("FLIP_LEFT_RIGHT")),
    _Mistake("images upside down", _transposed("FLIP_TOP_BOTTOM")),
    _Mistake("images rotated by their EXIF orientation", _upright),
    _Mistake("images cropped to the delivered proportions", _cropped),
    _Mistake("images padded with black to keep their proportions", _padded),
)
