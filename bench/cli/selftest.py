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
    """Measure pipelines whose behaviour is known; say whether the harness can be trusted here.

    \b
    Examples:
      feedbench selftest
      feedbench selftest --json

    \b
    Takes two to three minutes, through the same code as a run: known rates, a loader that works
    ahead, bursts, a slow end, a slow beginning; a pipeline beside its copy, one that takes 10 %
    longer, and one that brings a neighbour with it, which takes every core.

    Exit codes: 0 all as expected; 1 something is not.
    """
    from feedbench.bench.options.run_options import pace_asked_for
    from feedbench.bench.processes.progress import listener
    from feedbench.bench.selftest.selftest import selftest as measure

    pace = pace_asked_for()
    progress, shown = listener(quiet=quiet)
    with interruptible("interrupted; nothing is left of the self-test", Path()), shown:
        outcome = measure(progress, pace)
    if as_json:
        print_json(outcome)
    else:
        from rich.console import Console

        from feedbench.reports.terminal.selftest import show

        show(outcome, Console(highlight=False))
    raise typer.Exit(0 if outcome.has_passed else 1)
