"""The command `feedbench report`."""

from __future__ import annotations

from pathlib import Path

from feedbench.bench.cli import options
from feedbench.pipelines.errors import RequestError


def report(
    folders: options.RunFolders,
    format: options.Format = "html",  # noqa: A002 - it is the option's name
    out: options.ReportFile = None,
    debug: options.Debug = False,  # noqa: ARG001 - main() reads it, which sees every error
) -> None:
    """Render a run as a page, Markdown, CSV or JSON.

    \b
    Examples:
      feedbench report feedbench-runs/2026-01-31T120000
      feedbench report RUN --out /tmp/report.html
      feedbench report RUN --format markdown
      feedbench report RUN --format csv --out figures.csv
      feedbench report laptop server --out both.html

    html writes one file, RUN/report.html, and prints its name. The page loads nothing from the
    network. The other formats go to standard output. --out names a file for any of them.

    Several runs become one page, and need --out. It shows their rates next
    to each other, and each run's ratios to its own baseline.
    """
    from feedbench.bench import files
    from feedbench.reports import formats

    is_one = len(folders) == 1
    text = formats.render(format, folders[0]) if is_one else _several(folders, format, out)
    file = out or (folders[0] / formats.PAGE if format == "html" else None)
    if file is None:
        print(text, end="")
        return
    written = files.replace(file, text)
    if written.is_file():  # after what went into a pipe or a device, no line is printed
        print(written)


def _several(folders: list[Path], form: str, out: Path | None) -> str:
    from feedbench.reports.html import runs_page

    if form != "html":
        raise RequestError(
            f"--format {form}: expected html for several runs",
            hint="name one RUN, or leave --format out",
        )
    if out is None:
        raise RequestError(
            f"{len(folders)} runs make one page: expected --out FILE for it",
            hint="add --out FILE, such as --out runs.html",
        )
    return runs_page.read(folders)
