# ruff: noqa: RUF009 - `option` and its like make fields, as dataclasses.field does
"""How images are changed for training. `run`, `verify`, `show` and `train` take it alike."""

from __future__ import annotations

from dataclasses import dataclass

from feedbench.bench.options.option import option
from feedbench.pipelines.augmentation.ranges import Augmentation
from feedbench.pipelines.augmentation.reading import EXAMPLE, augmentation


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """The augmentation of the images for training."""

    augment: Augmentation | None = option(
        None,
        read=augmentation,
        metavar="NAME[=RANGE],...",
        help="Change each image for training at random, anew in every epoch, such as"
        f" {EXAMPLE}. Also vertical_flip, brightness=0.2, width_shift and height_shift. The ranges"
        " are those of Keras' ImageDataGenerator, and its names are known too: rotation_range=20.",
        otherwise="images as they are",
    )
