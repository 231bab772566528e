"""The command `feedbench compare`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from feedbench.bench.cli import options
from feedbench.bench.cli.support import flush, print_json, read_or_not
from feedbench.bench.options.values import share
from feedbench.pipelines.errors import RequestError

if TYPE_CHECKING:
    from feedbench.bench.verdicts.comparison import Comparison


def compare(
    base: options.BaseRun,
    new: options.NewRun = None,
    base_label: options.BaseLabel = None,
    new_label: options.NewLabel = None,
    tolerance: options.Tolerance = "5%",
    format: options.CompareFormat = "table",  # noqa: A002 - it is the option's name
    html: options.ComparePage = None,
    debug: options.Debug = False,  # noqa: ARG001 - main() reads it, which sees every error
) -> None:
    """Check whether a pipeline is slower, in one run or two.

    \b
    Examples:
      feedbench compare feedbench-runs/main feedbench-runs/branch
      feedbench compare BASE NEW --tolerance 10%
      feedbench compare BASE NEW --format markdown >> "$GITHUB_STEP_SUMMARY"
      feedbench compare BASE NEW --html compared.html
      feedbench compare RUN  # its two environments, from run --against
      feedbench compare RUN --base tfdata_naive --new mine  # two of its pipelines

    Two runs must be of the same images. Their pipelines are matched by their labels.

    \b
    The answer for each pipeline comes from the interval of its ratio:
      slower       all of the interval is beyond the tolerance
      not slower   none of it is
      cannot tell  part of it is

    \b
    Exit codes:
      0  no pipeline is slower
      1  a pipeline is slower
      2  the runs cannot be compared, or there was an error
      3  cannot tell
    """
    from feedbench.reports.sentences.comparisons.comparison import as_record

    if format not in {"table", "markdown", "json"}:
        raise RequestError(f"--format {format!r}: expected table, markdown or json")
    most = share("--tolerance", tolerance)
    comparison, labels = _compared(base, new, (base_label, new_label), most)
    page = None
    if html is not None:
        from feedbench.reports.html import comparison_page

        page = comparison_page.write(comparison, html, labels)
    with read_or_not():
        if format == "json":
            print_json(as_record(comparison))
        elif format == "markdown":
            from feedbench.reports import markdown

            print(markdown.of_comparison(comparison), end="")
        else:
            from rich.console import Console

            from feedbench.reports.terminal.comparison import show

            show(comparison, Console(highlight=False))
        if page is not None and page.is_file():
            flush()  # before the next line, if both go to one terminal
            print(f"The page is {page}", file=sys.stderr)
    raise typer.Exit({"not slower": 0, "slower": 1, "cannot tell": 3}[comparison.word])


def _compared(
    base: Path, new: Path | None, pair: tuple[str | None, str | None], tolerance: float
) -> tuple[Comparison, list[str]]:
    """Return the comparison, and the labels of the base run's rows."""
    from feedbench.bench.verdicts import comparison
    from feedbench.bench.verdicts.two_runs import Run
    from feedbench.reports.tables import frames

    if any(pair) and (new is not None or not all(pair)):
        raise RequestError(
            "--base and --new name two pipelines of one run: expected both, and one folder",
            hint="such as feedbench compare RUN --base tfdata_naive --new mine",
        )
    before = Run(str(base), *frames.read(base))
    labels = [row.label for row in before.record.rows]
    before_label, new_label = pair
    if before_label is not None and new_label is not None:
        return comparison.between(before, before_label, new_label, tolerance), labels
    if new is None:
        return comparison.within(before, tolerance), labels
    return comparison.compare(before, Run(str(new), *frames.read(new)), tolerance), labels
