"""One line of trials.jsonl: a trial, and how it ended."""

from __future__ import annotations

from enum import StrEnum
from statistics import fmean
from typing import Literal

import msgspec

from feedbench.bench.records.conditions.calm import Around
from feedbench.bench.records.conditions.page_cache import Certificate
from feedbench.bench.records.conditions.usage import Usage
from feedbench.bench.records.measurement import Measurement, Profile
from feedbench.bench.records.messages import Purpose
from feedbench.bench.records.proof import Proof
from feedbench.bench.records.turns import Turn

SCHEMA = 2
"""The schema of a run folder: of run.json, and of each line of trials.jsonl."""


class BreakEven(msgspec.Struct, frozen=True, kw_only=True):
    """After how many epochs a preparation pays for itself, compared with another pipeline."""

    against: str  # label
    epochs: float | None  # null: never
    is_faster: bool  # by its rate; if not, no epoch saves time


class Preparation(msgspec.Struct, frozen=True, kw_only=True):
    """The files that a pipeline wrote in advance, and what that cost."""

    folder: str
    made_at: str  # UTC, ISO 8601
    was_found: bool  # made by an earlier run, and reused
    images: int
    seconds: float  # synced to the disk
    bytes: int  # written
    source_bytes: int  # of the images' own files
    files: int
    break_even: list[BreakEven] = []


class Fault(StrEnum):
    """What went wrong in a trial that failed."""

    RAISED = "raised"  # by the pipeline, or by the trial's use of it
    WRONG_WORK = "wrong work"  # it does not deliver what the workload asks for
    EXITED = "exited"  # its process, before the trial was done
    KILLED = "killed"  # by a signal that was not the run's
    OVER_LIMIT = "over limit"  # the run ended it
    CLOCK = "clock"  # it and the parent disagree on how long the windows took
    FORKSERVER_DIED = "forkserver died"  # and the trial with it
    SOURCES_CHANGED = "sources changed"  # the files that it reads, not the pipeline


class TrialRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One line of trials.jsonl. Times are seconds."""

    schema: int = SCHEMA
    label: str
    spec: str
    purpose: Purpose
    block: int  # from 1; 0 before the blocks
    attempt: int = 1
    started_at: str  # UTC, ISO 8601
    seconds: float  # from the request for the process until it was gone
    ended: Literal[
        "measured",
        "prepared",
        "verified",
        "collected",
        "traced",
        "failed",
        "time up",
        "interrupted",
    ]
    fault: Fault | None = None  # null: it did not fail, or a version before schema 2 wrote it
    why: str | None = None  # what went wrong, as a clause
    exit_code: int | None = None  # of the process; null: a signal ended it, or the run did
    signal: int | None = None  # that ended the process
    last_words: str | None = None  # the last line that the process printed, where it failed
    asked_to_first_batch_seconds: float | None = None
    measured: Measurement | None = None  # null: it was not, or it failed before the end
    turns: list[Turn] = []  # in a rotation; empty: it ran alone from its beginning to its end
    preparation: Preparation | None = None
    proof: Proof | None = None
    usage: Usage | None = None
    page_cache: Certificate | None = None  # of the first epoch; null: not checked
    around: Around | None = None  # the state of the machine; null: it was not probed
    until: str = ""  # the step after which it was cut off
    traced: Profile | None = None

    @property
    def rate(self) -> float:
        """Images/s: the images of the turns, or of the windows that count, over their seconds.

        Raises ValueError if it was not measured.
        """
        if self.measured is None:
            raise ValueError(f"{self.label} has no rate: its trial {self.ended}")
        if self.turns:
            images = sum(turn.images for turn in self.turns)
            return images / sum(turn.seconds for turn in self.turns)
        return self.measured.rate

    @property
    def is_failure(self) -> bool:
        """Whether the pipeline failed: not if it was the files that it reads that changed."""
        return self.ended == "failed" and self.fault is not Fault.SOURCES_CHANGED

    @property
    def is_other_work(self) -> bool:
        """Whether it showed, in its timed part, that the pipeline does not do what was proven."""
        return self.block > 0 and self.fault is Fault.WRONG_WORK

    @property
    def others_share(self) -> float | None:
        """The share of the cores that other programs used during the trial; None if unknown.

        In a rotation, a mean over its turns.
        """
        shares = [turn.others_share for turn in self.turns if turn.others_share is not None]
        if shares:
            return fmean(shares)
        return None if self.usage is None else self.usage.others_share

    @property
    def is_disturbed(self) -> bool:
        """Whether the trial is left out, because the machine was noisy.

        False in a rotation: what slows the machine slows all pipelines alike.
        """
        return self.was_noisy and not self.turns

    @property
    def was_noisy(self) -> bool:
        """Whether the machine was not calm around the trial, or other programs were busy in it.

        False if the machine was not probed.
        """
        if self.around is None:
            return False
        others_share = self.others_share or 0.0
        return self.around.is_disturbed or others_share > self.around.most_others_share
