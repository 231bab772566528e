"""gate.json: whether a new version of a loader is slower than its base."""

from __future__ import annotations

from typing import Literal

import msgspec

from feedbench.bench.records.conditions.environment import Environment

SCHEMA = 1
BASE, NEW = "base", "new"
"""The labels of the two pipelines of a gate's run."""

Answer = Literal["not slower", "slower", "cannot tell", "failed"]
"""failed: a loader failed, or its work is not equal."""

EXIT_CODES: dict[Answer, int] = {"not slower": 0, "slower": 1, "failed": 2, "cannot tell": 3}


class Arm(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two loaders. Rates in images/s."""

    spec: str  # as it was given
    commit: str | None = None  # that its folder is at; null: it is in no git repository
    rate: float | None = None
    rate_low: float | None = None
    rate_high: float | None = None
    failures: list[str] = []  # how its failed trials ended


class GateRecord(msgspec.Struct, frozen=True, kw_only=True):
    """gate.json. Ratios are new rate / base rate, times in seconds; null: not known."""

    schema: int = SCHEMA
    word: Answer
    exit_code: int
    strict: bool = False  # it fails if it cannot tell
    tolerance: float  # a share
    level: float  # of the interval, which holds after all blocks at once
    ratio: float | None = None
    ratio_low: float | None = None
    ratio_high: float | None = None
    why: str | None = None  # a clause: why it failed or cannot tell
    base: Arm
    new: Arm
    blocks: int  # that are completed
    undisturbed_blocks: int  # of these, that the ratio is from
    more_blocks: int | None = None  # that would decide, about
    block_seconds: float | None = None  # that a block took, on average
    seconds: float  # of the whole run
    status: str  # of the run: complete or interrupted
    stopped_because: str | None = None  # as in run.json
    started_at: str  # UTC, ISO 8601
    folder: str  # of the run
    images: int
    environment: Environment  # the machine and the versions
    first: GateRecord | None = None  # with --confirm: that of the first run, which was slower


def exit_code(word: Answer, *, strict: bool) -> int:
    """Return the exit code of an answer: with `strict`, one that cannot tell fails as a slower."""
    return EXIT_CODES["slower" if strict and word == "cannot tell" else word]
