"""What a pipeline's pixels are, where they are not the reference's: known mistakes, by trying them.

A person is helped by "red and blue are exchanged", not by "34.9 grey levels". Each likeness is
made of a few files and laid beside what the pipeline delivered of them.
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
from feedbench.pipelines.built_in.form import LUMA
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.images.image_check import unrestrained

FILES = 12  # that are tried
_CLEARLY = 3.0  # times nearer than the reference, or it explains nothing
_LEAST_ALIKE = 2  # images that must be found among unknown ones
_CORNERS = 2  # samples, of which the first and the last lie on the edge's pixels
_UPRIGHT = "as EXIF says that they are to be turned"


_Make = Callable[[Path, Image.Image, Workload], Levels]
"""A file, its picture as Pillow decodes it, the workload -> what would be delivered."""


@dataclass(frozen=True)
class _Kind:
    name: str
    make: _Make
    is_fault: bool = True


def of_pixels(
    workload: Workload, delivered: Mapping[int, Levels], distance: float
) -> Likeness | None:
    """Return what the pixels of these images are, delivered by place; None where not known.

    `distance` is their mean from the nearer reference, in grey levels.
    """
    for kind in _OF_PIXELS:
        if kind.name.startswith(("red", "grey")) and workload.channels == 1:
            continue
        found = _mean_distance(kind, workload, delivered)
        if found is not None and found <= min(ROUNDING, distance / _CLEARLY):
            return Likeness(
                name=kind.name, is_fault=kind.is_fault, images=len(delivered), distance=found
            )
    return None


def of_unknown(workload: Workload, places: Sequence[int], unknown: Floats) -> Likeness | None:
    """Return what images are that match no file, by their fingerprints `[images, cells]`.

    `places` are those of files that were not delivered as they are.
    """
    if not len(unknown) or not places:
        return None
    needed = min(_LEAST_ALIKE, len(places), len(unknown))
    for kind in _OF_UNKNOWN:
        made = [_made(kind, workload, place) for place in places]
        known = [levels for levels in made if levels is not None]
        if not known:
            continue
        nearest = _nearest(fingerprints(np.stack(known)), unknown)
        alike = nearest[nearest <= _CLEARLY * ALIKE]
        if len(alike) >= needed:
            return Likeness(
                name=kind.name, is_fault=True, images=len(alike), distance=float(alike.mean())
            )
    return None


def _nearest(made: Floats, unknown: Floats) -> Floats:
    """Return how far each of the fingerprints is from the nearest of the unknown ones."""
    squares = [np.square(unknown - one).mean(axis=1).min() for one in made]
    return np.sqrt(np.asarray(squares, np.float32))


def _mean_distance(
    kind: _Kind, workload: Workload, delivered: Mapping[int, Levels]
) -> float | None:
    distances = []
    for place, found in delivered.items():
        made = _made(kind, workload, place)
        if made is not None:
            distances.append(float(np.abs(found - made).mean()))
    return float(np.mean(distances)) if distances else None


def _made(kind: _Kind, workload: Workload, place: int) -> Levels | None:
    file = workload.files[place]
    try:
        return kind.make(Path(file), references.decoded(file), workload)
    except Exception:  # noqa: BLE001 - whatever somebody's file makes a decoder raise
        return None


def _sampled_at(positions: references.Positions) -> _Make:
    def make(_: Path, image: Image.Image, workload: Workload) -> Levels:
        return in_form(interpolated(np.asarray(image), workload, positions), workload)

    return make


def _exchanged(
    reference: Callable[[Image.Image, Workload], Levels],
) -> _Make:
    return lambda _, image, workload: reference(image, workload)[..., ::-1]


def _filtered_by(name: str) -> _Make:
    def make(_: Path, image: Image.Image, workload: Workload) -> Levels:
        size = (workload.width, workload.height)
        return in_form(np.asarray(image.resize(size, Image.Resampling[name])), workload)

    return make


def _fast(file: Path, _: Image.Image, workload: Workload) -> Levels:
    """Decode as TensorFlow does unless it is told otherwise, and resize by its rule."""
    import tensorflow as tf

    pixels = tf.io.decode_jpeg(file.read_bytes(), channels=3, dct_method="INTEGER_FAST")
    return in_form(interpolated(np.asarray(pixels), workload, half_pixel_centres), workload)


def _turned(
    turn: Callable[[Image.Image], Image.Image],
) -> _Make:
    return lambda _, image, workload: references.sampled(turn(image), workload)


def _transposed(name: str) -> _Make:
    def turn(image: Image.Image) -> Image.Image:
        return image.transpose(Image.Transpose[name])

    return _turned(turn)


def _upright(file: Path, _: Image.Image, workload: Workload) -> Levels:
    with unrestrained(), Image.open(file) as image:
        return references.sampled(ImageOps.exif_transpose(image).convert("RGB"), workload)


def _cropped(_: Path, image: Image.Image, workload: Workload) -> Levels:
    """Cut the largest part of the delivered proportions out of the middle."""
    scale = min(image.width / workload.width, image.height / workload.height)
    size = (round(workload.width * scale), round(workload.height * scale))
    return references.sampled(ImageOps.fit(image, size), workload)


def _padded(_: Path, image: Image.Image, workload: Workload) -> Levels:
    """Keep the proportions, with black beside or above."""
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


def _negative(_: Path, image: Image.Image, workload: Workload) -> Levels:
    return references.MOST - references.sampled(image, workload)


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
    """Take the pixel that a sample's centre lies in: no interpolation."""
    at: Levels = np.floor(half_pixel_centres(size, count) + np.float32(0.5))
    return at.clip(0, size - 1)


