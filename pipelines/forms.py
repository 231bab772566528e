"""The forms in which images can be delivered, apart from their size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DataFormat = Literal["channels_last", "channels_first"]
DTYPE_BYTES = {"float32": 4, "float16": 2, "bfloat16": 2, "uint8": 1}
FitRule = Literal["stretch", "crop", "pad"]

LEAST_SHARE = 0.1  # of crop; less would resize images to more than ten times what is delivered


@dataclass(frozen=True)
class Fit:
    """How an image of any proportions becomes one of the workload's height and width.

    stretch: both sides are resized, each by its own scale.
    crop: the middle of the image is cut to the delivered proportions, and then resized; this is
    Keras' `crop_to_aspect_ratio`.
    crop with a share: the whole image is resized until it covers height / share x width / share.
    Then the middle is cut out. With 0.875 and 224x224 this is torchvision's Resize(256) and
    CenterCrop(224).
    pad: the whole image is resized until it fits, and black is added around it; this is
    `tf.image.resize_with_pad`.
    """

    rule: FitRule = "stretch"
    share: float | None = None  # only of crop: LEAST_SHARE to 1

    def __post_init__(self) -> None:
        """Raise ValueError for a share that no rule has."""
        if self.share is None:
            return
        if self.rule != "crop" or not LEAST_SHARE <= self.share <= 1:
            raise ValueError(f"{self.rule} with a share of {self.share}")

    def __str__(self) -> str:
        """Return it as `--fit` takes it."""
        return self.rule if self.share is None else f"{self.rule}={self.share:g}"


STRETCH = Fit()


Three = tuple[float, float, float]
Normalization = Literal["none", "imagenet", "caffe"]


@dataclass(frozen=True)
class ValueRange:
    """What the values of an image mean: `(level - mean) / std`, of a grey level from 0 to 255.

    `mean` and `std` are in grey levels. They are those of each channel in the order in which the
    channels are delivered.
    """

    name: str  # as --range takes it
    mean: Three
    std: Three
    is_bgr: bool = False  # channels are blue, green, red
    normalization: Normalization = "none"  # where channels differ: which of the usual ones

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the greatest value of any channel: black and white, if none differ."""
        channels = list(zip(self.mean, self.std, strict=True))
        least = min((0 - mean) / std for mean, std in channels)
        return least + 0.0, max((_MOST - mean) / std for mean, std in channels)  # no -0.0


def uniform(low: float, high: float) -> ValueRange:
    """Return the range whose channels are all `low` for black and `high` for white."""
    std = _MOST / (high - low)
    return ValueRange(f"{low:g}..{high:g}", (-low * std,) * 3, (std,) * 3)


_MOST = 255.0

# torchvision's Normalize(mean, std) after ToTensor, and Keras' preprocess_input in mode "torch":
# both have (0.485, 0.456, 0.406) and (0.229, 0.224, 0.225), of values from 0 to 1.
IMAGENET = ValueRange(
    "imagenet",
    (0.485 * _MOST, 0.456 * _MOST, 0.406 * _MOST),
    (0.229 * _MOST, 0.224 * _MOST, 0.225 * _MOST),
    normalization="imagenet",
)
# Keras' preprocess_input in mode "caffe": keras/src/applications/imagenet_utils.py.
CAFFE = ValueRange(
    "caffe", (103.939, 116.779, 123.68), (1.0, 1.0, 1.0), is_bgr=True, normalization="caffe"
)

NORMALIZED: dict[Normalization, ValueRange] = {"imagenet": IMAGENET, "caffe": CAFFE}
"""The ranges that two numbers do not describe."""

RANGES = {
    "0..1": uniform(0, 1),
    "-1..1": uniform(-1, 1),
    "0..255": uniform(0, 255),
    "imagenet": IMAGENET,
    # The modes of Keras' preprocess_input.
    "tf": uniform(-1, 1),
    "caffe": CAFFE,
    "torch": IMAGENET,
}
"""What --range takes."""
