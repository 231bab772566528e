"""What is to be written, as files for the processes that write it.

OUT/.preparing/plan.json      what is written, and how
OUT/.preparing/form.json      the workload without its images
OUT/.preparing/todo-00003     the images of one record file, in its order
OUT/.preparing/done-00003     that record file is complete: its count and its checksum
OUT/.preparing/failed         why a record file could not be written

All of it is removed once OUT/manifest.json is written. A process that writes a record file reads
only the list of that file, so its memory does not grow with the number of images.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec

from feedbench.bench.files import write_whole
from feedbench.bench.processes.workload_file import read_workload, write_workload
from feedbench.bench.record_sets.manifest import Shard
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.tfrecords.record_format import Compression
from feedbench.pipelines.tfrecords.record_plan import Entry, entries_of

SCHEMA = 1
FOLDER = ".preparing"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is written."""

    schema: int = SCHEMA
    key: str  # of the photos and of what is stored of each
    spec: str  # of a TFRecord pipeline
    compression: Compression
    shards: int
    needed_bytes: int  # of all record files, about


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a record file could not be written."""

    sentence: str
    hint: str


def read(out: Path) -> Plan | None:
    """Return the plan of a folder; None if there is none, or if it cannot be read."""
    try:
        return msgspec.json.decode((_folder(out) / "plan.json").read_bytes(), type=Plan)
    except (OSError, msgspec.MsgspecError):
        return None


def write(out: Path, plan: Plan, workload: Workload) -> None:
    """Write the plan, and the list of each record file that is not complete."""
    folder = _folder(out)
    (folder / "failed").unlink(missing_ok=True)
    form = dataclasses.replace(
        workload, files=(), labels=(), validation_files=(), validation_labels=()
    )
    write_workload(form, folder / "form.json")
    entries = entries_of(workload)
    for number in range(plan.shards):
        # The standard library's JSON keeps names that are not valid UTF-8.
        listed = [
            (file, label, name.decode()) for file, label, name in entries[number :: plan.shards]
        ]
        _todo(out, number).write_text(json.dumps(listed), encoding="ascii")
    write_whole(folder / "plan.json", msgspec.json.encode(plan))


def begin(out: Path) -> Path:
    """Make the folder of the plan, and return it. Raises OSError."""
    folder = _folder(out)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def remove(out: Path) -> None:
    """Remove the plan and everything in its folder."""
    shutil.rmtree(_folder(out), ignore_errors=True)


def form_of(out: Path) -> Workload:
    """Return the workload, without its images."""
    return read_workload(_folder(out) / "form.json")


def entries(out: Path, number: int) -> list[Entry]:
    """Return what the records of one file are made of, in order."""
    listed = json.loads(_todo(out, number).read_text(encoding="ascii"))
    return [(file, label, name.encode()) for file, label, name in listed]


def done(out: Path, number: int) -> Shard | None:
    """Return the count and the checksum of a record file; None if it is not complete."""
    try:
        return msgspec.json.decode(_done(out, number).read_bytes(), type=Shard)
    except (OSError, msgspec.MsgspecError):
        return None


def set_done(out: Path, number: int, shard: Shard) -> None:
    """Note that a record file is complete."""
    write_whole(_done(out, number), msgspec.json.encode(shard))


def all_done(out: Path, shards: int) -> list[Shard]:
    """Return the record files that are complete, in order."""
    return [shard for number in range(shards) if (shard := done(out, number)) is not None]


def fail(out: Path, failure: Failure) -> None:
    """Note why a record file could not be written."""
    with contextlib.suppress(OSError):  # where not even this has room
        write_whole(_folder(out) / "failed", msgspec.json.encode(failure))


def failure(out: Path) -> Failure | None:
    """Return why a record file could not be written; None: it is not known."""
    try:
        return msgspec.json.decode((_folder(out) / "failed").read_bytes(), type=Failure)
    except (OSError, msgspec.MsgspecError):
        return None


def seed_done(out: Path, shards: Sequence[Shard]) -> None:
    """Note the record files of a manifest as complete; each is checked before it counts."""
    for number, shard in enumerate(shards):
        set_done(out, number, shard)


def _folder(out: Path) -> Path:
    return out / FOLDER


def _todo(out: Path, number: int) -> Path:
    return _folder(out) / f"todo-{number:05d}"


def _done(out: Path, number: int) -> Path:
    return _folder(out) / f"done-{number:05d}"