def _nearest_corner(size: int, count: int) -> Levels:
    return np.floor(_legacy(size, count))


def _later(size: int, count: int) -> Levels:
    return _by(0.5, size, count)


def _earlier(size: int, count: int) -> Levels:
    return _by(-0.5, size, count)


def _by(samples: float, size: int, count: int) -> Levels:
    return half_pixel_centres(size, count) + np.float32(samples * size / count)


_OF_PIXELS = (
    _Kind("TensorFlow's fast JPEG transform", _fast, is_fault=False),
    _Kind("nearest-neighbour sampling", _sampled_at(_nearest_centre)),
    _Kind("nearest-neighbour sampling", _filtered_by("NEAREST")),
    _Kind("nearest-neighbour sampling from the corners", _sampled_at(_nearest_corner)),
    _Kind("bilinear sampling half a pixel off (without half_pixel_centers)", _sampled_at(_legacy)),
    _Kind("bilinear sampling with align_corners", _sampled_at(_corners)),
    _Kind("bilinear sampling half a delivered pixel too far", _sampled_at(_later)),
    _Kind("bilinear sampling half a delivered pixel too early", _sampled_at(_earlier)),
    _Kind("red and blue exchanged", _exchanged(references.sampled)),
    _Kind("red and blue exchanged, and an antialiased filter", _exchanged(references.filtered)),
    _Kind("grey, written into all three channels", _grey),
    _Kind("JPEGs decoded at a reduced size (Pillow's draft mode)", _drafted),
    _Kind("Pillow's box filter", _filtered_by("BOX")),
    _Kind("Pillow's Hamming filter", _filtered_by("HAMMING")),
    _Kind("Pillow's bicubic filter", _filtered_by("BICUBIC")),
    _Kind("Pillow's Lanczos filter", _filtered_by("LANCZOS")),
)

_OF_UNKNOWN = (
    _Kind("images mirrored left to right", _transposed("FLIP_LEFT_RIGHT")),
    _Kind("images upside down", _transposed("FLIP_TOP_BOTTOM")),
    _Kind("images turned by 180 degrees", _transposed("ROTATE_180")),
    _Kind(f"images turned {_UPRIGHT}", _upright),
    _Kind("images with rows and columns exchanged", _transposed("TRANSPOSE")),
    _Kind("images turned by 90 degrees", _transposed("ROTATE_90")),
    _Kind("images turned by 270 degrees", _transposed("ROTATE_270")),
    _Kind("a part cut out of the middle, in the delivered proportions", _cropped),
    _Kind("whole images with black beside them, in their own proportions", _padded),
    _Kind("negatives, black for white", _negative),
)
