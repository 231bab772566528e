"""`feedbench prepare`: the story of record files that a user keeps."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from feedbench.bench.images.check import Checker
from feedbench.bench.machine.software import software
from feedbench.bench.options.commands.prepare_options import PrepareOptions
from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.prepared.preparation_task import key_of
from feedbench.bench.prepared.store import Source, Store
from feedbench.bench.processes.client import Processes, what_went_wrong
from feedbench.bench.processes.folders.trial_log import last_line
from feedbench.bench.processes.progress import Listener
from feedbench.bench.processes.workload_file import workload_of
from feedbench.bench.record_sets import manifest
from feedbench.bench.record_sets import plan as plans
from feedbench.bench.record_sets.manifest import RecordSet
from feedbench.bench.record_sets.plan import Plan
from feedbench.bench.record_sets.shard_writing import NO_ROOM_HINT, pipeline_of
from feedbench.bench.record_sets.writing_task import Task
from feedbench.bench.records.messages import Failed, Request, Start
from feedbench.bench.run.choose_images import Images, without_bad
from feedbench.bench.run.images_source import list_images
from feedbench.bench.run.workplace import scratch_folder
from feedbench.bench.text import counted, size
from feedbench.pipelines import catalog
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import FeedbenchError, PreparationError, RequestError
from feedbench.pipelines.images.index import image_id, shown
from feedbench.pipelines.tfrecords.record_format import MOST_READERS
from feedbench.pipelines.tfrecords.record_plan import no_room

_ENDLESS_SECONDS = 1e9
_PROGRESS_SECONDS = 1.0
_ANOTHER = "name another folder with --out"


@dataclass(frozen=True)
class Written:
    """A complete set of record files."""

    records: RecordSet
    kept: int  # record files that an earlier command had completed


def write_records(
    asked: PrepareOptions,
    arguments: Sequence[str],
    options: RunOptions,
    listener: Listener,
) -> Written:
    """Write the record files of a folder's images, or resume; each is whole or absent.

    The manifest is written last. `arguments` are options of Beam. Raises RequestError for what
    cannot be asked, PreparationError if the disk has no room or the photos change, and
    FeedbenchError if a record file cannot be written.
    """
    if asked.out is None:
        raise RequestError(
            "expected --out DIR, the folder for the record files; it was not given",
            hint="name a new folder, such as --out records",
        )
    out = asked.out.absolute()
    _refuse_used(out)
    pipeline_of(asked.spec("auto")).refuse(options.fit, options.image_size)
    with scratch_folder() as scratch, Processes(scratch, scratch / "forkserver.log") as processes:
        workload = _workload(options, processes, scratch, listener)
        plan = _planned(asked, workload)
        begun = time.monotonic()
        with _held(out):
            _refuse_other(out, plan)
            kept = _begin(out, plan, workload, listener)
            task = Task(out=str(out), runner=asked.runner, arguments=list(arguments))
            _carry_out(task, plan, processes, scratch, listener)
            records = _complete(asked, out, plan, workload, begun)
            manifest.write(out, records)
            plans.remove(out)
    return Written(records, kept)


def offer(written: Written, folder: Path, store: Store, listener: Listener) -> str:
    """Let later runs find the record files in the store, by links; return the SPEC that does.

    Reads all of them, as every run does that uses prepared files.
    """
    records = written.records
    listener.stage(f"reading {counted(len(records.shards), 'record file')} for later runs")
    source = Source(
        pipeline=catalog.parse(records.spec).name,
        depends_on=records.stored,
        folder=records.folder,
        images=records.images,
        bytes=0,
    )

    def link(files: Path) -> None:
        for shard in records.shards:
            (files / shard.file).symlink_to(folder.absolute() / shard.file)

    with store.in_use():
        store.obtain(records.key, source, link)
    return records.spec


def _workload(
    options: RunOptions, processes: Processes, scratch: Path, listener: Listener
) -> Workload:
    """Return all images of the folder that are fit to be measured. Raises RequestError."""
    index = list_images(options, listener)
    listener.stage("importing TensorFlow")
    processes.ready()
    checker = Checker(options.checks, options.channels, processes, scratch, listener)
    every = without_bad(Images(index, index), options, checker)
    if every.bad:
        listener.note(f"Leaving out {counted(len(every.bad), 'bad image')}.")
    listener.stage(f"reading the first bytes of {counted(len(index.files), 'file')}")
    return workload_of(
        every.measured,
        folder_images=len(every.measured.files),
        image_size=options.image_size,
        fit=options.fit,
        channels=options.channels,
        batch_size=1,
        seed=0,
    )


def _planned(asked: PrepareOptions, workload: Workload) -> Plan:
    pipeline = pipeline_of(asked.spec("auto"))
    shards = asked.shards or pipeline.shard_count(workload, MOST_READERS)
    shards = min(shards, workload.images)
    spec = asked.spec(shards)
    pipeline = pipeline_of(spec)
    return Plan(
        key=_key(spec, workload),
        spec=spec,
        compression=pipeline.compression,
        shards=shards,
        needed_bytes=pipeline.prepared_bytes(workload),
    )


def _key(spec: str, workload: Workload) -> str:
    """Return the key by which a run finds the records of these photos in a store."""
    name = catalog.parse(spec).name
    return key_of(name, pipeline_of(spec).preparation(workload), workload)[0]


def _refuse_used(out: Path) -> None:
    """Raise RequestError for a file, and for a folder with files of something else."""
    if out.exists() and not out.is_dir():
        raise RequestError(
            f"--out {shown(str(out))}: expected a folder; it is a file", hint=_ANOTHER
        )
    if not out.is_dir() or (out / manifest.NAME).exists() or (out / plans.FOLDER).is_dir():
        return
    if others := sum(1 for _ in out.iterdir()):
        raise RequestError(
            f"--out {shown(str(out))}: expected a new folder, or one of this command; found"
            f" {counted(others, 'other file')}",
            hint=_ANOTHER,
        )


def _refuse_other(out: Path, plan: Plan) -> None:
    """Raise RequestError if the folder has record files of other photos or other options."""
    earlier = manifest.read(out) or plans.read(out)
    if earlier is None or earlier.key == plan.key:
        return
    what = "the photos changed since" if earlier.spec == plan.spec else f"it holds {earlier.spec}"
    raise RequestError(
        f"--out {shown(str(out))}: expected record files of these photos with these options"
        f" ({plan.spec}); {what}",
        hint="name another folder with --out, or remove that one",
    )


@contextlib.contextmanager
def _held(out: Path) -> Iterator[None]:
    """Keep other commands from writing to the folder. Raises RequestError if one does."""
    try:
        descriptor = os.open(plans.begin(out) / "lock", os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise RequestError(
            f"cannot write to {shown(str(out))}: {error.strerror}", hint=_ANOTHER
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise RequestError(
            f"--out {shown(str(out))}: another command is writing to it",
            hint="wait until that has ended, or name another folder with --out",
        ) from None
    finally:
        os.close(descriptor)


def _begin(out: Path, plan: Plan, workload: Workload, listener: Listener) -> int:
    """Write the plan, and return how many record files are complete already.

    Raises PreparationError if the rest has no room.
    """
    if (complete := manifest.read(out)) is not None:
        plans.seed_done(out, complete.shards)
    listener.stage("checking which record files are complete")
    kept = [shard for shard in plans.all_done(out, plan.shards) if shard.is_intact(out)]
    needed = plan.needed_bytes - sum(shard.bytes for shard in kept)
    if needed > shutil.disk_usage(out).free:
        raise no_room(out, needed, NO_ROOM_HINT)
    listener.note(
        f"Writing {counted(workload.images, 'record')} to {counted(plan.shards, 'file')}:"
        f" about {size(plan.needed_bytes)}; {size(shutil.disk_usage(out).free)} are free."
    )
    _remove_unfinished(out)
    if kept:
        listener.note(f"{counted(len(kept), 'record file')} of these are complete.")
    plans.write(out, plan, workload)
    return len(kept)


def _remove_unfinished(out: Path) -> None:
    """Remove what processes left that died while they wrote."""
    for unfinished in out.glob(".images-*.new"):
        unfinished.unlink(missing_ok=True)


def _carry_out(
    task: Task, plan: Plan, processes: Processes, scratch: Path, listener: Listener
) -> None:
    """Have all record files written. Raises FeedbenchError with the reason if one is not."""
    out = Path(task.out)
    task.write(scratch / "task.json")
    request = Request(
        label="prepare",
        spec="",
        purpose="record set",
        workload=str(scratch / "task.json"),
        prepared="",
        scratch=str(scratch),
    )
    start = Start(request=request, log=str(scratch / "prepare.log"))
    shown_at = 0.0

    def on_tick() -> None:
        nonlocal shown_at
        if time.monotonic() - shown_at > _PROGRESS_SECONDS:
            shown_at = time.monotonic()
            listener.stage(_progress(out, plan))

    listener.stage("writing record files")
    outcome = processes.run(start, _ENDLESS_SECONDS, on_tick=on_tick)
    _remove_unfinished(out)
    if isinstance(outcome.result, Failed):
        raise FeedbenchError(outcome.result.sentence, hint=outcome.result.hint)
    if len(plans.all_done(out, plan.shards)) < plan.shards:
        raise FeedbenchError(
            f"the record files could not be written: {what_went_wrong(outcome)}"
            f" ({last_line(Path(start.log))})",
            hint="run the command again: complete record files are kept",
        )


def _progress(out: Path, plan: Plan) -> str:
    complete = total = 0
    for entry in os.scandir(out):
        with contextlib.suppress(OSError):  # it got its name this moment
            total += entry.stat().st_size if entry.is_file() else 0
            complete += entry.name.startswith("images-")
    return (
        f"writing record files: {size(total)} of about {size(plan.needed_bytes)},"
        f" {complete:,} of {counted(plan.shards, 'file')} complete"
    )


def _complete(
    asked: PrepareOptions, out: Path, plan: Plan, workload: Workload, begun: float
) -> RecordSet:
    """Return the manifest. Raises PreparationError if the photos changed meanwhile."""
    if _key(plan.spec, workload) != plan.key:
        plans.remove(out)  # what is complete may be of the old photos or of the new ones
        raise PreparationError(
            f"the photos in {image_id(workload.folder)} changed while they were read",
            hint="run it again when nothing writes to them",
        )
    shards = plans.all_done(out, plan.shards)
    assert sum(shard.images for shard in shards) == workload.images
    return RecordSet(
        key=plan.key,
        made_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        seconds=time.monotonic() - begun,
        runner=asked.runner,
        software=software(),
        folder=image_id(workload.folder),
        spec=plan.spec,
        stored=pipeline_of(plan.spec).preparation(workload),
        class_names=[image_id(name) for name in workload.class_names],
        images=workload.images,
        bytes=sum(shard.bytes for shard in shards),
        features=manifest.FEATURES,
        shards=shards,
    )
