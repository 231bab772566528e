"""The command `feedbench tune`."""

from __future__ import annotations

import time as clock
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from feedbench.bench.cli import options
from feedbench.bench.cli.run import written_page
from feedbench.bench.cli.support import (
    images_folder,
    interruptible,
    print_json,
    read_or_not,
    written,
)
from feedbench.bench.options.commands.tune_options import TuneOptions, options_of_tuning
from feedbench.bench.options.option import Given, value_of
from feedbench.bench.options.run_options import RunOptions
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.system.signals import Postponed

if TYPE_CHECKING:
    from feedbench.bench.records.tuning.tuning import TuningRecord

_BEGUN = clock.monotonic()  # --time covers everything from here


@options.takes(options_of_tuning())
def tune(
    *,
    folder: options.Folder = None,
    given: Given,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
) -> None:
    """Search for the fastest pipeline and knobs that you allow.

    \b
    Examples:
      feedbench tune ~/photos
      feedbench tune ~/photos --epochs 30 --time 15m
      feedbench tune ~/photos --pixels 3 --disk 5GB --memory 4GB --epochs 30
      feedbench tune ~/photos -p tfdata_tuned -p tfrecord_sharded:store=raw
      feedbench tune ~/photos -p mine=loader.py:photos -p threads --time 5m

    The first pipeline, as you give it, is the default. Candidates are the pipelines and variants of
    their knobs: cache, cache_at, store, decode, parallel_calls, workers, threads, prefetch,
    stored_size, stored_format and quality. AUTOTUNE's own choice is one of them.

    Candidates are measured in rungs. A candidate is dropped when it is shown to be slower than the
    best, or when you do not allow what it needs. The winner and the default are then measured anew,
    since the best of many is partly the luckiest. --pixels allows images that are stored smaller.

    \b
    The folder of --out gets:
      tuning.json      everything that was measured and decided
      tuning.md        the same for a reader
      winner.py        code to paste into a training script
      rung-1, final    ordinary runs; final has the page report.html

    \b
    Exit codes:
      0    a pipeline was chosen
      1    no candidate that you allow could be measured
      2    the request or the input is wrong, or the photos changed
      130  interrupted by Ctrl-C; the best so far is shown
      143  ended by SIGTERM; the best so far is shown
    """
    from feedbench.bench.processes.progress import listener

    progress, shown = listener(quiet=quiet)
    asked = TuneOptions.of(given)
    out: Path = value_of(RunOptions, "out", given)
    with interruptible("interrupted before anything was measured; nothing was kept", out), shown:
        photos = images_folder(folder, {**given, "records": None}, progress.note)
        of_run = asked.of_run({**given, "out": str(out)}, photos, begun=_BEGUN)
        from feedbench.bench.tuning.tuning import tune as perform

        record = perform(of_run, asked.allowance(of_run), progress)
    with Postponed() as interrupts:
        record, page = _written(record, out)
        with read_or_not():
            _show(record, out, page, as_json=as_json)
    if record.changed and not interrupts.came:
        raise typer.Exit(RequestError.exit_code)
    if interrupts.came or record.status == "interrupted":
        raise typer.Exit(interrupts.exit_code)
    raise typer.Exit(1 if record.winner is None else 0)


def _show(record: TuningRecord, out: Path, page: Path | None, *, as_json: bool) -> None:
    if as_json:
        print_json(record)
        return
    from rich.console import Console

    from feedbench.reports.terminal.tuning import show

    show(record, Console(highlight=False), out, page)


def _written(record: TuningRecord, out: Path) -> tuple[TuningRecord, Path | None]:
    """Write the code and the texts; return the record with the code's place, and the page."""
    page = written_page(out / record.run) if record.run else None

    def write() -> TuningRecord:
        from feedbench.reports import tunings

        return tunings.write(out, record)

    return written(out, write) or record, page
