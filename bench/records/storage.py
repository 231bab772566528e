"""A run folder, read and written in one place.

A run folder holds run.json, replaced whole each time, and trials.jsonl, one line a trial, on disk
before the next trial starts. Both are plain JSON, readable without Feedbench. images.json holds
the list of images that the run measured.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from feedbench.bench.files import write_whole
from feedbench.bench.records.run import RunRecord
from feedbench.bench.records.trial import SCHEMA, TrialRecord
from feedbench.pipelines.errors import RequestError

_T = TypeVar("_T")


def write_run(folder: Path, run: RunRecord) -> None:
    """Replace run.json, so that a reader always finds a whole one."""
    content = msgspec.json.format(msgspec.json.encode(run), indent=2) + b"\n"
    write_whole(folder / "run.json", content)


def append_trial(folder: Path, trial: TrialRecord) -> None:
    """Add a line to trials.jsonl; it is on disk when this returns."""
    write_trials(folder / "trials.jsonl", [trial], add=True)


def write_trials(file: Path, trials: Sequence[TrialRecord], *, add: bool = False) -> None:
    """Replace a file of trials in one step, or add to it; it is on disk when this returns."""
    lines = b"".join(msgspec.json.encode(trial) + b"\n" for trial in trials)
    if not add:
        write_whole(file, lines)
        return
    with file.open("ab") as opened:
        opened.write(lines)
        opened.flush()
        os.fsync(opened.fileno())


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
