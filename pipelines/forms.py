"""The forms in which images can be delivered, apart from their size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
