"""The process that has the record files of a plan written, by processes here or by Apache Beam."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import msgspec

from feedbench.bench.record_sets import plan as plans
from feedbench.bench.record_sets.shard_writing import write_shard
from feedbench.bench.records.messages import Counted, Event, Failed
from feedbench.pipelines.errors import FeedbenchError, RequestError
from feedbench.pipelines.system.pool import in_processes

Runner = Literal["local", "beam"]
Say = Callable[[Event], Any]


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """Which plan is carried out, and by what."""

    out: str  # the folder of the plan, an absolute path
    runner: Runner
    arguments: list[str]  # options of Beam

    def write(self, file: Path) -> None:
        """Write it for the process that carries it out."""
        file.write_bytes(msgspec.json.encode(self))


def serve(file: Path, say: Say) -> None:
    """Carry out the task in a file, and report the images that are written, or why they are not."""
    task = msgspec.json.decode(file.read_bytes(), type=Task)
    out = Path(task.out)
    plan = plans.read(out)
    assert plan is not None
    try:
        if task.runner == "beam":
            by_beam(out, plan.shards, task.arguments)
        else:
            _by_processes(out, plan.shards)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - Beam raises what a runner raises
        failure = plans.failure(out) or _failure(task.runner, error)
        say(Failed(sentence=failure.sentence, hint=failure.hint))
        return
    say(Counted(images=sum(shard.images for shard in plans.all_done(out, plan.shards))))


def _failure(runner: Runner, error: BaseException) -> plans.Failure:
    if isinstance(error, FeedbenchError):
        return plans.Failure(sentence=error.sentence, hint=error.hint)
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    what = f"{type(error).__name__}: {lines[-1] if lines else 'it gave no reason'}"
    return plans.Failure(sentence=f"the runner {runner} failed: {what}", hint="")


def _by_processes(out: Path, shards: int) -> None:
    """Write all record files, one process a core.

    Each makes an image more than there are cores for it: another process may be waiting for the
    disk.
    """
    cores = len(os.sched_getaffinity(0))
    processes = min(shards, cores)
    threads = cores // processes + 1
    calls = [(os.fspath(out), number, threads) for number in range(shards)]
    in_processes(write_shard, calls, processes)


def by_beam(out: Path, shards: int, arguments: Sequence[str]) -> None:
    """Write all record files by Apache Beam, each as one element.

    Without a runner among the `arguments`, Beam's direct runner does it, one process a core.
    """
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    usual = _usual(arguments)
    options = PipelineOptions([*usual, *arguments])
    if usual:
        _refuse_unknown(options)
    with beam.Pipeline(options=options) as pipeline:
        numbers = pipeline | "record files" >> beam.Create(range(shards))
        spread = numbers | "to workers" >> beam.Reshuffle()
        _ = spread | "write" >> beam.Map(partial(write_shard, os.fspath(out)))


def _refuse_unknown(options: Any) -> None:
    """Raise RequestError for an option that Beam does not have; it would ignore it.

    Other runners than the direct one have options that Beam itself does not know.
    """
    every = options.get_all_options(retain_unknown_options=True)
    unknown = sorted(every.keys() - options.get_all_options().keys())
    if unknown:
        raise RequestError(
            f"--{unknown[0]}: expected an option of Apache Beam",
            hint="choose a runner with --runner=NAME if it is one of that runner's",
        )


def _usual(arguments: Sequence[str]) -> list[str]:
    """Return the options of Beam where none chooses a runner."""
    if any(each.partition("=")[0] == "--runner" for each in arguments):
        return []
    cores = len(os.sched_getaffinity(0))
    return [
        "--runner=DirectRunner",
        "--direct_running_mode=multi_processing",
        f"--direct_num_workers={cores}",
    ]
