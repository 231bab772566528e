"""Resuming a run whose process was killed: what that needs, and whether it is still possible.

RUN/resume.json holds the request and the state of the images and the software. The process that
measures locks it. JSON by the standard library, which keeps names that are not valid UTF-8.
"""

from __future__ import annotations

import dataclasses
import fcntl
import hashlib
import json
import os
import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import entry_points
from pathlib import Path

import msgspec
from msgspec.structs import replace

from feedbench.bench.machine import environment
from feedbench.bench.machine.software import software
from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.processes.other_python import arms, look
from feedbench.bench.processes.workload_file import read_workload
from feedbench.bench.records.conditions.environment import Other
from feedbench.bench.records.messages import DIAGNOSTIC
from feedbench.bench.records.run import Resumed, RunRecord, Stopped
from feedbench.bench.records.storage import read_run, read_trials, write_run, write_trials
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.run.blocks import longest_block_seconds
from feedbench.bench.run.budget import budget_of
from feedbench.bench.text import counted
from feedbench.pipelines import user_modules
from feedbench.pipelines.catalog import GROUP, Spec, parse, parse_all, source_file
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.index import Index, image_id

NAME = "resume.json"
LEFT_OUT = "left-out.jsonl"
_SCHEMA = 2
_DIGEST_LENGTH = len(hashlib.sha256().hexdigest())
_START_NEW = "start a new run"
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


class Basis(msgspec.Struct, frozen=True, kw_only=True):
    """resume.json: the request, and the state of the images and the software."""

    schema: int = _SCHEMA
    options: RunOptions
    began_in: str  # the folder that loaders' files may be relative to
    software: dict[str, str]  # versions, digests and the machine, each by its name
    pipelines: dict[str, str]  # users' pipelines by label: a digest of the file, or a version
    files: list[tuple[int, int]]  # of each file read: its bytes, its time of modification (ns)


