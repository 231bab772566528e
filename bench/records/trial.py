"""One line of trials.jsonl: a trial, and how it ended."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

import msgspec

from feedbench.bench.records.calm import Around
from feedbench.bench.records.diagnosis import Autotune
from feedbench.bench.records.messages import Purpose, Traced
from feedbench.bench.records.page_cache import Certificate
from feedbench.bench.records.proof import Proof
from feedbench.bench.records.usage import Latency, Usage
from feedbench.bench.records.windows import Window, counted

SCHEMA = 1


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


class Fault(StrEnum):
    """What kind of thing went wrong with a trial that failed."""

    RAISED = "raised"  # in the pipeline, or in what the trial does with it
    WRONG_WORK = "wrong work"  # it does not deliver what the workload asks for
    EXITED = "exited"  # its process, before the trial was done
    KILLED = "killed"  # by a signal that was not the run's
    OVER_LIMIT = "over limit"  # the run ended it
    FORKSERVER_DIED = "forkserver died"  # and the trial with it


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
    fault: Fault | None = None  # null: it did not fail, or a version before schema 2 wrote it
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

    @property
    def rate(self) -> float:
        """Images/s: the images of the windows that count over their seconds."""
        windows = counted(self.windows)
        return sum(w.images for w in windows) / sum(w.seconds for w in windows)

    @property
    def others_share(self) -> float | None:
        """What other programs took of the cores meanwhile; None where it is not known."""
        return None if self.usage is None else self.usage.others_share

    @property
    def is_disturbed(self) -> bool:
        """Whether the machine was not calm around it, or others were at work in it.

        False where the machine was not probed.
        """
        if self.around is None:
            return False
        others_share = self.others_share or 0.0
        return self.around.is_disturbed or others_share > self.around.most_others_share
