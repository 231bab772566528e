"""Resuming a run whose process was killed: what is kept of it, and what is left to measure."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.processes.other_python import arms
from feedbench.bench.processes.workload_file import read_workload
from feedbench.bench.records.messages import DIAGNOSTIC
from feedbench.bench.records.run import Resumed, RunRecord, Stopped
from feedbench.bench.records.storage import read_run, read_trials, write_run, write_trials
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.run.blocks import longest_block_seconds
from feedbench.bench.run.budget import budget_of
from feedbench.bench.run.resuming.basis import (
    NAME,
    START_NEW,
    broken,
    changes,
    read_basis,
    refuse_elsewhere,
)
from feedbench.bench.text import counted
from feedbench.pipelines.catalog import Spec, parse_all
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.index import Index

LEFT_OUT = "left-out.jsonl"
_START_SECONDS = 20.0  # to import TensorFlow, to find what was prepared, to calibrate the probe


@dataclasses.dataclass(frozen=True)
class Past:
    """A run that another process began, and that can be resumed."""

    folder: Path
    options: RunOptions  # `begun` is set so that the time already used counts
    run: RunRecord
    kept: list[TrialRecord]  # those of completed blocks, and those before
    left_out: list[TrialRecord]
    images: Index  # that are measured

    @property
    def specs(self) -> dict[str, Spec]:
        """The pipelines by label, the baseline first; with those of the other environment."""
        return arms(parse_all(self.options.specs), self.run.against)

    @property
    def record(self) -> RunRecord:
        """The run's record, with this resumption."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        resumed = Resumed(at=now, blocks=self.run.blocks, left_out=len(self.left_out))
        return replace(self.run, status="running", resumed=[*self.run.resumed, resumed])

    def cut(self) -> None:
        """Move the trials that are not kept from trials.jsonl to left-out.jsonl."""
        write_trials(self.folder / LEFT_OUT, self.left_out, add=True)
        write_trials(self.folder / "trials.jsonl", self.kept)


def read(folder: Path, *, debug: bool = False) -> Past:
    """Read a run that was killed or interrupted. Its options get this `debug`.

    Raises RequestError if there is no such run, if it is complete, or if the images, the workload
    or the software have changed: its new trials would measure something else.
    """
    run = read_run(folder)
    if run.status == "complete":
        why = None if run.stopped_because is None else run.stopped_because.clause(run.blocks)
        raise RequestError(
            f"cannot resume {folder}: it is complete ({why})",
            hint="for more blocks, start a new run",
        )
    basis = read_basis(folder / NAME)
    try:
        refuse_elsewhere(folder, basis)
        workload = read_workload(folder / "images.json")
        change = next(changes(basis, run, workload), None)
    except RequestError:
        raise
    except FileNotFoundError as error:
        raise RequestError(
            f"cannot resume {folder}: {error.filename} is missing", hint=START_NEW
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise broken(folder / NAME, error) from error
    if change is not None:
        raise RequestError(f"cannot resume {folder}: {change}", hint=START_NEW)
    trials = read_trials(folder) if (folder / "trials.jsonl").exists() else []
    kept = [trial for trial in trials if _is_kept(trial, run.blocks)]
    begun = time.monotonic() - _used(run, trials)
    return Past(
        folder=folder,
        options=dataclasses.replace(basis.options, out=folder, begun=begun, debug=debug),
        run=run,
        kept=kept,
        left_out=[trial for trial in trials if not _is_kept(trial, run.blocks)],
        images=_index(workload),
    )


def _is_kept(trial: TrialRecord, whole: int) -> bool:
    """Return whether a trial is kept: an unfinished block and the diagnosis run again."""
    return trial.ended != "interrupted" and trial.block <= whole and trial.purpose not in DIAGNOSTIC


def _used(run: RunRecord, trials: Sequence[TrialRecord]) -> float:
    """Return the seconds that the run has used, at least up to the end of its last trial.

    For a resumed run this is `seconds`: between its processes the clock ran, but the run did not.
    """
    if run.resumed or not trials:
        return run.seconds
    last = trials[-1]
    started = datetime.fromisoformat(run.started_at)
    ended = (datetime.fromisoformat(last.started_at) - started).total_seconds() + last.seconds
    return max(run.seconds, ended)


def _index(workload: Workload) -> Index:
    return Index(
        folder=Path(workload.folder),
        class_names=workload.class_names,
        files=tuple(os.path.relpath(file, workload.folder) for file in workload.files),
        labels=workload.labels,
        ignored=0,
        records=workload.records,
    )


def sentence(past: Past) -> str:
    """Return a sentence on where the run resumes."""
    again = ""
    cut_short = sum(trial.block > past.run.blocks for trial in past.left_out)
    if cut_short:
        again = f"; repeating {counted(cut_short, 'trial')} of the unfinished one"
    return f"Resuming after {counted(past.run.blocks, 'completed block')}{again}."


def complete(past: Past, stopped: Stopped) -> RunRecord:
    """Mark the run as complete, and return its record."""
    run = replace(past.run, status="complete", stopped_because=stopped)
    write_run(past.folder, run)
    return run


def why_complete(past: Past) -> Stopped | None:
    """Return the reason why there is nothing left to measure; None if there is."""
    options, whole = past.options, past.run.blocks
    is_known = past.run.diagnosis is not None or not options.trace
    if options.blocks is not None and whole >= options.blocks and is_known:
        return Stopped.BLOCKS
    seconds_left = budget_of(options).seconds_left(whole)
    if seconds_left is None:
        return None
    needed = longest_block_seconds(past.kept) + _START_SECONDS
    return Stopped.TIME if seconds_left < needed else None