def write(folder: Path, options: RunOptions, workload: Workload, other: Other | None) -> None:
    """Write resume.json, which a resumption needs; `other` is the other environment."""
    basis = Basis(
        options=dataclasses.replace(
            options, folder=options.folder.absolute(), prepared=options.prepared.absolute()
        ),
        began_in=os.getcwd(),  # noqa: PTH109 - a name may not be valid UTF-8
        software=_software(other),
        pipelines=_pipelines(options),
        files=[_status(file) for file in _files(workload)],
    )
    content = msgspec.to_builtins(basis, enc_hook=os.fspath)
    del content["options"]["begun"]
    (folder / NAME).write_text(json.dumps(content), encoding="ascii")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let no other process resume this run. Raises RequestError if one is measuring it.

    If there is no file to lock, `read` reports what is wrong.
    """
    try:
        opened = (folder / NAME).open("r+b")  # to lock it, NFS wants it open for writing
    except OSError:
        yield
        return
    with opened as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RequestError(
                f"cannot resume {folder}: another process is measuring this run",
                hint="wait until it has ended",
            ) from None
        except OSError:
            pass  # a file system without locks
        yield


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
    basis = _read_basis(folder / NAME)
    try:
        _refuse_elsewhere(folder, basis)
        workload = read_workload(folder / "images.json")
        change = next(_changes(basis, run, workload), None)
    except RequestError:
        raise
    except FileNotFoundError as error:
        raise RequestError(
            f"cannot resume {folder}: {error.filename} is missing", hint=_START_NEW
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _broken(folder / NAME, error) from error
    if change is not None:
        raise RequestError(f"cannot resume {folder}: {change}", hint=_START_NEW)
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


def _read_basis(file: Path) -> Basis:
    try:
        content = json.loads(file.read_text(encoding="ascii"))
    except OSError as error:
        raise RequestError(
            f"cannot resume {file.parent}: {file} cannot be read ({error.strerror})",
            hint=_START_NEW,
        ) from error
    except ValueError as error:
        raise _broken(file, error) from error
    schema = content.get("schema") if isinstance(content, dict) else None
    if schema != _SCHEMA:
        raise RequestError(
            f"cannot resume {file.parent}: {file} has schema {schema!r}; expected {_SCHEMA}",
            hint=_START_NEW,
        )
    try:
        return msgspec.convert(content, Basis, dec_hook=lambda _, value: Path(value))
    except (msgspec.ValidationError, TypeError) as error:
        raise _broken(file, error) from error


def _broken(file: Path, error: Exception) -> RequestError:
    return RequestError(f"cannot resume {file.parent}: {file} is broken: {error}", hint=_START_NEW)


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


def _status(file: str) -> tuple[int, int]:
    status = os.stat(file)  # noqa: PTH116 - a million times
    return status.st_size, status.st_mtime_ns


def _files(workload: Workload) -> tuple[str, ...]:
    """Return the files that trials read: the images', and the user's record files."""
    records = workload.records
    return workload.files if records is None else (*workload.files, *records.files)


def _changes(basis: Basis, run: RunRecord, workload: Workload) -> Iterator[str]:
    """Yield what has changed, as clauses: the software first, and then the images."""
    other = None if run.against is None else look(run.against.python)
    yield from _differences(basis.software, _software(other))
    yield from _differences(basis.pipelines, _pipelines(basis.options))
    for file, status in zip(_files(workload), basis.files, strict=True):
        try:
            is_same = _status(file) == status
        except OSError:
            yield f"{image_id(file)} is gone"
            continue
        if not is_same:
            yield f"{image_id(file)} has changed"


def _differences(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in [*before, *(now.keys() - before.keys())]:
        was, is_now = before.get(name, "missing"), now.get(name, "missing")
        if was != is_now:
            are_digests = len(was) == len(is_now) == _DIGEST_LENGTH
            yield f"{name} has changed" if are_digests else f"{name} was {was} and is now {is_now}"


def _software(other: Other | None) -> dict[str, str]:
    """Return the machine and the software: versions, and digests of Feedbench's own code."""
    here = environment.describe()
    machine = {"system": here.system, "processor": here.processor, "cores": f"{here.cores}"}
    there = {}
    if other is not None:
        versions = {"python": other.environment.python, "feedbench": other.code}
        there = {
            f"in {other.name} {name}": version
            for name, version in (versions | other.environment.packages).items()
        }
    versions = {"python": here.python} | here.packages | software()
    return machine | versions | there


def _pipelines(options: RunOptions) -> dict[str, str]:
    """Return a digest or a version of each user's pipeline, by label, to detect changes."""
    specs = [spec for spec in parse_all(options.specs) if spec.is_foreign]
    return {image_id(spec.label): _identity(spec) for spec in specs}


def _identity(spec: Spec) -> str:
    if spec.is_file or spec.is_module:
        file = source_file(spec)
        return "missing" if file is None else hashlib.sha256(file.read_bytes()).hexdigest()
    for entry_point in entry_points(group=GROUP, name=spec.name):
        return f"{entry_point.value} {entry_point.dist.version if entry_point.dist else ''}"
    return "missing"


def _refuse_elsewhere(folder: Path, basis: Basis) -> None:
    """Raise RequestError if loaders' files have paths relative to another folder than this."""
    here = os.getcwd()  # noqa: PTH109 - a name may not be valid UTF-8
    specs = [parse(text) for text in basis.options.specs]
    if any(_is_named_from(basis.began_in, spec) for spec in specs) and here != basis.began_in:
        raise RequestError(
            f"cannot resume {folder} in this folder: its pipelines' files are relative to"
            f" {image_id(basis.began_in)}",
            hint=f"cd {shlex.quote(image_id(basis.began_in))} and resume it there",
        )


def _is_named_from(folder: str, spec: Spec) -> bool:
    """Return whether a SPEC means a file or a module of this folder."""
    if spec.is_module:
        return user_modules.find(spec.name.partition(".")[0], [folder]) is not None
    return spec.is_file and not Path(spec.name).is_absolute()


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
