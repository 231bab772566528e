"""The schema of a run, read and written in one place.

A run folder holds run.json, replaced whole each time, and trials.jsonl, one line a trial, on disk
before the next trial starts. Both are plain JSON, readable without Feedbench. images.json holds
the list of images that the run measured.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from feedbench.bench.equal_work.judgement import Proof
from feedbench.bench.machine.environment import Environment
from feedbench.bench.machine.monitor import Around
from feedbench.bench.machine.page_cache import Certificate, State
from feedbench.bench.machine.speed_probe import Share, Speed
from feedbench.bench.processes.other_python import Other
from feedbench.bench.records.diagnosis import Autotune, Diagnosis
from feedbench.bench.records.messages import Purpose, Traced
from feedbench.bench.records.usage import GpuUsage, Latency, NoGpu, Usage
from feedbench.bench.records.windows import Window
from feedbench.bench.verdicts.intervals import Word
from feedbench.pipelines.errors import RequestError

SCHEMA = 1
_T = TypeVar("_T")


class BreakEven(msgspec.Struct, frozen=True, kw_only=True):
    """After how many epochs a preparation has paid for itself, beside a pipeline without one."""

    against: str  # label
    epochs: float | None  # null: never
    is_faster: bool  # by its rate; without, no epoch is said to save anything


class Preparation(msgspec.Struct, frozen=True, kw_only=True):
    """What a pipeline reads was written beforehand; what that cost when it was done."""

    folder: str
    made_at: str  # UTC, ISO 8601
    was_found: bool  # made by an earlier run, and used again
    images: int
    seconds: float  # synced to the disk
    bytes: int  # written
    source_bytes: int  # of the images' own files
    files: int
    break_even: list[BreakEven] = []


class TrialRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One line of trials.jsonl. Seconds throughout; a phase that was not reached is null."""

    schema: int = SCHEMA
    label: str
    spec: str
    purpose: Purpose
    block: int  # from 1; 0 before the blocks
    attempt: int = 1
    started_at: str  # UTC, ISO 8601
    seconds: float  # from asking for the process until it was gone
    ended: Literal["measured", "prepared", "verified", "traced", "failed", "time up", "interrupted"]
    why: str | None = None  # what went wrong, as a clause
    exit_code: int | None = None  # of the process; null: a signal ended it, or the run did
    signal: int | None = None  # that ended the process
    last_words: str | None = None  # the last line that the process printed, where it failed
    asked_to_first_batch_seconds: float | None = None
    prepare_seconds: float | None = None
    open_seconds: float | None = None
    first_batch_seconds: float | None = None  # after open
    first_epoch_seconds: float | None = None  # after open, to the arrival of the last batch
    first_epoch_images: int | None = None
    epoch_seconds: list[float] = []  # restarted: from one epoch's last batch to the next one's
    turnover_seconds: list[float] = []  # from an epoch's last batch to the next one's first
    continuous: bool = True
    windows: list[Window] = []
    preparation: Preparation | None = None
    proof: Proof | None = None
    latency: Latency | None = None
    usage: Usage | None = None
    peak_memory_bytes: int | None = None  # resident, of the whole trial, its workers' own included
    page_cache: Certificate | None = None  # of the first epoch; null: it was not looked at
    around: Around | None = None  # what the machine was like; null: it was not probed
    run_delay_seconds: float | None = None  # that the trial's threads were ready and had no core
    consumer_seconds: float | None = None  # that the harness itself takes for a batch
    threads: int | None = None
    until: str = ""  # the step after which it was cut off
    autotune: Autotune | None = None  # what it had chosen at the end; null: it is no tf.data
    traced: Traced | None = None
    knobs: dict[str, Any] = {}
    remarks: list[str] = []


class PipelineRecord(msgspec.Struct, frozen=True):
    """A row's identity."""

    label: str
    spec: str
    slug: str  # the label as a file's name
    beside: str | None = None  # of one in another environment: the label of the same one in this


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """An image that no pipeline was given."""

    file: str  # relative to the folder
    reason: str  # why it is bad


class WorkloadRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The images and what was to be delivered; the list itself is in images.json."""

    folder: str
    folder_images: int
    images: int  # that were measured: all of the folder, or a part
    images_digest: str = ""  # of each one's name below the folder, class and bytes; "": not known
    ignored_files: int
    check: str = "none"  # how the images were looked at before: header, decode or none
    left_out: list[LeftOut] = []  # of those that were to be measured
    notes: list[str] = []  # what a person may not have expected of the list of images
    classes: dict[str, int]  # images measured of each
    height: int
    width: int
    channels: int
    batch_size: int
    dtype: str
    value_range: tuple[float, float]
    label_mode: str
    seed: int

    @property
    def is_part(self) -> bool:
        """Whether only a part of the folder was measured."""
        return self.images < self.folder_images


class PageCacheUse(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the page cache around a pipeline's first epochs, over its trials."""

    asked: State
    files: int  # that the pipeline reads
    bytes: int  # of these
    resident: float | None  # the mean share before a trial
    read_bytes: float | None  # from the device in a first epoch, the mean
    trials: int
    certified: int  # of these
    contradicted: int = 0  # of these: known to be otherwise, and left out of the first epoch
    why_not: str | None = None  # a clause: why the first was not


Withheld = Literal["control", "work", "baseline's work", "exclusions"]
"""Why there is no verdict: the baseline differed from its own second copy; the pipeline's work, or
the baseline's, is not shown to be equal; or it depends on which disturbed trials were left out."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A pipeline's line in the table. Rates in images/s, times in seconds; null: not known."""

    label: str
    spec: str
    blocks: int  # in which it was measured
    rate: float | None = None  # continuous, unless `continuous` is false
    rate_low: float | None = None
    rate_high: float | None = None
    ratio: float | None = None  # to the baseline, over the blocks of both
    ratio_low: float | None = None
    ratio_high: float | None = None
    level: float | None = None  # of the intervals
    # The ratio's interval by signed ranks, a check, and what its verdict would be; null: too few
    # blocks for the level.
    ranks_low: float | None = None
    ranks_high: float | None = None
    ranks_verdict: Word | None = None
    verdict: Word | None = None
    withheld: Withheld | None = None  # why, where the verdict is "withheld"
    within_margin: bool = False
    more_blocks: int | None = None  # that a verdict would take, about
    first_batch_seconds: float | None = None  # from open's call
    first_epoch_seconds: float | None = None  # from open's call
    turnover_seconds: float | None = None
    epoch_seconds: float | None = None  # of the images measured, restarted
    folder_epoch_seconds: float | None = None  # of the whole folder; of a part, extrapolated
    continuous: bool = True
    unsteady_trials: int = 0
    attempts: int = 0  # trials that were measured, retaken ones included
    disturbed: int = 0  # of these, around which the machine was not calm: left out
    latency: Latency | None = None  # percentiles: means over the trials; longest: of all
    consumer_share: float | None = None  # of the windows' time that the harness itself takes
    cpu_seconds_per_1000_images: float | None = None  # of the whole process tree
    cpu_utilisation: float | None = None  # of the cores that it could use, 0 to 1
    peak_memory_bytes: int | None = None  # the most of any trial
    read_bytes_per_image: float | None = None  # from the device
    gpus: list[GpuUsage] | NoGpu | None = None  # null: no trial was measured
    preparation: Preparation | None = None  # null: it reads the images' files as they are
    proof: Proof | None = None  # that it delivers the same images; null: not looked at
    page_cache: PageCacheUse | None = None  # around its first epochs; null: it was not looked at
    autotune: Autotune | None = None  # what it had chosen when the last trial ended
    knobs: dict[str, Any] = {}
    remarks: list[str] = []
    failures: list[str] = []  # how its failed trials ended


class BlockCalm(msgspec.Struct, frozen=True, kw_only=True):
    """What the machine was like in one block. Seconds over all its trials; null: not available."""

    block: int
    seconds: float  # of its trials
    probes: list[Share]  # before and after each, as shares of the good level
    disturbed: list[str]  # labels
    stolen_seconds: float | None
    throttled_seconds: float | None
    cpu_pressure_seconds: float | None
    io_pressure_seconds: float | None
    memory_pressure_seconds: float | None
    # That threads of its trials were ready and had no core: their sum, so it may exceed the time.
    run_delay_seconds: float | None = None
    control: float | None = None  # undisturbed rates: the baseline's second copy to the baseline


