"""Reading and writing of a run folder.

A run folder holds run.json, which is replaced in one step, and trials.jsonl. The latter has a line
for each trial, which is on disk before the next trial starts. Both are plain JSON, readable without
Feedbench. images.json holds the list of images that the run measured.
"""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from feedbench.bench.files import DAMAGED, add_lines, write_whole
from feedbench.bench.records import schema_1
from feedbench.bench.records.run import RunRecord
from feedbench.bench.records.trial import SCHEMA, TrialRecord
from feedbench.bench.text import counted
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.system.regular_files import read_regular

PREPARING = "the run is being prepared, or ended before its first block"
_T = TypeVar("_T")
_OF_BLOCKS = frozenset(("main", "control"))


def write_run(folder: Path, run: RunRecord) -> None:
    """Replace run.json in one step, so that a reader always finds a complete file."""
    content = msgspec.json.format(msgspec.json.encode(run), indent=2) + b"\n"
    write_whole(folder / "run.json", content)


def write_preparing(folder: Path, command: list[str]) -> None:
    """Write the run.json of a run that has not chosen its images yet."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    record = _Preparing(command=command, started_at=now)
    write_whole(folder / "run.json", msgspec.json.format(msgspec.json.encode(record)) + b"\n")


def is_preparing(folder: Path) -> bool:
    """Return whether a run is being prepared, or ended while it was."""
    with contextlib.suppress(OSError):
        return _is_preparing(read_regular(folder / "run.json"))
    return False


def _is_preparing(content: bytes) -> bool:
    with contextlib.suppress(*DAMAGED):
        return msgspec.json.decode(content, type=_Head).status == "preparing"
    return False


def append_trial(folder: Path, trial: TrialRecord) -> None:
    """Add a line to trials.jsonl; it is on disk when this returns."""
    write_trials(folder / "trials.jsonl", [trial], add=True)


def write_trials(file: Path, trials: Sequence[TrialRecord], *, add: bool = False) -> None:
    """Replace a file of trials in one step, or add to it; it is on disk when this returns."""
    lines = b"".join(msgspec.json.encode(trial) + b"\n" for trial in trials)
    if not add:
        write_whole(file, lines)
        return
    add_lines(file, lines)


def read_run(folder: Path) -> RunRecord:
    """Read run.json. Raises RequestError if it is missing, of another schema, or broken."""
    file = folder / "run.json"
    try:
        content = read_regular(file)
    except OSError as error:
        raise RequestError(
            f"{folder} is not a run folder: cannot read {file} ({error.strerror})",
            hint="name a folder that feedbench run wrote",
        ) from error
    if _is_preparing(content):
        again = f"feedbench run --resume {shlex.quote(str(folder))}"
        raise RequestError(
            f"{folder} has no result: {PREPARING}", hint=f"if it has ended, {again} starts it anew"
        )
    return _read(content, RunRecord, schema_1.run_of, str(file))


def read_trials(folder: Path) -> list[TrialRecord]:
    """Read trials.jsonl. Skips a last line that a crash cut short.

    Raises RequestError if a line is of another schema, or broken. If a later version resumed a
    run, its file has lines of schema 1 and 2.
    """
    file = folder / "trials.jsonl"
    whole, _, _ = read_regular(file).rpartition(b"\n")
    return [
        _read(line, TrialRecord, schema_1.trial_of, f"{file}, line {number}")
        for number, line in enumerate(whole.splitlines(), 1)
    ]


def refuse_lost(folder: Path, run: RunRecord, trials: Sequence[TrialRecord]) -> None:
    """Raise RequestError if trials of completed blocks are missing, as after a copy cut short.

    A run that does not know how long its blocks took is not checked.
    """
    if run.block_seconds is None:
        return
    blocks = {trial.block for trial in trials if trial.purpose in _OF_BLOCKS}
    lost = next((block for block in range(1, run.blocks + 1) if block not in blocks), None)
    if lost is not None:
        raise RequestError(
            f"{folder / 'trials.jsonl'} is cut short: it has no trial of block {lost};"
            f" {folder / 'run.json'} has {counted(run.blocks, 'completed block')}",
            hint="copy the run's folder again",
        )


class _Head(msgspec.Struct, frozen=True):
    """The schema of a file or of a line."""

    schema: object = None
    status: object = None


class _Preparing(msgspec.Struct, frozen=True, kw_only=True):
    """run.json until the images are chosen and the pilots have run."""

    schema: int = SCHEMA
    status: Literal["preparing"] = "preparing"
    command: list[str]
    started_at: str  # UTC, ISO 8601


def _read(content: bytes, kind: type[_T], of_schema_1: Callable[[bytes], _T], name: str) -> _T:
    """Return a record of this schema or of schema 1; `name` is for the errors."""
    try:
        schema = msgspec.json.decode(content, type=_Head).schema
        if schema == SCHEMA:
            return msgspec.json.decode(content, type=kind)
        if schema == 1:
            return of_schema_1(content)
    except RecursionError as error:
        raise RequestError(f"{name} is broken: it nests too deep") from error
    except DAMAGED as error:
        raise RequestError(f"{name} is broken: {error}") from error
    raise RequestError(
        f"{name} has schema {schema!r}; this Feedbench reads schemas 1 and {SCHEMA}",
        hint="use the version of Feedbench that wrote it",
    )
