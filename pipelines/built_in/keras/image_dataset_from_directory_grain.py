"""Keras' image_dataset_from_directory in the form of Grain, Google's loader without TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from feedbench.pipelines.augmentation.refusal import refuse_augmentation
from feedbench.pipelines.built_in.keras.image_dataset_from_directory import Interpolation

if TYPE_CHECKING:
    from pathlib import Path

    from feedbench.pipelines.augmentation.ranges import Augmentation
    from feedbench.pipelines.contract import Feed, Workload
    from feedbench.pipelines.forms import Fit


@dataclass(frozen=True, kw_only=True)
class ImageDatasetFromDirectoryGrain:
    """Keras' image_dataset_from_directory(format="grain"): Pillow in Grain's 16 threads.

    It needs the package grain. Every epoch has the order of the first one.
    """

    interpolation: Interpolation = "bilinear"

    def refuse(
        self, fit: Fit, size: tuple[int, int], augmentation: Augmentation | None = None
    ) -> None:
        """Raise RequestError for augmentation."""
        refuse_augmentation(augmentation, "use image_dataset_from_directory")

    def open(self, workload: Workload, prepared: Path, scratch: Path) -> Feed:
        """Return a Grain dataset of the images in `workload.folder`.

        Raises RequestError if grain is missing, Keras has no such form, or does not list all
        images, or for augmentation.
        """
        self.refuse(workload.fit, (workload.height, workload.width), workload.augmentation)
        from feedbench.pipelines.built_in.keras import directory_dataset

        feed: Feed = directory_dataset.by_grain(workload, self.interpolation)
        return feed
