"""A run that another process began: what is kept of it, and what is left to measure."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import compress
from pathlib import Path

from msgspec.structs import replace

from feedbench.bench.options.addition import Addition
from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.processes.other_python import arms
from feedbench.bench.processes.workload_file import read_workload
from feedbench.bench.records.demand.demand import Demand
from feedbench.bench.records.messages import DIAGNOSTIC, FEEDING
from feedbench.bench.records.run import Extension, Resumed, RunRecord, Stopped
from feedbench.bench.records.storage import (
    read_run,
    read_trials,
    refuse_lost,
    write_run,
    write_trials,
)
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.run.budget import budget_of
from feedbench.bench.run.measuring.blocks import longest_block_seconds
from feedbench.bench.run.resuming.basis import (
    NAME,
    START_NEW,
    Basis,
    broken,
    changes,
    read_basis,
    refuse_elsewhere,
    refuse_unlike,
)
from feedbench.bench.run.resuming.extension import (
    adding,
    extended,
    extension_of,
    old,
    refuse_pointless,
    refuse_short,
)
from feedbench.bench.run.resuming.trust import refuse_links, refuse_untrusted, with_usual_folders
from feedbench.bench.run.sources import Sources
from feedbench.bench.text import counted
from feedbench.bench.verdicts.demand.scaling import is_too_slow
from feedbench.pipelines.catalog import Spec, parse_all
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.index import Index
from feedbench.pipelines.remote.address import restored

LEFT_OUT = "left-out.jsonl"
_START_SECONDS = 20.0  # to import TensorFlow, to find what was prepared, to calibrate the probe


@dataclasses.dataclass(frozen=True)
class Past:
    """A run that another process began, and that can be resumed or extended."""

    folder: Path
    options: RunOptions  # as extended; `begun` is set so that the time already used counts
    run: RunRecord
    kept: list[TrialRecord]  # those of completed blocks, and those before
    left_out: list[TrialRecord]
    images: Index  # that are measured
    sources: Sources  # as they were when the run began
    addition: Addition | None = None  # to the run by this resumption
    used_seconds: float = 0.0  # before what was added to it

    @property
    def specs(self) -> dict[str, Spec]:
        """The pipelines by label, the baseline first; with those of the other environment."""
        unaugmented = self.options.measures_unaugmented
        return arms(parse_all(self.options.specs), self.run.against, unaugmented=unaugmented)

    @property
    def record(self) -> RunRecord:
        """The run's record, with this resumption."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        options = self.options
        extension = Extension(blocks=options.blocks, seconds=options.seconds)
        resumed = Resumed(
            at=now,
            blocks=self.run.blocks,
            left_out=len(self.left_out),
            extended_to=None if self.addition is None else extension,
        )
        return replace(
            self.run,
            status="running",
            time_seconds=options.seconds,
            resumed=[*self.run.resumed, resumed],
        )

    def cut(self) -> None:
        """Move the trials that are not kept from trials.jsonl to left-out.jsonl."""
        write_trials(self.folder / LEFT_OUT, self.left_out, add=True)
        write_trials(self.folder / "trials.jsonl", self.kept)


def read(
    folder: Path, *, debug: bool = False, addition: Addition | None = None, trust: bool = False
) -> Past:
    """Read a run that was killed or interrupted, or one to add to. Its options get this `debug`.

    Raises RequestError if there is no such run, if it is complete and nothing is added, or if the
    images, the workload or the software have changed: its new trials would measure something else.
    Without `trust`, also if the run was not made here and names code of a user.
    """
    run = read_run(folder)
    if addition is not None:
        refuse_pointless(folder, run, addition)
    elif run.status == "complete":
        why = None if run.stopped_because is None else run.stopped_because.clause(run.blocks)
        raise RequestError(
            f"cannot resume {folder}: it is complete ({why})",
            hint="add blocks or time, such as --blocks +4 or --time +5m",
        )
    refuse_links(folder)
    basis = read_basis(folder / NAME)
    python = "" if run.against is None else run.against.python
    if not (trust or (basis.is_made_here and basis.against == python)):
        refuse_untrusted(folder, basis.options, python)
        basis = replace(basis, options=with_usual_folders(basis.options))
    try:
        refuse_elsewhere(folder, basis)
        refuse_unlike(folder, basis, run)
        workload = read_workload(folder / "images.json")
        change = next(changes(basis, run, workload), None)
    except RequestError:
        raise
    except FileNotFoundError as error:
        raise RequestError(
            f"cannot resume {folder}: {error.filename} is missing", hint=START_NEW
        ) from error
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise broken(folder / NAME, error) from error
    if change is not None:
        raise RequestError(f"cannot resume {folder}: {change}", hint=START_NEW)
    trials = read_trials(folder) if (folder / "trials.jsonl").exists() else []
    refuse_lost(folder, run, trials)
    _refuse_no_dates(folder, run, trials)
    return _past(folder, basis, run, trials, workload, addition, debug=debug)


