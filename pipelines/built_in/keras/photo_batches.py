"""The PyDataset itself. Imports Keras; pipelines import this inside `open`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from feedbench.pipelines.augmentation.arrays import ArrayAugmenter
from feedbench.pipelines.built_in.form import in_form, in_range
from feedbench.pipelines.images.placement import fitted

if TYPE_CHECKING:
    from feedbench.pipelines.contract import Batch, Workload


class PhotoBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """The workload's batches, by Keras' `load_img`, as the guides write them."""

    def __init__(
        self, workload: Workload, interpolation: str, *, shuffle: bool, **options: Any
    ) -> None:
        """Take Keras' own `options`: workers, use_multiprocessing and max_queue_size."""
        super().__init__(**options)
        self._workload = workload
        self._interpolation = interpolation
        self._labels = np.asarray(workload.labels, np.int32)
        self._order = np.arange(workload.images)
        self._rng = np.random.default_rng(workload.seed) if shuffle else None
        self._epoch = 0
        augmentation = workload.augmentation
        self._augmenter = None if augmentation is None else ArrayAugmenter(augmentation)

    def __len__(self) -> int:
        return math.ceil(self._workload.images / self._workload.batch_size)

    def __getitem__(self, place: int) -> Batch:
        size = self._workload.batch_size
        chosen = self._order[place * size : (place + 1) * size]
        images = np.stack([self._delivered(each) for each in chosen])
        return in_form((in_range(images, self._workload), self._labels[chosen]), self._workload)

    def on_epoch_end(self) -> None:
        """Put the images in a new order. `fit` calls this before the first epoch, too."""
        self._epoch += 1
        if self._rng is not None:
            self._rng.shuffle(self._order)

    def _delivered(self, place: int) -> Any:
        """Return an image `[H, W, 3]` in 0 to 255, augmented if the workload is.

        What is drawn depends on the seed, the epoch and the image: workers share no state.
        """
        image = self._read(self._workload.files[place])
        if self._augmenter is None:
            return image
        seed = (self._workload.seed, self._epoch, int(place))
        return self._augmenter.augmented(image, np.random.default_rng(seed))

    def _read(self, file: str) -> Any:
        """Return an image `[H, W, 3]` in 0 to 255."""
        work = self._workload
        image = self._fitted(file)
        # What a keras.json says must not change the work; grey is made of floats.
        is_whole = work.dtype == "uint8" and work.channels != 1 and self._augmenter is None
        dtype = "uint8" if is_whole else "float32"
        return keras.utils.img_to_array(image, data_format="channels_last", dtype=dtype)

    def _fitted(self, file: str) -> Any:
        """Return a picture of the workload's size. Keras stretches and crops, and has no more."""
        work = self._workload
        if work.fit.rule == "pad" or work.fit.share is not None:
            return fitted(keras.utils.load_img(file), work, self._interpolation)
        return keras.utils.load_img(
            file,
            target_size=(work.height, work.width),
            interpolation=self._interpolation,
            keep_aspect_ratio=work.fit.rule == "crop",
        )
