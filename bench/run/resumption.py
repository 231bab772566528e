"""What a run needs to be gone on with after its process was killed, and whether it still can be.

RUN/resume.json holds what was asked, and what the measured files were like. It is locked by the
process that measures. JSON by the standard library, which keeps names that are not valid UTF-8.
"""

from __future__ import annotations

import dataclasses
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from feedbench.bench.machine import environment
from feedbench.bench.machine.software import software
from feedbench.bench.processes.other_python import arms, look
from feedbench.bench.processes.workload_file import read_workload
from feedbench.bench.records.messages import DIAGNOSTIC
from feedbench.bench.records.run import Resumed, RunRecord, Stopped
from feedbench.bench.records.storage import read_run, read_trials, write_run, write_trials
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.run.blocks import longest_block_seconds
from feedbench.bench.run.budget import budget_of
from feedbench.bench.run.options import RunOptions
from feedbench.bench.text import counted
from feedbench.pipelines.catalog import GROUP, Spec, parse, parse_all
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.index import Index, image_id

NAME = "resume.json"
LEFT_OUT = "left-out.jsonl"
_SCHEMA = 1
_SHOWN = 3  # changes
_START_SECONDS = 20.0  # to import TensorFlow, to find what was prepared, to calibrate the probe


@dataclasses.dataclass(frozen=True)
class Past:
    """A run that another process has begun, and that can be gone on with."""

    folder: Path
    options: RunOptions  # `begun` such that the time that was used is gone
    run: RunRecord
    kept: list[TrialRecord]  # those of whole blocks, and those before
    left_out: list[TrialRecord]
    images: Index  # that are measured

    @property
    def specs(self) -> dict[str, Spec]:
        """The pipelines by label, the baseline first; with those of the other environment."""
        return arms(parse_all(self.options.specs), self.run.against)

    @property
    def record(self) -> RunRecord:
        """The run's record, as it goes on from here."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        resumed = Resumed(at=now, blocks=self.run.blocks, left_out=len(self.left_out))
        return replace(self.run, status="running", resumed=[*self.run.resumed, resumed])

    def cut(self) -> None:
        """Leave in trials.jsonl what is kept; the rest is added to left-out.jsonl before."""
        write_trials(self.folder / LEFT_OUT, self.left_out, add=True)
        write_trials(self.folder / "trials.jsonl", self.kept)


def write(folder: Path, options: RunOptions, workload: Workload) -> None:
    """Write down what a run needs to be gone on with."""
    absolute = replace(
        options, folder=options.folder.absolute(), prepared=options.prepared.absolute()
    )
    asked = msgspec.to_builtins(absolute, enc_hook=os.fspath)
    del asked["begun"]
    depends_on = {
        "software": software(),
        "pipelines": _identities(options.specs),
        "files": [_status(file) for file in workload.files],
        "began_in": os.getcwd(),  # noqa: PTH109 - a name may not be valid UTF-8
    }
    text = json.dumps({"schema": _SCHEMA, "options": asked, **depends_on})
    (folder / NAME).write_text(text, encoding="ascii")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let no other process resume this run. Raises RequestError where one does already.

    Where there is no file to lock, `read` says what is wrong.
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
                f"{folder} is being measured by another process: wait until it has ended"
            ) from None
        except OSError:
            pass  # a file system without locks
        yield


def read(folder: Path) -> Past:
    """Read a run that was killed or interrupted.

    Raises RequestError where it is none, where it is complete, and where the images, the workload
    or the software are not what they were: what is measured from here on would be something else.
    """
    run = read_run(folder)
    if run.status == "complete":
        why = None if run.stopped_because is None else run.stopped_because.clause(run.blocks)
        raise RequestError(
            f"{folder} is complete ({why}): there is nothing to go on with; for"
            " more blocks start another run"
        )
    found = _read(folder / NAME)
    try:
        asked = found["options"] | {"out": os.fspath(folder)}
        options: RunOptions = msgspec.convert(
            asked, RunOptions, dec_hook=lambda _, value: Path(value)
        )
        _refuse_elsewhere(folder, options, found["began_in"])
        workload = read_workload(folder / "images.json")
        changes = [*_changed_software(run, found, options), *_changed_images(found, workload)]
    except RequestError:
        raise
    except FileNotFoundError as error:
        raise RequestError(f"{folder} cannot be gone on with: {error}") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RequestError(f"{folder / NAME} is broken: {error}") from error
    if changes:
        more = len(changes) - _SHOWN
        rest = f"; and {more:,} more" if more > 0 else ""
        raise RequestError(
            f"{folder} cannot be gone on with, because {'; '.join(changes[:_SHOWN])}{rest}: start"
            " another run"
        )
    trials = read_trials(folder) if (folder / "trials.jsonl").exists() else []
    kept = [trial for trial in trials if _is_kept(trial, run.blocks)]
    begun = time.monotonic() - _used(run, trials)
    return Past(
        folder=folder,
        options=replace(options, begun=begun),
        run=run,
        kept=kept,
        left_out=[trial for trial in trials if not _is_kept(trial, run.blocks)],
        images=_index(workload),
    )


def _read(file: Path) -> dict[str, Any]:
    try:
        found: Any = json.loads(file.read_text(encoding="ascii"))
    except OSError as error:
        raise RequestError(
            f"{file.parent} cannot be gone on with: {file} cannot be read ({error.strerror});"
            " start another run"
        ) from error
    except ValueError as error:
        raise RequestError(f"{file} is broken: {error}") from error
    schema = found.get("schema") if isinstance(found, dict) else None
    if schema != _SCHEMA:
        raise RequestError(f"{file} is of schema {schema!r}; this Feedbench reads {_SCHEMA}")
    assert isinstance(found, dict)
    return found


def _is_kept(trial: TrialRecord, whole: int) -> bool:
    """Tell what stays: a block that was cut short is run again, and so is what comes after all."""
    return trial.ended != "interrupted" and trial.block <= whole and trial.purpose not in DIAGNOSTIC


def _used(run: RunRecord, trials: Sequence[TrialRecord]) -> float:
    """Return the seconds that the run had used, up to the end of its last trial, at least.

    After it was gone on with, only `seconds` tells: the clock went on while nothing ran.
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


