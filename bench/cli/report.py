"""The command `feedbench report`."""

from __future__ import annotations

from pathlib import Path

from feedbench.bench.cli import options
from feedbench.pipelines.errors import RequestError


def report(
    folders: options.RunFolders,
    format: options.ReportFormat = None,  # noqa: A002 - it is the option's name
    out: options.ReportFile = None,
    debug: options.Debug = False,  # noqa: ARG001 - main() reads it, which sees every error
) -> None:
    """Render a run as a page, tables, figures or a picture.

    \b
    Examples:
      feedbench report feedbench-runs/2026-01-31T120000
      feedbench report RUN --out page.html
      feedbench report RUN --out ratios.pdf
      feedbench report RUN --out table.tex
      feedbench report RUN --format markdown
      feedbench report laptop server --out both.html
      feedbench report watch.json

    html writes one file, RUN/report.html, and prints its name. The page loads nothing from the
    network. markdown, csv, json and latex go to standard output. --out names a file for any of
    them, and its ending chooses the format.

    svg, png and pdf are the chart of ratios, and need --out. latex is the tables, for the package
    booktabs.

    Several runs become one page, and need --out. It shows their rates next to each other, and each
    run's ratios to its own baseline.

    A folder of feedbench train is html, markdown, csv (a row for each epoch) or json.

    A folder of feedbench tune is the report of its last run, whose page begins with the tuning's
    answer. Its markdown is the tuning itself.

    A file of feedbench.watch is a page with the ending .html, next to the file. Its sentence and
    its table are also printed.
    """
    from feedbench.bench import files
    from feedbench.bench.records.tuning.tuning import is_tuning, last_run
    from feedbench.reports import formats, tunings

    name = formats.chosen(format, out)
    content: str | bytes
    if len(folders) == 1 and folders[0].is_file():
        _watched(folders[0], name, out)
        return
    if len(folders) == 1 and name == "markdown" and is_tuning(folders[0]):
        content = tunings.read(folders[0])
    elif len(folders) == 1:
        folders = [last_run(folders[0]) or folders[0]]
        content = _one(name, folders[0], out)
    else:
        folders = [last_run(folder) or folder for folder in folders]
        content = _several(folders, name, out, "" if format is None else f"--format {format}")
    file = out or (folders[0] / formats.PAGE if name == "html" else None)
    if file is None:
        print(content, end="")
        return
    written = files.replace(file, content, through_link=out is not None)
    if written.is_file():  # after what went into a pipe or a device, no line is printed
        print(written)


def _watched(watched: Path, name: str, out: Path | None) -> None:
    """Report a file of feedbench.watch."""
    from feedbench.bench import files
    from feedbench.reports import waits

    content = waits.render(name, watched)
    if name == "html":
        from rich.console import Console

        from feedbench.bench.records.trainings.watch_file import read_watch
        from feedbench.reports.terminal.waits import show

        show(read_watch(watched), Console(highlight=False))
    file = out or (watched.with_suffix(".html") if name == "html" else None)
    if file is None:
        print(content, end="")
        return
    if files.replace(file, content, through_link=out is not None).is_file():
        print(file)


def _one(name: str, folder: Path, out: Path | None) -> str | bytes:
    from feedbench.reports import formats, trainings

    if trainings.is_training(folder):
        return trainings.render(name, folder)
    form = next((each for each in formats.PICTURES if each == name), None)
    if form is None:
        return formats.render(name, folder)
    if out is None:
        raise RequestError(
            f"--format {name}: expected --out FILE for a picture",
            hint=f"add --out FILE, such as --out ratios.{name}",
        )
    return formats.picture(form, folder)


def _several(folders: list[Path], name: str, out: Path | None, given: str) -> str:
    from feedbench.reports.html import runs_page

    if name != "html":
        raise RequestError(
            f"{given or f'--out {out}'}: expected html for several runs",
            hint="name one RUN, or make a page of them with --out FILE.html",
        )
    if out is None:
        raise RequestError(
            f"{len(folders)} runs make one page: expected --out FILE for it",
            hint="add --out FILE, such as --out runs.html",
        )
    return runs_page.read(folders)
