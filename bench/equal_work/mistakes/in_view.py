"""Mistakes that change what an image shows: mirrored, rotated, cropped or padded images."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from io import BytesIO

from PIL import Image, ImageOps

from feedbench.bench.equal_work import references
from feedbench.bench.equal_work.mistakes.mistake import Mistake
from feedbench.bench.equal_work.references import Levels
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.forms import STRETCH, Fit
from feedbench.pipelines.images.image_check import unrestrained
from feedbench.pipelines.remote.reading import read

_USUAL_CROP = 0.875  # 224 of 256

_Change = Callable[[str, Image.Image, Workload], Image.Image]
"""A file, its picture, and the workload -> the picture that is then resized."""


def _of_view(name: str, change: _Change, fit: Fit | None = None) -> Iterator[Mistake]:
    """Yield a mistake with each filter of the references: both may follow it.

    `fit` is how the changed picture is fitted; None: as the workload has it.
    """
    for resized in references.BOTH:

        def deliver(
            file: str,
            image: Image.Image,
            workload: Workload,
            resized: Callable[[Image.Image, Workload], Levels] = resized,
        ) -> Levels:
            wanted = workload if fit is None else dataclasses.replace(workload, fit=fit)
            return resized(change(file, image, workload), wanted)

        yield Mistake(name, deliver, fit=fit if change is _unchanged else None)


def _of_fit(name: str, fit: Fit) -> Iterator[Mistake]:
    """Yield a mistake that fits images by a rule other than the workload's."""
    yield from _of_view(name, _unchanged, fit)


def _unchanged(_: str, image: Image.Image, __: Workload) -> Image.Image:
    return image


def _transposed(name: str) -> _Change:
    return lambda _, image, __: image.transpose(Image.Transpose[name])


def _upright(file: str, _: Image.Image, __: Workload) -> Image.Image:
    with unrestrained(), Image.open(BytesIO(read(file))) as image:
        return ImageOps.exif_transpose(image).convert("RGB")


def _cropped_evenly(_: str, image: Image.Image, __: Workload) -> Image.Image:
    """Crop each side by the same share, as tf.image.central_crop does."""
    left, top = (int(side * (1 - _USUAL_CROP) / 2) for side in image.size)  # whole pixels, as there
    return image.crop((left, top, image.width - left, image.height - top))


def _not_resized(_: str, image: Image.Image, workload: Workload) -> Image.Image:
    return _middle(image, workload.width, workload.height)


def _padded(_: str, image: Image.Image, workload: Workload) -> Image.Image:
    """Keep the proportions, and pad with black before resizing."""
    scale = max(image.width / workload.width, image.height / workload.height)
    return _middle(image, round(workload.width * scale), round(workload.height * scale))


def _middle(image: Image.Image, width: int, height: int) -> Image.Image:
    """Return the middle of an image, black where the image is smaller."""
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


IN_VIEW = (
    *_of_view("images mirrored left to right", _transposed("FLIP_LEFT_RIGHT")),
    *_of_view("images upside down", _transposed("FLIP_TOP_BOTTOM")),
    *_of_view("images rotated by their EXIF orientation", _upright),
    *_of_fit("images stretched to the delivered size (--fit stretch)", STRETCH),
    *_of_fit("images cropped to the delivered proportions (--fit crop)", Fit("crop")),
    *_of_view("a central crop of 87.5% of each side", _cropped_evenly, STRETCH),
    *_of_fit(
        "a central crop of 87.5% in the delivered proportions (--fit crop=0.875)",
        Fit("crop", _USUAL_CROP),
    ),
    *_of_view("the middle of images, cropped without resizing", _not_resized, STRETCH),
    *_of_fit("images padded with black to keep their proportions (--fit pad)", Fit("pad")),
    *_of_view("images padded with black before they are resized", _padded, STRETCH),
)
