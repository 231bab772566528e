"""What must hold after any fault. Each check yields a clause for whatever does not."""

from __future__ import annotations

import fcntl
import json
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from feedbench.bench.records.run import RunRecord, Stopped
from feedbench.bench.records.trial import TrialRecord
from tests.faults.scenario import Line
from tests.faults.stage import BLOCKS, Ended, Stage
from tests.support.waiting import gone

Hit = tuple[Line, str]
"""A fault that hit somebody, and whom."""

KILLED = -9
_LATE = ", late"  # the run's record was final
_ENDING = {"end command": 143, "interrupt command": 130, "hang up command": 129}
_DOCUMENTED = {0, 1, 2, *_ENDING.values()}
_NEVER_PRINTED = ("Traceback (most recent call last)", "bug in Feedbench", "{{node", "\x1b")
_GONE_SECONDS = 15.0
_LEFT_TO_STAND = {"loader.py", "tmp", "R", "P", "cache", "ballast"}
_PHOTO_FAULTS = {"delete photo", "grow photo", "cut photo", "swap photo", "pipe photo"}


def of_end(ended: Ended, hits: Sequence[Hit]) -> Iterator[str]:
    """Check how a command ended, and what it printed."""
    is_killed = any(line.fault == "kill command" for line, _ in hits)
    if ended.code is None:
        yield f"it did not end within {ended.seconds:.0f} s"
        return
    if ended.code not in _DOCUMENTED and not (ended.code == KILLED and is_killed):
        yield f"its exit code is {ended.code}"
    text = ended.out + ended.err
    yield from (f"it printed {words!r}" for words in _NEVER_PRINTED if words in text)
    has_words = any(line.startswith("feedbench: ") for line in ended.err.splitlines())
    if len(hits) == 1 and not hits[0][1].endswith(_LATE):
        expected = _ENDING.get(hits[0][0].fault, ended.code)
        if ended.code != expected:
            yield f"it was asked to end; expected exit code {expected}, and it is {ended.code}"
    if ended.code in _DOCUMENTED - {0} and not (has_words or ended.out):
        yield f"it ended with {ended.code} and without a word"


def of_refusal(ended: Ended) -> Iterator[str]:
    """Check that a command that ended with 2 says why in a sentence and a hint."""
    lines = ended.err.splitlines()
    own = [at for at, line in enumerate(lines) if line.startswith("feedbench: ")]
    if len(own) != 1 or len(lines) - own[0] > 2:
        yield f"it refused in other than one sentence: {lines[-3:]}"


def of_leftovers(stage: Stage, *, was_killed: bool) -> Iterator[str]:
    """Check that no process, scratch file, lock or half-written file is left."""
    family = stage.family()
    if not gone(family, _GONE_SECONDS):
        yield f"{len(family)} of its processes are left"
    left = [entry.name for entry in stage.scratch.iterdir()] if stage.scratch.exists() else []
    if left:
        yield f"scratch is left: {left}"
    if others := {entry.name for entry in stage.here.iterdir()} - _LEFT_TO_STAND:
        yield f"it left {sorted(others)}"
    for lock in (stage.run / "resume.json", *(stage.here / "P").glob("*.lock")):
        if _is_locked(lock):
            yield f"{lock.name} is still locked"
    # What was killed while it wrote cannot remove its unfinished file.
    if stage.run.is_dir() and not was_killed:
        yield from (f"R/{file.name} is left" for file in stage.run.glob(".*"))


def of_files(folder: Path) -> Iterator[str]:
    """Check that each file of JSON, and each line that has ended, is whole."""
    for file in (*folder.glob("*.json"), *folder.glob("*.jsonl")):
        content = file.read_bytes()
        parts = content.split(b"\n")[:-1] if file.suffix == ".jsonl" else [content]
        for number, part in enumerate(parts, 1):
            try:
                json.loads(part)
            except ValueError as error:
                yield f"{file.name}, line {number}: {error}"


def of_numbers(run: RunRecord, trials: Sequence[TrialRecord]) -> Iterator[str]:
    """Check that no figure is impossible."""
    for row in run.rows:
        for rate in (row.rate, row.rate_low, row.rate_high, row.ratio):
            if rate is not None and not (math.isfinite(rate) and rate > 0):
                yield f"{row.label} has a rate of {rate}"
    if run.seconds < 0 or any(trial.seconds < 0 for trial in trials):
        yield "a time is negative"


def of_marks(
    run: RunRecord, trials: Sequence[TrialRecord], hits: Sequence[Hit], code: int | None
) -> Iterator[str]:
    """Check that what a fault has hit is marked as such in the run's record."""
    for line, whom in hits:
        hit = _trial_of(whom, trials) if line.fault == "kill trial" else None
        if hit is not None and hit.ended in {"measured", "verified", "prepared"}:
            yield f"the trial of {whom} was killed, and its record has {hit.ended}"
        is_late = whom.endswith(_LATE)
        is_measured = line.phase == "block" and run.status == "complete" and not is_late
        if line.fault in _PHOTO_FAULTS and is_measured and (run.changed is None or code != 2):
            yield f"a photo changed in block {line.block}: exit code {code}, and no mark"


def of_completion(run: RunRecord, trials: Sequence[TrialRecord]) -> Iterator[str]:
    """Check that a complete run has each trial of each block once."""
    if run.changed is not None or run.stopped_because in {Stopped.FAILED, Stopped.TIME}:
        return
    if run.status != "complete" or run.blocks != BLOCKS:
        yield f"it ended well, but is {run.status} with {run.blocks} blocks"
    kept = [
        (trial.block, trial.label, trial.purpose, trial.attempt) for trial in trials if trial.block
    ]
    if len(kept) != len(set(kept)):
        yield "a trial is recorded twice"


def _trial_of(log: str, trials: Sequence[TrialRecord]) -> TrialRecord | None:
    """Return the record of the trial with a log such as 001-main-mine.log."""
    names = {f"{trial.block:03d}-{trial.purpose}-{trial.label}.log": trial for trial in trials}
    return names.get(log)


def _is_locked(file: Path) -> bool:
    if not file.is_file():
        return False
    descriptor = os.open(file, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
