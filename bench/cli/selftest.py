"""The command `feedbench selftest`."""

from __future__ import annotations

from pathlib import Path

import typer

from feedbench.bench.cli import options
from feedbench.bench.cli.support import interruptible, print_json


def selftest(
    quiet: options.Quiet = False,
    as_json: options.Json = False,
    debug: options.Debug = False,  # noqa: ARG001 - main() reads it, which sees every error
) -> None:
    """Test whether Feedbench measures correctly on this machine.

    \b
    Examples:
      feedbench selftest
      feedbench selftest --json

    \b
    This takes two to three minutes. It measures pipelines of known behaviour,
    with the same code as a run:
      pipelines of known rates, also with a slow beginning or a slow end
      a loader that works ahead, and one that delivers in bursts
      a pipeline next to its copy, and next to one that takes 10% longer
      a pipeline that starts another process, which uses every core

    \b
    Exit codes:
      0  every result is as expected
      1  a result is not
    """
    from feedbench.bench.options.run_options import pace_asked_for
    from feedbench.bench.processes.progress import listener
    from feedbench.bench.selftest.selftest import selftest as measure

    pace = pace_asked_for()
    progress, shown = listener(quiet=quiet)
    with interruptible("interrupted; the self-test has no result", Path()), shown:
        outcome = measure(progress, pace)
    if as_json:
        print_json(outcome)
    else:
        from rich.console import Console

        from feedbench.reports.terminal.selftest import show

        show(outcome, Console(highlight=False))
    raise typer.Exit(0 if outcome.has_passed else 1)