def _changed_images(found: Mapping[str, Any], workload: Workload) -> Iterator[str]:
    for file, before in zip(workload.files, found["files"], strict=True):
        try:
            now = _status(file)
        except OSError:
            yield f"{image_id(file)} is gone"
            continue
        if list(now) != before:
            yield f"{image_id(file)} was changed"


def _changed_software(
    run: RunRecord, found: Mapping[str, Any], options: RunOptions
) -> Iterator[str]:
    before, now = run.environment, environment.describe()
    for what in ("system", "processor", "cores", "python"):
        if getattr(before, what) != getattr(now, what):
            yield f"{what} was {getattr(before, what)}, and is {getattr(now, what)}"
    yield from _differing(before.packages, now.packages)
    if run.against is not None:
        there, is_now = run.against, look(run.against.python)
        before_there = {"python": there.environment.python, "its Feedbench": there.code}
        now_there = {"python": is_now.environment.python, "its Feedbench": is_now.code}
        for what in _differing(
            before_there | there.environment.packages, now_there | is_now.environment.packages
        ):
            yield f"in {there.name} {what}"
    yield from _differing(found["software"], software())
    yield from _differing(found["pipelines"], _identities(options.specs))


def _differing(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(before.keys() | now.keys()):
        was, is_now = before.get(name, "missing"), now.get(name, "missing")
        if was != is_now:
            told = len(was) == len(is_now) == len(hashlib.sha256().hexdigest())  # by a digest only
            yield f"{name} was changed" if told else f"{name} was {was}, and is {is_now}"


def _identities(texts: Sequence[str]) -> dict[str, str]:
    """Return what tells other people's pipelines from what they become, by label."""
    found = {spec.label: _identity(spec) for spec in parse_all(tuple(texts)) if spec.is_foreign}
    return {image_id(label): identity for label, identity in found.items()}


def _identity(spec: Spec) -> str:
    if spec.is_file:
        return hashlib.sha256(Path(spec.name).read_bytes()).hexdigest()
    for entry_point in entry_points(group=GROUP, name=spec.name):
        return f"{entry_point.value} {entry_point.dist.version if entry_point.dist else ''}"
    return "missing"


def _refuse_elsewhere(folder: Path, options: RunOptions, began_in: str) -> None:
    """Raise RequestError where loaders' files are named from another folder than this."""
    here = os.getcwd()  # noqa: PTH109 - a name may not be valid UTF-8
    are_named_from_there = any(
        text.partition(":")[0].endswith(".py") and not Path(parse(text).name).is_absolute()
        for text in options.specs
    )
    if are_named_from_there and here != began_in:
        raise RequestError(
            f"{folder} was begun in {image_id(began_in)}, from which the files of its pipelines are"
            " named: go on with it there"
        )


def _index(workload: Workload) -> Index:
    return Index(
        folder=Path(workload.folder),
        class_names=workload.class_names,
        files=tuple(os.path.relpath(file, workload.folder) for file in workload.files),
        labels=workload.labels,
        ignored=0,
    )


def sentence(past: Past) -> str:
    """Return a sentence on what is resumed."""
    again = ""
    cut_short = sum(trial.block > past.run.blocks for trial in past.left_out)
    if cut_short:
        again = f"; {counted(cut_short, 'trial')} of the next one will be measured again"
    return f"Goes on after {counted(past.run.blocks, 'whole block')}{again}."


def complete(past: Past, stopped: Stopped) -> RunRecord:
    """Write down that the run is complete as it is, and return it."""
    run = replace(past.run, status="complete", stopped_because=stopped)
    write_run(past.folder, run)
    return run


def why_complete(past: Past) -> Stopped | None:
    """Return why there is nothing left to be measured, if so."""
    options, whole = past.options, past.run.blocks
    is_known = past.run.diagnosis is not None or not options.trace
    if options.blocks is not None and whole >= options.blocks and is_known:
        return Stopped.BLOCKS
    seconds_left = budget_of(options).seconds_left(whole)
    if seconds_left is None:
        return None
    needed = longest_block_seconds(past.kept) + _START_SECONDS
    return Stopped.TIME if seconds_left < needed else None
