"""The command `feedbench gate`."""

from __future__ import annotations

import time as clock
from pathlib import Path

import typer

from feedbench.bench.cli import options
from feedbench.bench.cli.run import written_page
from feedbench.bench.cli.support import images_folder, interruptible, print_json, read_or_not
from feedbench.bench.options.commands.gate_options import GateOptions, options_of_gate
from feedbench.bench.options.option import Given, value_of
from feedbench.bench.options.run_options import RunOptions
from feedbench.pipelines.system.signals import Postponed

_BEGUN = clock.monotonic()  # --time covers everything from here


@options.takes(options_of_gate())
def gate(
    *,
    folder: options.Folder = None,
    given: Given,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
) -> None:
    """Check whether a new version of a loader is slower.

    \b
    Examples:
      feedbench gate photos --base base/loader.py:photos --new loader.py:photos
      feedbench gate photos --base old.py:f --new new.py:f --tolerance 10%
      feedbench gate photos --base tfdata_naive --new loader.py:f --time 20m
      feedbench gate photos --base old.py:f --new new.py:f --confirm --strict

    Both are measured in one run, in the same blocks. It stops as soon as the answer is clear, or
    when --time is up. Its intervals allow for that: they hold whenever it stops.

    Both are imported through links of equal length, so that the paths make no difference.

    \b
    The answer comes from the interval of new rate / base rate:
      not slower   none of it is beyond the tolerance
      slower       all of it is
      cannot tell  part of it is, and the time was up

    Under GitHub Actions it writes an annotation and a job summary. Under GitLab it writes reports
    of code quality and metrics into the run's folder. gate.json there has all figures.

    \b
    Exit codes:
      0    not slower
      1    slower; with --strict, also if it cannot tell
      2    the request is wrong, or a loader failed or delivers other images
      3    cannot tell
      130  interrupted by Ctrl-C
      143  ended by SIGTERM, as by timeout or Kubernetes
    """
    from feedbench.bench.processes.progress import listener

    progress, shown = listener(quiet=quiet)
    asked = GateOptions.of(given)
    out: Path = value_of(RunOptions, "out", given)
    with interruptible("interrupted before anything was measured; no run was kept", out), shown:
        photos = images_folder(folder, given, progress.note)
        of_run = asked.of_run({**given, "out": str(out)}, photos, begun=_BEGUN)
        from feedbench.bench.gate.gate import measure

        outcome = measure(of_run, progress, strict=asked.strict, confirm=asked.confirm)
    from feedbench.bench.cli.gates import ci

    with Postponed() as interrupts:
        page = written_page(outcome.folder)
        if outcome.folder != out:  # it was confirmed in a run of its own
            written_page(out)
        with read_or_not():
            if as_json:
                from feedbench.reports.sentences.comparisons.gate import as_record

                print_json(as_record(outcome.record))
            else:
                from rich.console import Console

                from feedbench.reports.terminal.gate import show

                show(outcome.record, Console(highlight=False), page or outcome.folder)
        ci.write(outcome, out)
    if interrupts.came or outcome.run.status == "interrupted":
        raise typer.Exit(interrupts.exit_code)
    raise typer.Exit(outcome.record.exit_code)