class Calm(msgspec.Struct, frozen=True, kw_only=True):
    """How calm the machine was."""

    good: Speed | None = None  # the good level: the median, where going on calibrated anew
    low: Share  # of the good level, under which a probe is low
    lowest: Share  # of all probes, each kind of work by itself
    middle: Share  # their medians: hashing far over 1, the calibration itself was disturbed
    attempts: int  # trials, retaken ones included
    disturbed: int  # of these
    retaken: int
    waited_seconds: float  # for good probes
    probe_seconds: float  # that all probes took
    others: float | None = None  # the most of the cores that other programs took in a trial
    blocks: list[BlockCalm]


class Resumed(msgspec.Struct, frozen=True, kw_only=True):
    """That a run was gone on with by another process."""

    at: str  # UTC, ISO 8601
    blocks: int  # that were whole by then
    left_out: int  # trials of the block under way, and what came after the blocks: measured anew


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """run.json."""

    schema: int = SCHEMA
    status: Literal["running", "complete", "interrupted"]
    command: list[str]
    started_at: str  # UTC, ISO 8601
    seconds: float = 0.0
    time_seconds: float | None  # that it was given
    blocks: int = 0  # that are whole
    stopped_because: str | None = None
    resumed: list[Resumed] = []
    margin: float
    pipelines: list[PipelineRecord]
    workload: WorkloadRecord
    environment: Environment
    code: str = ""  # a digest of what of Feedbench measured it; "": not known
    best: list[str] = []  # labels not shown slower than another
    control: tuple[float, float, float] | None = None  # ratio of the baseline's second copy to it
    rows: list[Row] = []
    calm: Calm | None = None
    page_cache: State = "warm"  # that was asked for
    against: Other | None = None  # the other environment
    diagnosis: Diagnosis | None = None  # why pipelines are as fast as they are


def write_run(folder: Path, run: RunRecord) -> None:
    """Replace run.json, so that a reader always finds a whole one."""
    new = folder / ".run.json.new"
    with new.open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(run), indent=2) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    new.replace(folder / "run.json")


def append_trial(folder: Path, trial: TrialRecord) -> None:
    """Add a line to trials.jsonl; it is on disk when this returns."""
    write_trials(folder / "trials.jsonl", [trial], add=True)


def write_trials(file: Path, trials: Sequence[TrialRecord], *, add: bool = False) -> None:
    """Replace a file of trials in one step, or add to it; it is on disk when this returns."""
    lines = b"".join(msgspec.json.encode(trial) + b"\n" for trial in trials)
    to = file if add else file.with_name(f".{file.name}.new")
    with to.open("ab" if add else "wb") as opened:
        opened.write(lines)
        opened.flush()
        os.fsync(opened.fileno())
    if not add:
        to.replace(file)


def read_run(folder: Path) -> RunRecord:
    """Read run.json. Raises RequestError where it is missing, of another schema, or broken."""
    file = folder / "run.json"
    try:
        content = file.read_bytes()
    except OSError as error:
        raise RequestError(
            f"{folder} is no run folder: {file} cannot be read ({error.strerror})"
        ) from error
    with contextlib.suppress(msgspec.DecodeError, msgspec.ValidationError):
        found = msgspec.json.decode(content, type=dict[str, Any]).get("schema")
        if found != SCHEMA:
            raise RequestError(
                f"{file} is of schema {found!r}; this Feedbench reads schema {SCHEMA}"
            )
    return _decoded(content, RunRecord, str(file))


def read_trials(folder: Path) -> list[TrialRecord]:
    """Read trials.jsonl. A last line that a crash cut short is passed over."""
    file = folder / "trials.jsonl"
    whole, _, _ = file.read_bytes().rpartition(b"\n")
    lines = enumerate(whole.splitlines(), 1)
    return [_decoded(line, TrialRecord, f"{file}, line {number}") for number, line in lines]


def _decoded(content: bytes, kind: type[_T], what: str) -> _T:
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise RequestError(f"{what} is broken: {error}") from error
