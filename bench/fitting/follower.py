"""Follows a training epoch by epoch: its times, its figures, and its best weights. No Keras."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from feedbench.bench.records.messages import EpochFitted, Event, Stepped
from feedbench.bench.records.trained_epoch import TrainedEpoch
from feedbench.pipelines.errors import WrongWorkError

_PROGRESS_SECONDS = 0.5
_ACCURACIES = (
    "accuracy",
    "acc",
    "sparse_categorical_accuracy",
    "categorical_accuracy",
    "binary_accuracy",
)

Logs = Mapping[str, Any]


class Follower:
    """Is called as a Keras callback is, and reports each epoch after it was kept.

    `keep` is called with each epoch and whether it is the best so far. An epoch's seconds end with
    its last step, before validation and before anything is written.
    """

    def __init__(
        self,
        say: Callable[[Event], object],
        keep: Callable[[TrainedEpoch, Logs, bool], None],
        *,
        images: int,
        batches: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._say = say
        self._keep = keep
        self._images = images
        self._batches = batches
        self._clock = clock
        self._begun = self._last = self._validated = self._shown = 0.0
        self._steps = 0
        self._validation_seconds = 0.0
        self._best: tuple[float, float] | None = None

    def epoch_begins(self) -> None:
        """Begin to time an epoch."""
        self._steps = 0
        self._validation_seconds = 0.0
        self._begun = self._last = self._clock()

    def step_ends(self, epoch: int, logs: Logs) -> None:
        """Count a step. Raises WrongWorkError if an epoch has more than the workload's."""
        self._steps += 1
        if self._steps > self._batches:
            raise WrongWorkError(
                f"it delivered more than {self._batches} batches in epoch {epoch + 1};"
                " expected every image once, and then an end",
                hint="do not call repeat() on the dataset that you return",
            )
        if self._steps == self._batches:
            float(logs["loss"])  # waits for the accelerator
        self._last = self._clock()
        if self._last - self._shown > _PROGRESS_SECONDS:
            self._shown = self._last
            self._say(
                Stepped(
                    epoch=epoch + 1,
                    step=self._steps,
                    steps=self._batches,
                    loss=finite(logs.get("loss")),
                    accuracy=finite(accuracy_of(logs)),
                )
            )

    def validation_begins(self) -> None:
        """Begin to time the validation."""
        self._validated = self._clock()

    def validation_ends(self) -> None:
        """Add the validation's time to its epoch."""
        self._validation_seconds += self._clock() - self._validated

    def epoch_ends(self, epoch: int, logs: Logs) -> None:
        """Keep an epoch and report it. Raises WrongWorkError if it was too short."""
        if self._steps < self._batches and not is_nan(logs):
            raise WrongWorkError(
                f"it delivered {self._steps} batches in epoch {epoch + 1}; expected"
                f" {self._batches}, every image once",
                hint="feedbench verify says which images are missing",
            )
        fitted = TrainedEpoch(
            number=epoch + 1,
            seconds=self._last - self._begun,
            images=self._images,
            loss=finite(logs.get("loss")),
            accuracy=finite(accuracy_of(logs)),
            val_loss=finite(logs.get("val_loss")),
            val_accuracy=finite(accuracy_of(logs, "val_")),
            val_seconds=self._validation_seconds,
        )
        is_best = self._is_best(fitted)
        self._keep(fitted, logs, is_best)
        self._say(EpochFitted(epoch=fitted, is_nan=is_nan(logs), is_best=is_best))

    def _is_best(self, epoch: TrainedEpoch) -> bool:
        """Return whether an epoch is better than all before: by accuracy, and then by loss.

        Those are of the validation part if there is one.
        """
        is_validated = epoch.val_loss is not None or epoch.val_accuracy is not None
        loss = epoch.val_loss if is_validated else epoch.loss
        accuracy = epoch.val_accuracy if is_validated else epoch.accuracy
        if loss is None and accuracy is None:
            return False
        score = (
            -math.inf if accuracy is None else accuracy,
            -math.inf if loss is None else -loss,
        )
        if self._best is not None and score <= self._best:
            return False
        self._best = score
        return True


def accuracy_of(logs: Logs, prefix: str = "") -> Any:
    """Return the accuracy among the figures of an epoch, by the usual names; None if none is."""
    return next((logs[prefix + name] for name in _ACCURACIES if prefix + name in logs), None)


def finite(value: Any) -> float | None:
    """Return a figure as a float; None for none, NaN and the infinities."""
    if value is None or not math.isfinite(number := float(value)):
        return None
    return number


def is_nan(logs: Logs) -> bool:
    """Return whether the loss of an epoch is NaN or infinite."""
    loss = logs.get("loss")
    return loss is not None and not math.isfinite(float(loss))
