"""What is made of the calls of `fit`: times, figures, the best epoch. No Keras."""

from __future__ import annotations

import math
from typing import Any

import pytest

from feedbench.bench.fitting.follower import Follower
from feedbench.bench.records.messages import EpochFitted, Event, Stepped
from feedbench.bench.records.trained_epoch import TrainedEpoch
from feedbench.pipelines.errors import WrongWorkError


class Fit:
    """Calls a follower as `fit` does; a step takes a second, validation 3, saving 10."""

    def __init__(self, batches: int = 2) -> None:
        self.now = 0.0
        self.events: list[Event] = []
        self.kept: list[tuple[int, bool]] = []
        self.batches = batches
        self.follower = Follower(
            self.events.append, self._keep, images=16, batches=batches, clock=lambda: self.now
        )

    def _keep(self, epoch: TrainedEpoch, logs: Any, is_best: bool) -> None:
        self.now += 10
        self.kept.append((epoch.number, is_best))

    def epoch(self, number: int, *, steps: int | None = None, **logs: float) -> None:
        self.follower.epoch_begins()
        for _ in range(self.batches if steps is None else steps):
            self.now += 1
            self.follower.step_ends(number, {"loss": logs["loss"]})
        if "val_loss" in logs:
            self.follower.validation_begins()
            self.now += 3
            self.follower.validation_ends()
        self.follower.epoch_ends(number, logs)

    @property
    def epochs(self) -> list[TrainedEpoch]:
        return [event.epoch for event in self.events if isinstance(event, EpochFitted)]


def test_an_epoch_is_timed_without_validation_and_without_saving() -> None:
    fit = Fit()
    fit.epoch(0, loss=1.0, accuracy=0.5, val_loss=1.1, val_accuracy=0.4)
    fit.epoch(1, loss=0.9, accuracy=0.6, val_loss=1.0, val_accuracy=0.5)
    assert [(each.seconds, each.val_seconds) for each in fit.epochs] == [(2.0, 3.0)] * 2
    assert fit.epochs[1] == TrainedEpoch(
        number=2,
        seconds=2.0,
        images=16,
        loss=0.9,
        accuracy=0.6,
        val_loss=1.0,
        val_accuracy=0.5,
        val_seconds=3.0,
    )


def test_the_best_epoch_is_that_of_the_best_validation_and_ties_go_by_loss() -> None:
    fit = Fit()
    for number, (accuracy, loss) in enumerate([(0.4, 1.0), (0.6, 0.9), (0.6, 0.95), (0.6, 0.8)]):
        fit.epoch(number, loss=5.0 - number, accuracy=0.9, val_loss=loss, val_accuracy=accuracy)
    assert fit.kept == [(1, True), (2, True), (3, False), (4, True)]


def test_without_validation_the_training_part_decides() -> None:
    fit = Fit()
    fit.epoch(0, loss=1.0, accuracy=0.5)
    fit.epoch(1, loss=0.5, accuracy=0.4)
    assert fit.kept == [(1, True), (2, False)]


def test_a_loss_that_is_not_a_number_is_named_and_never_the_best() -> None:
    fit = Fit()
    fit.epoch(0, loss=math.nan)
    fit.epoch(1, loss=math.inf, accuracy=0.1)
    first, second = [event for event in fit.events if isinstance(event, EpochFitted)]
    assert first.is_nan
    assert second.is_nan
    assert fit.epochs[0].loss is None
    assert fit.kept[0] == (1, False)


def test_keras_other_names_of_accuracy_count_too() -> None:
    fit = Fit()
    fit.epoch(0, loss=1.0, acc=0.25, val_loss=1.0, val_acc=0.75)
    assert (fit.epochs[0].accuracy, fit.epochs[0].val_accuracy) == (0.25, 0.75)


def test_an_epoch_with_too_many_or_too_few_batches_is_refused() -> None:
    with pytest.raises(WrongWorkError, match="more than 2 batches in epoch 1"):
        Fit().epoch(0, steps=3, loss=1.0)
    with pytest.raises(WrongWorkError, match="1 batches in epoch 2; expected 2"):
        Fit().epoch(1, steps=1, loss=1.0)


def test_progress_is_reported_at_most_twice_a_second() -> None:
    fit = Fit(batches=1000)
    fit.follower.epoch_begins()
    for _ in range(1000):
        fit.now += 0.01
        fit.follower.step_ends(0, {"loss": 1.0})
    steps = [event for event in fit.events if isinstance(event, Stepped)]
    assert 15 <= len(steps) <= 20
    assert (steps[0].epoch, steps[0].steps) == (1, 1000)
