"""Keras' image_dataset_from_directory, as the tutorials of TensorFlow and Keras use it."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta

from feedbench.pipelines.built_in.tail_knobs import AugmentIn, Cache, Calls, Prefetch

if TYPE_CHECKING:
    from pathlib import Path

    from feedbench.pipelines.contract import Feed, Workload

Interpolation = Annotated[
    Literal[
        "bilinear",
        "nearest",
        "bicubic",
        "area",
        "lanczos3",
        "lanczos5",
        "gaussian",
        "mitchellcubic",
    ],
    Meta(description="the resize, as Keras names it; all other pipelines are bilinear"),
]


@dataclass(frozen=True, kw_only=True)
class ImageDatasetFromDirectory:
    """Keras' image_dataset_from_directory, then Rescaling, cache(), shuffle(1000) and prefetch().

    It lists the folder of the images itself, and decodes with TensorFlow's default JPEG transform.
    From a cache come the batches of the first epoch: the shuffle after it moves whole batches.
    """

    interpolation: Interpolation = "bilinear"
    parallel_calls: Annotated[
        Calls,
        Meta(description="batches that are rescaled at once; Keras itself decodes by AUTOTUNE"),
    ] = "autotune"
    cache: Cache = "memory"
    shuffle_batches: Annotated[
        Annotated[int, Meta(ge=1, le=10_000_000)] | Literal["none"],
        Meta(description="batches in the shuffle buffer after the cache"),
    ] = 1000
    prefetch: Prefetch = "autotune"
    augment_in: AugmentIn = "pipeline"

    def open(self, workload: Workload, prepared: Path, scratch: Path) -> Feed:
        """Return a dataset of the images in `workload.folder`.

        Raises RequestError if Keras does not list them all.
        """
        from feedbench.pipelines.built_in.keras import directory_dataset as keras

        if self.augment_in == "model":
            workload = dataclasses.replace(workload, augmentation=None)
        cache, buffer = keras.fitted(workload, self.cache, self.shuffle_batches, scratch)
        dataset = keras.listed(workload, self.interpolation)
        rescale = keras.rescaling(workload)

        def in_form(dataset: Any) -> Any:
            if rescale is None:
                return dataset
            calls = keras.or_autotune(self.parallel_calls)
            return dataset.map(lambda x, y: (rescale(x), y), num_parallel_calls=calls)

        augments = workload.augmentation is not None
        if not augments:
            dataset = in_form(dataset)
        if cache != "none":
            dataset = dataset.cache(os.fspath(scratch / "cache") if cache == "file" else "")
        if buffer:
            dataset = dataset.shuffle(buffer, seed=workload.seed)
        if augments:  # behind the cache, for every epoch has new draws
            dataset = in_form(dataset)
        if self.prefetch != "none":
            dataset = dataset.prefetch(keras.or_autotune(self.prefetch))
        feed: Feed = dataset
        return feed
