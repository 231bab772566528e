"""From an encoded image to a tensor of the workload's form. Imports torch and torchvision.

Workers get these objects pickled, so all are classes of a module.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torchvision.io import ImageReadMode, decode_image
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F  # noqa: N812 - as everybody imports it

from feedbench.pipelines.images.placement import placement

if TYPE_CHECKING:
    from feedbench.pipelines.contract import Workload

_BLACK_TO_WHITE = (0.0, 255.0)
_MOST = 255


class EncodedImage:
    """Encoded bytes -> a tensor `[3, height, width]` of uint8."""

    def __init__(self, decoder: str) -> None:
        """Take pil, torchvision or simplejpeg."""
        self._decoder = decoder

    def __call__(self, encoded: bytes) -> Any:
        """Decode. Raises what the decoder raises for what is no image."""
        if self._decoder == "torchvision":
            stored = torch.frombuffer(bytearray(encoded), dtype=torch.uint8)
            return decode_image(stored, mode=ImageReadMode.RGB)
        if self._decoder == "simplejpeg":
            return _by_simplejpeg(encoded)
        return _by_pillow(encoded)


class Fitted:
    """A tensor `[3, height, width]` of uint8 -> one of the workload's size, by its fit."""

    def __init__(self, workload: Workload, *, antialias: bool) -> None:
        """Take the workload's fit and size."""
        self._fit, self._size = workload.fit, (workload.height, workload.width)
        self._antialias = antialias

    def __call__(self, image: Any) -> Any:
        """Cut, resize, and cut or pad."""
        height, width = self._size
        place = placement(self._fit, tuple(image.shape[-2:]), self._size)
        left, top, right, bottom = place.box
        part = image[..., top:bottom, left:right]
        resized = F.resize(part, [place.height, place.width], antialias=self._antialias)
        if (place.height, place.width, place.top, place.left) == (height, width, 0, 0):
            return resized
        sides = [
            place.left,
            place.top,
            width - place.left - place.width,
            height - place.top - place.height,
        ]
        return F.pad(resized, sides)  # a negative side is cut off


class Bgr:
    """A tensor `[3, ...]` of red, green and blue -> one of blue, green and red."""

    def __call__(self, image: Any) -> Any:
        """Turn the channels around."""
        return image.flip(-3)


class Rounded:
    """A tensor of 0 to 255 -> the nearest whole number as uint8, halves to even."""

    def __call__(self, image: Any) -> Any:
        """Round."""
        return image.round().clamp(0, _MOST).to(torch.uint8)


class ChannelsLast:
    """A tensor `[C, H, W]` -> its view `[H, W, C]`; putting it into a batch copies it anyway."""

    def __call__(self, image: Any) -> Any:
        """Return the view."""
        return image.permute(1, 2, 0)


def transform_of(workload: Workload, *, decoder: str, antialias: bool) -> Any:
    """Return the transform from encoded bytes to an image of the workload."""
    steps = [EncodedImage(decoder), Fitted(workload, antialias=antialias)]
    return v2.Compose([*steps, *_in_form(workload)])


def numpy_of(images: Any) -> Any:
    """Return a tensor as a NumPy array of the same memory; NumPy has no bfloat16 of its own."""
    if images.dtype != torch.bfloat16:
        return images.numpy()
    import ml_dtypes

    return images.view(torch.int16).numpy().view(ml_dtypes.bfloat16)


def _in_form(workload: Workload) -> list[Any]:
    """Return the transforms of uint8 images that are left to do for the workload."""
    steps: list[Any] = []
    is_grey, values = workload.channels == 1, workload.values
    if workload.dtype == "uint8":
        if is_grey:
            steps = [v2.ToDtype(torch.float32), v2.Grayscale(), Rounded()]
    else:
        is_levels = workload.value_range == _BLACK_TO_WHITE and workload.normalization == "none"
        steps = [v2.ToDtype(torch.float32, scale=not is_levels)]
        if values.is_bgr:
            steps.append(Bgr())
        mean, std = ([each / _MOST for each in of] for of in (values.mean, values.std))
        if not is_levels and (any(mean) or set(std) != {1.0}):
            steps.append(v2.Normalize(mean, std))
        if is_grey:
            steps.append(v2.Grayscale())
        if workload.dtype != "float32":
            steps.append(v2.ToDtype(getattr(torch, workload.dtype)))
    return [*steps, ChannelsLast()] if workload.data_format == "channels_last" else steps


def _by_pillow(encoded: bytes) -> Any:
    with Image.open(BytesIO(encoded)) as image:  # as ImageFolder's loader does
        return F.pil_to_tensor(image.convert("RGB"))


def _by_simplejpeg(encoded: bytes) -> Any:
    import simplejpeg

    try:
        pixels = simplejpeg.decode_jpeg(encoded, colorspace="RGB")
    except ValueError:  # another format, or a JPEG that only Pillow decodes
        return _by_pillow(encoded)
    return torch.from_numpy(np.asarray(pixels)).permute(2, 0, 1)
