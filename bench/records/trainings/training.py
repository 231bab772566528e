"""training.json: what `feedbench train` was asked, and how each pipeline's model trained."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Literal

import msgspec

from feedbench.bench.files import DAMAGED, write_whole
from feedbench.bench.records.conditions.environment import Environment
from feedbench.bench.records.run import WorkloadRecord
from feedbench.bench.records.trained_epoch import TrainedEpoch
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.system.regular_files import read_regular

SCHEMA = 1
FILE = "training.json"


class Training(msgspec.Struct, frozen=True, kw_only=True):
    """One training: a model from one seed, through one pipeline."""

    label: str
    spec: str
    seed: int  # of the first weights, of dropout and of the pipeline's order
    status: Literal["running", "trained", "stopped", "interrupted", "failed"]
    why: str = ""  # of one that stopped at NaN, failed or read changed photos: a clause
    hint: str = ""  # what the user can do about it
    notes: list[str] = []
    initial_weights: str = ""  # SHA-256 of the weights before the first epoch; "": not built
    epochs: list[TrainedEpoch] = []  # that were completed
    nan_epoch: int | None = None  # the first whose loss was not a number
    best_epoch: int | None = None  # whose weights the saved model has
    model: str = ""  # the saved model, relative to the folder; "": none
    tensorboard: str = ""  # the folder of its event files, relative to the folder
    open_seconds: float = 0.0  # that opening both feeds took
    prepare_seconds: float | None = None  # to write its files first; null: it writes none

    @property
    def last(self) -> TrainedEpoch | None:
        """The last completed epoch; None before there is one."""
        return self.epochs[-1] if self.epochs else None

    @property
    def rate(self) -> float | None:
        """The median of the epochs' images per second, without the first if there are others.

        None before an epoch is completed.
        """
        rates = [epoch.rate for epoch in self.epochs]
        return median(rates[1:] or rates) if rates else None

    @property
    def seconds(self) -> float:
        """Seconds of all epochs, training and validation."""
        return sum(epoch.seconds + epoch.val_seconds for epoch in self.epochs)


class ModelRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The model that was trained."""

    spec: str  # as --model names it
    name: str  # of the network or the file
    parameters: int
    compiled_with: str = ""  # in words, if Feedbench compiled it; "": it was compiled
    is_saved: bool = False  # its first weights came from a file, not from a seed
    weights: str = ""  # the file that they came from as well, as --weights names it
    note: str = ""  # a sentence on those


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """Whether one pipeline's final accuracy is that of the first, within chance.

    `low` to `high` is the interval of the difference, in shares of images.
    """

    label: str
    baseline: str  # the label of the first pipeline
    accuracy: float  # mean over the seeds
    baseline_accuracy: float
    low: float
    high: float

    @property
    def difference(self) -> float:
        """Its accuracy minus that of the first pipeline."""
        return self.accuracy - self.baseline_accuracy

    @property
    def is_alike(self) -> bool:
        """Whether chance alone may make this difference."""
        return self.low <= 0 <= self.high


class Likeness(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the pipelines train alike, by the accuracy of the last epoch."""

    part: Literal["validation", "training"]  # whose accuracy is compared
    images: int  # of that part
    method: Literal["binomial", "seeds"]  # of the intervals: bench/training/likeness.py
    level: float  # of all intervals together, such as 0.95
    seeds: int
    pipelines: list[Agreement]  # all but the first

    @property
    def is_alike(self) -> bool:
        """Whether no pipeline differs from the first by more than chance."""
        return all(each.is_alike for each in self.pipelines)


class TrainingRecord(msgspec.Struct, frozen=True, kw_only=True):
    """training.json."""

    schema: int = SCHEMA
    status: Literal["running", "complete", "interrupted"]
    command: list[str]
    started_at: str  # UTC, ISO 8601
    seconds: float = 0.0
    workload: WorkloadRecord  # of the training part
    validation_images: int  # 0: there is no validation part
    validation_classes: dict[str, int] = {}  # validation images of each
    model: ModelRecord
    epochs: int  # that were requested
    repeats: int = 1  # the seeds, one after another from the workload's
    stop_at_nan: bool = False
    trainings: list[Training] = []  # in the order in which they ran
    likeness: Likeness | None = None  # null: fewer than two pipelines trained, or no accuracy
    notes: list[str] = []
    changed: str = ""  # a clause: which photo changed, and when; nothing was trained after that
    environment: Environment

    @property
    def labels(self) -> list[str]:
        """The labels of the pipelines, in order."""
        return list(dict.fromkeys(training.label for training in self.trainings))

    def of(self, label: str) -> list[Training]:
        """Return the trainings of one pipeline, a seed each."""
        return [training for training in self.trainings if training.label == label]


def write_training(folder: Path, record: TrainingRecord) -> None:
    """Replace training.json in one step, so that a reader always finds a complete file."""
    content = msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"
    write_whole(folder / FILE, content)


def read_training(folder: Path) -> TrainingRecord:
    """Read training.json. Raises RequestError if it is missing, of another schema, or broken."""
    file = folder / FILE
    try:
        content = read_regular(file)
    except OSError as error:
        raise RequestError(
            f"{folder} has no training: cannot read {file} ({error.strerror})",
            hint="name a folder that feedbench train wrote",
        ) from error
    try:
        schema = msgspec.json.decode(content, type=_Head).schema
        if schema == SCHEMA:
            return msgspec.json.decode(content, type=TrainingRecord)
    except DAMAGED as error:
        raise RequestError(f"{file} is broken: {error}") from error
    raise RequestError(
        f"{file} has schema {schema!r}; this Feedbench reads schema {SCHEMA}",
        hint="use the version of Feedbench that wrote it",
    )


class _Head(msgspec.Struct, frozen=True):
    """The schema of a file."""

    schema: object = None
