"""tuning.json: what `feedbench tune` was asked, what each rung measured, and the winner."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from feedbench.bench.files import DAMAGED, write_whole
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.system.regular_files import read_regular

SCHEMA = 1
FILE = "tuning.json"
FINAL = "final"
"""The folder of the last run, below that of the tuning."""


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """What the user allows. null: no limit."""

    pixels: float | None = None  # grey levels; null: only the same or near images
    disk_bytes: int | None = None
    memory_bytes: int | None = None
    preparation_seconds: float | None = None
    epochs: int | None = None  # that are planned; null: the rate decides, not the time


class Exclusion(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate that was not measured."""

    spec: str
    why: str  # a clause


class Total(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds for the planned epochs over the whole folder."""

    prepare: float
    first_epoch: float
    other_epochs: float  # all of them

    @property
    def seconds(self) -> float:
        """All of it."""
        return self.prepare + self.first_epoch + self.other_epochs


class Gain(msgspec.Struct, frozen=True, kw_only=True):
    """How many times as fast one pipeline is as another: of the time, or of the rate."""

    times: float
    low: float | None  # of its interval; null: too few blocks
    high: float | None
    blocks: int


NO_TIME = "there was no time for it"
"""Why a candidate is out that a run did not come to."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate in one rung."""

    label: str
    spec: str
    rate: float | None = None  # images/s
    total: Total | None = None  # null: no epochs are planned, or it was not measured
    against_best: Gain | None = None  # null: it is the best, or it was not compared
    why_out: str = ""  # a clause; "": it stays


class Rung(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the search."""

    folder: str  # relative to that of the tuning
    blocks: int
    best: str | None  # label; null: nothing can be chosen
    results: list[Result]


class TuningRecord(msgspec.Struct, frozen=True, kw_only=True):
    """tuning.json."""

    schema: int = SCHEMA
    status: Literal["running", "complete", "interrupted"]
    command: list[str]
    started_at: str  # UTC, ISO 8601
    seconds: float = 0.0
    time_seconds: float
    folder: str
    folder_images: int
    images: int  # that the rungs measured
    changed: str = ""  # a clause: which photo changed, and when; nothing was measured after that
    allowance: Allowance
    default: str  # the label that gains are compared with
    excluded: list[Exclusion] = []
    rungs: list[Rung] = []
    winner: str | None = None  # label; null: nothing was measured that is allowed
    winner_spec: str = ""
    equals: list[str] = []  # labels that are not shown slower than the winner
    challenger: str = ""  # label: the best of the others than the default; "": none was left
    before: Gain | None = None  # the challenger over the default, in the last rung
    after: Gain | None = None  # the same in fresh blocks; null: not measured
    final_blocks: int = 0
    final_images: int = 0  # that the last run measured
    winner_total: Total | None = None
    default_total: Total | None = None
    winner_rate: float | None = None
    default_rate: float | None = None
    code: str = ""  # the file to paste, relative to the folder; "": none
    run: str = ""  # the folder of the last run, relative to that of the tuning


def write_tuning(folder: Path, record: TuningRecord) -> None:
    """Replace tuning.json in one step, so that a reader always finds a complete file."""
    content = msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"
    write_whole(folder / FILE, content)


def read_tuning(folder: Path) -> TuningRecord:
    """Read tuning.json. Raises RequestError if it is missing or broken."""
    file = folder / FILE
    try:
        return msgspec.json.decode(read_regular(file), type=TuningRecord)
    except OSError as error:
        raise RequestError(
            f"{folder} has no tuning: cannot read {file} ({error.strerror})",
            hint="name a folder that feedbench tune wrote",
        ) from error
    except DAMAGED as error:
        raise RequestError(f"{file} is broken: {error}") from error


def is_tuning(folder: Path) -> bool:
    """Whether `feedbench tune` wrote this folder."""
    return (folder / FILE).is_file()


def ended_by(run: Path) -> TuningRecord | None:
    """Return the tuning that ended with the run in this folder; None if there is none."""
    folder = run.absolute().parent
    if not is_tuning(folder):
        return None
    try:
        record = read_tuning(folder)
    except RequestError:  # damaged; the run is not
        return None
    return record if record.run == run.name else None


def last_run(folder: Path) -> Path | None:
    """Return the folder of the last run of a tuning; None if the folder holds no tuning.

    Raises RequestError if the tuning has no such run, or is broken.
    """
    if not is_tuning(folder):
        return None
    record = read_tuning(folder)
    if not record.run:
        raise RequestError(
            f"{folder} is a tuning without a last run: it ended before one",
            hint="report one of its rungs",
        )
    return folder / record.run
