"""The command `feedbench run`."""

from __future__ import annotations

import shlex
import time as clock
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from feedbench.bench.cli import options
from feedbench.bench.cli.support import (
    images_folder,
    interruptible,
    print_json,
    read_or_not,
    written,
)
from feedbench.bench.options.addition import Addition, refuse_addition
from feedbench.bench.options.option import Given, options_of, value_of
from feedbench.bench.options.run_options import RunOptions
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.system.signals import Postponed

if TYPE_CHECKING:
    from feedbench.bench.records.run import RunRecord

_BEGUN = clock.monotonic()  # --time covers everything from here


@options.takes(options_of(RunOptions))
def run(
    *,
    context: typer.Context,
    folder: options.Folder = None,
    given: Given,
    resume: options.Resume = None,
    trust: options.Trust = False,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
) -> None:
    """Measure input pipelines on your images, and name the fastest.

    \b
    Examples:
      feedbench run
      feedbench run ~/photos
      feedbench run ~/photos --quick
      feedbench run ~/photos --until-told --time 20m
      feedbench run ~/photos -p tfdata_naive -p tfdata_tuned:cache=file --time 2m
      feedbench run ~/photos -p tfdata_tuned -p mine=loader.py:photos --blocks 8
      feedbench run ~/photos --image-size 160x240 --label-mode categorical
      feedbench run ~/photos --channels 1 --dtype uint8
      feedbench run ~/photos --augment flip,rotate=20,shift=0.1,zoom=0.2
      feedbench run ~/photos --range -1..1 --bad-images skip
      feedbench run ~/photos --page-cache cold
      feedbench run ~/flat --labels labels.csv --classes cats,dogs
      feedbench run --records 'train-*.tfrecord' --label-key label
      feedbench run ~/dogs-vs-cats/train --labels '^(\\w+)\\.'
      feedbench run ~/photos -p tfdata_tuned --against ~/tf-2.20/bin/python
      feedbench run --resume feedbench-runs/2026-01-31T120000
      feedbench run --resume feedbench-runs/2026-01-31T120000 --blocks +4
      feedbench run --resume feedbench-runs/2026-01-31T120000 --time +5m

    \b
    Your own loader: loader.py has a function photos(workload). It returns an
    iterable of (images, labels), with every image once:
      images  [B, height, width, channels], by default float32 in [0, 1]
      labels  by default [B] int32
    workload has folder, files, labels, class_names, formats, height, width,
    channels, dtype, value_range, label_mode, batch_size, seed and augmentation.

    \b
    Exit codes:
      0    every pipeline was measured
      1    a pipeline failed
      2    the request or the input is wrong, or the photos changed
      130  interrupted by Ctrl-C
      143  ended by SIGTERM, as by timeout or Kubernetes
    """
    from feedbench.bench.processes.progress import listener

    progress, shown = listener(quiet=quiet)
    if resume is not None:
        _refuse_more(context)
        addition = Addition.of(given)
        again = f"run feedbench run --resume {shlex.quote(str(resume))} again"
        with interruptible("interrupted before the run was resumed", resume, again), shown:
            from feedbench.bench.run.run import resume as go_on

            debug = value_of(RunOptions, "debug", given)
            record = go_on(resume, progress, debug=debug, addition=addition, trust=trust)
        _end(record, resume, as_json=as_json)
    if trust:
        raise RequestError("--trust: there is no run to trust", hint="name one with --resume RUN")
    refuse_addition(given)
    out: Path = value_of(RunOptions, "out", given)
    with interruptible("interrupted before anything was measured; no run was kept", out), shown:
        photos = images_folder(folder, given, progress.note)
        asked = RunOptions.of({**given, "out": str(out)}, photos, begun=_BEGUN)
        from feedbench.bench.run.run import perform

        record = perform(asked, progress)
    _end(record, out, as_json=as_json)


def _refuse_more(context: typer.Context) -> None:
    """Raise RequestError where --resume has other options next to it."""
    may_be = {"resume", "trust", "blocks", "time", "quiet", "as_json", "debug"}
    for parameter in context.command.params:
        name = parameter.name or ""
        source = context.get_parameter_source(name)
        if name not in may_be and source is not None and source.name == "COMMANDLINE":
            word = "FOLDER" if name == "folder" else parameter.opts[0]
            raise RequestError(
                f"--resume takes the options that the run had; found {word} as well",
                hint=f"leave out {word}, or start a new run; --blocks +4 and --time +5m add to it",
            )


def _end(record: RunRecord, out: Path, *, as_json: bool) -> NoReturn:
    """Write the page, print the answer, and end with the exit code."""
    with Postponed() as interrupts:
        page = written_page(out)
        with read_or_not():
            _show(record, out, page, as_json=as_json)
    if interrupts.came or record.status == "interrupted":
        raise typer.Exit(interrupts.exit_code)
    if record.changed is not None:
        raise typer.Exit(RequestError.exit_code)
    raise typer.Exit(1 if any(row.failures for row in record.rows) else 0)


def written_page(out: Path) -> Path | None:
    """Write the run's page and return it. Where that fails, print why; the run itself is safe."""

    def write() -> Path:
        from feedbench.bench.run import benchmark_json
        from feedbench.reports.html import page
        from feedbench.reports.tables import frames

        benchmark_json.write(out, *frames.read(out))
        return page.write(out)

    return written(out, write)


def _show(record: RunRecord, out: Path, page: Path | None, *, as_json: bool) -> None:
    if as_json:
        print_json(record)
        return
    from rich.console import Console

    from feedbench.reports.terminal.run import show

    console = Console(highlight=False)
    if record.against is not None:
        from feedbench.bench.records.storage import read_trials
        from feedbench.bench.verdicts.comparison import within
        from feedbench.bench.verdicts.two_runs import Run
        from feedbench.reports.terminal import comparison

        both = within(Run(str(out), record, read_trials(out)), record.margin)
        comparison.show(both, console)
        console.print()
    show(record, out, console, page)
