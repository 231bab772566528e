"""The front door: parses, calls, prints. Imports what a command needs inside that command."""

from __future__ import annotations

import signal
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import typer

from feedbench.bench.cli import options, run
from feedbench.bench.cli.support import (
    SAMPLE_PHOTOS,
    end,
    flush,
    interruptible,
    print_json,
    read_or_not,
)
from feedbench.pipelines.errors import FeedbenchError, RequestError

app = typer.Typer(
    name="feedbench",
    help="Find the fastest way to feed images to a TensorFlow model on this machine.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


app.command()(run.run)
app.command()(run.verify)


@app.command()
def report(
    folders: options.RunFolders,
    format: options.Format = "html",  # noqa: A002 - it is the option's name
    out: options.ReportFile = None,
    debug: options.Debug = False,  # noqa: ARG001 - main() reads it, which sees every error
) -> None:
    """Render a run again: a page, markdown for a pull request, CSV or JSON; or several on one page.

    \b
    Examples:
      feedbench report feedbench-runs/2026-01-02T030405
      feedbench report RUN --out /tmp/report.html     # where RUN may not be written to
      feedbench report RUN --format markdown
      feedbench report RUN --format csv --out figures.csv
      feedbench report laptop server --out both.html  # side by side

    \b
    html writes RUN/report.html, one file that asks the network for nothing, and prints where it
    lies. The other formats go to standard output. --out names a file for any of them. Several runs
    are a page of their own, whose file --out names: each run's ratios to its own baseline.
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
    if written.is_file():  # what went into a pipe or a device has no line of ours behind it
        print(written)


def _several(folders: list[Path], form: str, out: Path | None) -> str:
    from feedbench.reports.html import runs_page

    if form != "html":
        raise RequestError(
            f"--format {form}: several runs side by side are html; name one RUN, or leave it out"
        )
    if out is None:
        raise RequestError(
            f"{len(folders)} runs side by side are a page of their own: expected --out FILE"
        )
    return runs_page.read(folders)


@app.command()
def compare(
    base: options.BaseRun,
    new: options.NewRun = None,
    tolerance: options.Tolerance = "5%",
    format: options.CompareFormat = "table",  # noqa: A002 - it is the option's name
    html: options.ComparePage = None,
    debug: options.Debug = False,  # noqa: ARG001 - main() reads it, which sees every error
) -> None:
    """Say of two runs of the same images whether any pipeline became slower.

    Without NEW, of the two environments of one run.

    \b
    Examples:
      feedbench compare feedbench-runs/main feedbench-runs/branch
      feedbench compare BASE NEW --tolerance 10% --format markdown >> "$GITHUB_STEP_SUMMARY"
      feedbench compare BASE NEW --html compared.html
      feedbench compare RUN     # made with --against: its two environments

    \b
    Pipelines are matched by their labels. Slower is one whose whole interval lies beyond the
    tolerance; one whose interval lies within is not slower; else it cannot be told.

    \b
    Exit codes: 0 nothing is slower; 1 a pipeline is; 2 these runs cannot be compared, or something
    went wrong; 3 it cannot be told.
    """
    from feedbench.bench.cli import values
    from feedbench.bench.verdicts.comparison import compare as put_beside
    from feedbench.bench.verdicts.comparison import within
    from feedbench.reports.sentences import comparison
    from feedbench.reports.tables import frames

    if format not in {"table", "markdown", "json"}:
        raise RequestError(f"--format {format!r}: expected table, markdown or json")
    most = values.share("--tolerance", tolerance)
    before = (str(base), *frames.read(base))
    if new is None:
        found = within(before, most)
    else:
        found = put_beside(before, (str(new), *frames.read(new)), most)
    page = None
    if html is not None:
        from feedbench.reports.html import comparison_page

        page = comparison_page.write(found, html, [row.label for row in before[1].rows])
    with read_or_not():
        if format == "json":
            print_json(comparison.as_record(found))
        elif format == "markdown":
            from feedbench.reports import markdown

            print(markdown.of_comparison(found), end="")
        else:
            from rich.console import Console

            from feedbench.reports.terminal.comparison import show

            show(found, Console(highlight=False))
        if page is not None and page.is_file():
            flush()  # before it, where both go to one terminal
            print(f"The page is {page}", file=sys.stderr)
    raise typer.Exit({"not slower": 0, "slower": 1, "cannot tell": 3}[found.word])


@app.command()
def inspect(
    folder: options.Inspected,
    labels: options.Labels = None,
    classes: options.Classes = None,
    part: options.Part = None,
    image_size: options.ImageSize = "224",
    channels: options.Channels = "3",
    check: options.Check = "decode",
    max_pixels: options.MaxPixels = None,
    format: options.InspectFormat = "text",  # noqa: A002 - it is the option's name
    quiet: options.Quiet = False,
    debug: options.Debug = False,  # noqa: ARG001 - main() reads it, which sees every error
) -> None:
    """Say what is in a folder: classes, formats, sizes, duplicates, and bad images with reasons.

    \b
    Examples:
      feedbench inspect ~/photos
      feedbench inspect ~/photos --check header --format json
      feedbench inspect ~/flat --labels labels.csv --image-size 180x240

    Every file is looked at, which is remembered for a run. Bad images are no error here.
    """
    from feedbench.bench.cli import values
    from feedbench.bench.images.inspection import inspect as look
    from feedbench.bench.processes.progress import listener

    if format not in {"text", "json"}:
        raise RequestError(f"--format {format!r}: expected text or json")
    told, context = listener(quiet=quiet)
    with interruptible("interrupted before every image was looked at", folder), context:
        found = look(
            folder,
            values.layout(labels, classes, part),
            values.checks(check, "skip", max_pixels),
            image_size=values.image_size(image_size),
            channels=values.one_of("--channels", channels, values.CHANNELS),
            listener=told,
        )
    if format == "json":
        print_json(found)
        return
    from rich.console import Console

    from feedbench.reports.terminal.inspection import show

    show(found, Console(highlight=False))


@app.command()
def pipelines(
    debug: options.Debug = False,  # noqa: ARG001 - main() reads it, which sees every error
) -> None:
    """List what can be measured, with its knobs.

    \b
    Example:
      feedbench pipelines
    """
    from feedbench.pipelines import catalog, knobs

    for name in catalog.names():
        if name not in catalog.BUILT_IN:
            print(f"{name}\n  offered by an installed package\n")
            continue
        kind = catalog.built_in(name)
        print(f"{name}\n  {(kind.__doc__ or '').splitlines()[0]}")
        for knob in knobs.knobs_of(kind):
            print(f"    {knob.name}={knob.default}: {knob.meaning} ({knob.accepts})")
        print()


@app.command("prepared")
def prepared_(
    prepared: options.Prepared = None,
    clear: options.Clear = False,
    debug: options.Debug = False,  # noqa: ARG001 - main() reads it, which sees every error
) -> None:
    """List what pipelines have written beforehand, such as record files, or clear it.

    A run that takes the same images with the same knobs finds it again.

    \b
    Examples:
      feedbench prepared
      feedbench prepared --clear
    """
    from feedbench.bench.cli import values
    from feedbench.bench.prepared.preparation import listing
    from feedbench.bench.prepared.store import Store

    store = Store(prepared or values.prepared_folder())
    print("\n".join(listing(store)))
    if clear:
        store.clear()
        print("All of it is removed.")


@app.command()
def tensorboard(
    folder: options.RunFolder,
    port: options.Port = 6006,
    debug: options.Debug = False,  # noqa: ARG001 - main() reads it, which sees every error
) -> None:
    """Open a run's traces in TensorBoard, and print the address of the profile page.

    \b
    Examples:
      feedbench tensorboard feedbench-runs/2026-01-02T030405
      feedbench tensorboard RUN --port 0

    On this machine only; without a network the page works, but for its charts. Ctrl-C ends it.
    """
    from feedbench.bench.why.tensorboard import serve

    serve(folder, port, print)


@app.command()
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
    from feedbench.bench.processes.progress import listener
    from feedbench.bench.run.options import pace_asked_for
    from feedbench.bench.selftest.selftest import selftest as measure

    pace = pace_asked_for()
    told, shown = listener(quiet=quiet)
    with interruptible("interrupted; nothing is left of the self-test", Path()), shown:
        found = measure(told, pace)
    if as_json:
        print_json(found)
    else:
        from rich.console import Console

        from feedbench.reports.terminal.selftest import show

        show(found, Console(highlight=False))
    raise typer.Exit(0 if found.has_passed else 1)


@app.command()
def photos(
    folder: options.NewFolder,
    count: options.Count = SAMPLE_PHOTOS,
    seed: options.Seed = 0,
    debug: options.Debug = False,  # noqa: ARG001 - main() reads it, which sees every error
) -> None:
    """Write natural-looking sample photos, in one sub-folder a class.

    \b
    Example:
      feedbench photos /tmp/photos --count 1000
    """
    from rich.console import Console
    from rich.progress import Progress

    from feedbench.pipelines.images.sample_photos import write_photos

    # No thread of rich's while processes are forked: the bar is drawn when a photo is done.
    console = Console(stderr=True)
    with Progress(
        console=console, auto_refresh=False, transient=True, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task("photos", total=count)

        def on_photo(done: int, total: int) -> None:
            if done % 16 == 0 or done == total:
                progress.update(task, completed=done, refresh=True)

        with interruptible(
            "interrupted before the photos were whole; nothing is left of them", folder
        ):
            write_photos(folder, count, seed=seed, on_photo=on_photo)
    print(f"{count} photos in {folder}")


def main() -> NoReturn:
    """Run the command line; every error is one sentence, or with --debug a traceback."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        code = app(standalone_mode=False)
        flush()
    except BrokenPipeError:  # whoever read it has enough
        end(_code(FeedbenchError.exit_code))
    except Exception as error:  # noqa: BLE001 - a traceback ends with 1, which is an answer
        sentence, code = _told(error)
        text = traceback.format_exc() if "--debug" in sys.argv else f"feedbench: {sentence}\n"
        with suppress(OSError):
            print(text, end="", file=sys.stderr)
        end(_code(code))
    end(code if isinstance(code, int) else 0)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _told(error: Exception) -> tuple[str, int]:
    """Return an error as a sentence, and its exit code."""
    if isinstance(error, FeedbenchError):
        return str(error), error.exit_code
    if isinstance(error, OSError):  # a full disk, a folder that may not be written
        name = f"{error.filename}: " if error.filename else ""
        return f"{name}{error.strerror or error}", FeedbenchError.exit_code
    # typer carries a copy of click; its usage errors are known by how they show themselves.
    shown = getattr(error, "format_message", None)
    if shown is not None:
        return f"{shown()} See {_command()} --help.", RequestError.exit_code
    what = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(":")
    return f"this is a fault of Feedbench: {what}; --debug shows where", FeedbenchError.exit_code


def _code(code: int) -> int:
    """Return the exit code of an error: 1 of `compare` is its answer that a pipeline is slower."""
    is_gate = _command() == "feedbench compare"
    return RequestError.exit_code if is_gate and code == FeedbenchError.exit_code else code


def _command() -> str:
    commands = app.registered_commands
    known = {each.name or each.callback.__name__ for each in commands if each.callback}
    return " ".join(["feedbench", *(word for word in sys.argv[1:2] if word in known)])