def _refuse_no_dates(folder: Path, run: RunRecord, trials: Sequence[TrialRecord]) -> None:
    """Raise RequestError if the run or a trial began at no date with a time zone."""
    for text in (run.started_at, *(trial.started_at for trial in trials)):
        try:
            is_date = datetime.fromisoformat(text).tzinfo is not None
        except ValueError:
            is_date = False
        if not is_date:
            raise RequestError(
                f"cannot resume {folder}: started_at is {text[:40]!r}; expected a date in UTC",
                hint=START_NEW,
            )


def _past(
    folder: Path,
    basis: Basis,
    run: RunRecord,
    trials: Sequence[TrialRecord],
    workload: Workload,
    addition: Addition | None,
    *,
    debug: bool,
) -> Past:
    used = _used(run, trials)
    extension = run.extension if addition is None else extension_of(addition, run, used)
    begun = time.monotonic() - used
    options = dataclasses.replace(basis.options, out=folder, begun=begun, debug=debug)
    options = extended(options, run, extension)
    used = 0.0 if extension is None else used
    is_kept = [_is_kept(trial, run, is_extended=extension is not None) for trial in trials]
    kept = [*compress(trials, is_kept)]
    if addition is not None:
        left = budget_of(options, used=used).seconds_left(run.blocks)
        refuse_short(addition, _needed_seconds(kept), left)
    return Past(
        folder=folder,
        options=options,
        run=run,
        kept=kept,
        left_out=[trial for trial, kept in zip(trials, is_kept, strict=True) if not kept],
        images=_index(workload),
        addition=addition,
        used_seconds=used,
        sources=Sources(workload, basis.files),
    )


def _is_kept(trial: TrialRecord, run: RunRecord, *, is_extended: bool) -> bool:
    """Return whether a trial is kept: an unfinished block and the diagnosis run again.

    The diagnosis of a run that is extended does not, if there is one.
    """
    if trial.ended == "interrupted":
        return False
    if trial.purpose in DIAGNOSTIC:
        return is_extended and run.diagnosis is not None
    if trial.purpose in FEEDING:
        demand = run.demand or Demand()
        completed = {"curve": demand.curve_blocks, "cores": demand.core_blocks}
        return trial.block <= completed.get(trial.purpose, demand.blocks)
    return trial.block <= run.blocks


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
        folder=restored(workload.folder),
        class_names=workload.class_names,
        files=tuple(os.path.relpath(file, workload.folder) for file in workload.files),
        labels=workload.labels,
        ignored=0,
        records=workload.records,
    )


def sentence(past: Past) -> str:
    """Return a sentence on where the run resumes, or on what is added to it."""
    if past.addition is not None:
        return adding(past.addition, past.run)
    again = ""
    cut_short = sum(
        trial.block > past.run.blocks for trial in past.left_out if trial.purpose not in FEEDING
    )
    if cut_short:
        again = f"; repeating {counted(cut_short, 'trial')} of the unfinished one"
    return f"Resuming after {counted(past.run.blocks, 'completed block')}{again}."


def warning(past: Past) -> str | None:
    """Return a warning if the run measured a day ago or longer; None if not."""
    return old(past.kept, datetime.now(UTC))


def complete(past: Past, stopped: Stopped) -> RunRecord:
    """Mark the run as complete, and return its record."""
    run = replace(past.run, status="complete", stopped_because=stopped)
    write_run(past.folder, run)
    return run


def why_complete(past: Past) -> Stopped | None:
    """Return the reason why there is nothing left to measure; None if there is."""
    options, whole = past.options, past.run.blocks
    is_known = past.run.diagnosis is not None or not options.trace
    is_known = is_known and _is_fed(past)
    if options.blocks is not None and whole >= options.blocks and is_known:
        return Stopped.BLOCKS
    seconds_left = budget_of(options, used=past.used_seconds).seconds_left(whole)
    if seconds_left is None:
        return None
    return Stopped.TIME if seconds_left < _needed_seconds(past.kept) else None


def _is_fed(past: Past) -> bool:
    """Return whether all blocks that feed a model are completed, if any were requested."""
    options, demand = past.options, past.run.demand or Demand()
    blocks = options.blocks or 0
    is_slow = any(is_too_slow(row, options.margin) for row in demand.rows)
    return (
        (not options.feeds or demand.blocks >= blocks)
        and (not (options.cores_needed and is_slow) or demand.core_blocks >= blocks)
        and (not options.demand or demand.curve_blocks >= blocks)
    )


def _needed_seconds(kept: Sequence[TrialRecord]) -> float:
    """Return about how long it takes to start again and to measure a block."""
    return longest_block_seconds(kept) + _START_SECONDS
