"""One training, followed from outside: what is recorded and shown of it as it goes."""

from __future__ import annotations

from msgspec.structs import replace

from feedbench.bench.processes.client import fault_of, what_went_wrong
from feedbench.bench.processes.progress import Listener
from feedbench.bench.processes.underway import Outcome
from feedbench.bench.records.messages import (
    EpochFitted,
    Event,
    Failed,
    FitEnded,
    Fitting,
    Stepped,
)
from feedbench.bench.records.trained_epoch import TrainedEpoch
from feedbench.bench.records.trainings.training import Training
from feedbench.bench.records.trial import Fault
from feedbench.bench.text import digits
from feedbench.bench.training.keeper import Keeper

_BAR = 24  # characters
_MEMORY = "use a smaller --batch-size, --image-size or model if memory ran out"


class Follower:
    """Records and shows the events of one training."""

    def __init__(
        self, training: Training, model: str, epochs: int, keeper: Keeper, listener: Listener
    ) -> None:
        self.training = training
        self._model = model
        self._epochs = epochs
        self._keeper = keeper
        self._listener = listener
        self._name = training.label
        if keeper.record.repeats > 1:
            self._name += f" (seed {training.seed})"
        keeper.put(training)
        listener.stage(f"{self._name}: building the model")

    def take(self, event: Event) -> None:
        """Record an event, and show it."""
        match event:
            case Fitting():
                self._put(
                    initial_weights=event.initial_weights,
                    open_seconds=event.open_seconds,
                    notes=event.notes,
                )
                self._listener.stage(f"{self._name}: epoch 1/{self._epochs}")
            case Stepped():
                self._listener.stage(f"{self._name}: {_progress(event, self._epochs)}")
            case EpochFitted():
                self._epoch(event)

    def end(self, outcome: Outcome) -> Training:
        """Record how the training ended."""
        if isinstance(outcome.result, FitEnded):
            stopped = outcome.result.is_stopped
            why = f"its loss was not a number in epoch {self.training.nan_epoch}" if stopped else ""
            self._put(status="stopped" if stopped else "trained", why=why)
            return self.training
        why, hint = what_went_wrong(outcome) or "it ended early", ""
        if isinstance(outcome.result, Failed):
            why, hint = outcome.result.sentence, outcome.result.hint
        elif fault_of(outcome) is Fault.KILLED:
            hint = _MEMORY
        self._put(status="failed", why=why, hint=hint)
        self._listener.note(f"{self._name}: failed: {why}" + (f"; {hint}" if hint else ""))
        return self.training

    def _epoch(self, event: EpochFitted) -> None:
        epoch = event.epoch
        is_first_nan = event.is_nan and self.training.nan_epoch is None
        self._put(
            epochs=[*self.training.epochs, epoch],
            nan_epoch=epoch.number if is_first_nan else self.training.nan_epoch,
            best_epoch=epoch.number if event.is_best else self.training.best_epoch,
            model=self._model if event.is_best else self.training.model,
        )
        self._listener.note(f"{self._name}: {epoch_line(epoch, self._epochs)}")
        if is_first_nan:
            self._listener.note(
                f"{self._name}: the loss is not a number in epoch {epoch.number}; try a smaller"
                " learning rate, or another --range"
            )

    def _put(self, **changes: object) -> None:
        self.training = replace(self.training, **changes)
        self._keeper.put(self.training)


def epoch_line(epoch: TrainedEpoch, epochs: int) -> str:
    """Return an epoch's figures on one line, in the order in which Keras shows them."""
    figures = {
        "accuracy": epoch.accuracy,
        "loss": epoch.loss,
        "val_accuracy": epoch.val_accuracy,
        "val_loss": epoch.val_loss,
    }
    shown = [f"{name} {value:.4f}" for name, value in figures.items() if value is not None]
    return "  ".join(
        [
            f"epoch {epoch.number}/{epochs}",
            f"{digits(epoch.seconds)} s",
            f"{digits(epoch.rate)} images/s",
            *shown,
        ]
    )


def _progress(event: Stepped, epochs: int) -> str:
    done = _BAR * event.step // event.steps
    figures = {"accuracy": event.accuracy, "loss": event.loss}
    shown = [f"{name} {value:.4f}" for name, value in figures.items() if value is not None]
    bar = "━" * done + "─" * (_BAR - done)
    return "  ".join([f"epoch {event.epoch}/{epochs}  {event.step}/{event.steps} {bar}", *shown])
