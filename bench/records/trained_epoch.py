"""One epoch of `fit`."""

from __future__ import annotations

import msgspec


class TrainedEpoch(msgspec.Struct, frozen=True, kw_only=True):
    """One epoch of `fit`. A loss or an accuracy is null if it is no finite number, or not there."""

    number: int  # from 1
    seconds: float  # of the training part; the first epoch's include building the graph
    images: int
    loss: float | None
    accuracy: float | None  # a share of the training part, averaged over the epoch
    val_loss: float | None = None  # after the epoch, over the whole validation part
    val_accuracy: float | None = None
    val_seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Images per second in training."""
        return self.images / self.seconds if self.seconds else 0.0
