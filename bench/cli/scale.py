"""The command `feedbench scale`."""

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
from feedbench.bench.options.commands.scale_options import ScaleOptions, options_of_scaling
from feedbench.bench.options.option import Given, value_of
from feedbench.bench.options.run_options import RunOptions
from feedbench.pipelines.system.signals import Postponed

if TYPE_CHECKING:
    from feedbench.bench.records.scaling.scaling import ScalingRecord

_BEGUN = clock.monotonic()  # --time covers everything from here


@options.takes(options_of_scaling())
def scale(
    *,
    folder: options.Folder = None,
    given: Given,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
) -> None:
    """Measure how a rate grows with workers and with cores.

    \b
    Examples:
      feedbench scale ~/photos --workers 1,2,4
      feedbench scale ~/photos --workers 1,2,4 --cores 1,2 --appetite 1786
      feedbench scale ~/photos -p tfdata_service:compression=none --workers 1,2,4
      feedbench scale ~/photos -p mine=loader.py:photos --cores 1,2,4
      feedbench scale ~/photos --workers 1,2,4 --model mobilenet_v2

    Workers are those of tf.data service. All numbers are measured in the blocks of one run. Each
    worker has one core. If there are more workers than cores, they share cores, and the result says
    so. Such workers do not stand for a larger machine.

    Amdahl's law and the universal scalability law are fitted to what was measured. A rate that they
    forecast is marked as extrapolated, with its interval. With --appetite, --step or --model, the
    result says how many workers or cores are enough for a model.

    For workers it also shows the CPU time of the client and of the workers, the bytes of an image
    on the wire, and how many images a second a client can take at most.

    \b
    The folder of --out gets:
      scaling.json   everything that was measured and computed
      scaling.html   the same as a page
      report.html    the page of the run

    \b
    Exit codes:
      0    every number was measured
      1    one of them was not
      2    the request or the input is wrong
      130  interrupted by Ctrl-C; what was measured is shown
      143  ended by SIGTERM; what was measured is shown
    """
    from feedbench.bench.processes.progress import listener

    progress, shown = listener(quiet=quiet)
    asked = ScaleOptions.of(given)
    out: Path = value_of(RunOptions, "out", given)
    with interruptible("interrupted before anything was measured; no run was kept", out), shown:
        photos = images_folder(folder, {**given, "records": None}, progress.note)
        of_run = asked.of_run({**given, "out": str(out)}, photos, begun=_BEGUN)
        from feedbench.bench.scaling.scaling import scale as perform

        record = perform(of_run, asked, progress)
    with Postponed() as interrupts:
        written_page(out)
        page = written(out, lambda: _written(record, out))
        with read_or_not():
            _show(record, page or out, as_json=as_json)
    if interrupts.came or record.status == "interrupted":
        raise typer.Exit(interrupts.exit_code)
    points = [point for curve in record.curves for point in curve.points]
    raise typer.Exit(1 if any(point.rate is None for point in points) else 0)


def _written(record: ScalingRecord, out: Path) -> Path:
    from feedbench.bench import files
    from feedbench.reports.html import scaling_page

    page = out / "scaling.html"
    files.replace(page, scaling_page.render(record))
    return page


def _show(record: ScalingRecord, page: Path, *, as_json: bool) -> None:
    if as_json:
        print_json(record)
        return
    from rich.console import Console

    from feedbench.reports.terminal.scaling import show

    show(record, Console(highlight=False), page)
