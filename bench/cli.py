"""The front door: parses, calls, prints. Imports what a command needs inside that command."""

from __future__ import annotations

import signal
import sys
import time as clock
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import typer

from feedbench.bench import cli_options
from feedbench.pipelines.errors import FeedbenchError, InterruptionError, RequestError

_SAMPLE_PHOTOS = 512
_BEGUN = clock.monotonic()  # --time covers everything from here

app = typer.Typer(
    name="feedbench",
    help="Find the fastest way to feed images to a TensorFlow model on this machine.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.command()
def run(
    folder: cli_options.Folder = None,
    pipeline: cli_options.Pipelines = None,
    labels: cli_options.Labels = None,
    classes: cli_options.Classes = None,
    part: cli_options.Part = None,
    check: cli_options.Check = "decode",
    bad_images: cli_options.BadImages = "error",
    max_pixels: cli_options.MaxPixels = None,
    image_size: cli_options.ImageSize = "224",
    channels: cli_options.Channels = "3",
    dtype: cli_options.Dtype = "float32",
    value_range: cli_options.Range = None,
    label_mode: cli_options.LabelMode = "int",
    batch_size: cli_options.BatchSize = 32,
    time: cli_options.Time = None,
    blocks: cli_options.Blocks = None,
    margin: cli_options.Margin = "5%",
    limit: cli_options.Limit = None,
    seed: cli_options.Seed = 0,
    out: cli_options.Out = None,
    prepared: cli_options.Prepared = None,
    fresh_interpreter: cli_options.FreshInterpreter = False,
    quiet: cli_options.Quiet = False,
    as_json: cli_options.Json = False,
    debug: cli_options.Debug = False,  # noqa: ARG001 - main() reads it, which sees every error
) -> None:
    """Measure pipelines over a folder of photos and say which is the fastest.

    \b
    Examples:
      feedbench run ~/photos
      feedbench run ~/photos -p tfdata_naive -p tfdata_tuned:cache=file --time 2m
      feedbench run ~/photos -p tfdata_tuned -p mine=loader.py:photos --blocks 8
      feedbench run ~/photos --image-size 160x240 --range -1..1 --label-mode categorical
      feedbench run ~/photos --channels 1 --dtype uint8
      feedbench run ~/photos --bad-images skip
      feedbench run ~/flat --labels labels.csv --classes cats,dogs
      feedbench run ~/dogs-vs-cats/train --labels '^(\\w+)\\.'
      feedbench run

    \b
    loader.py holds a function photos(workload) that returns an iterable of (images, labels):
    images [B, height, width, channels] and labels as the options say, by default float32 in
    [0, 1] and [B] int32, every image once. workload has folder, files, labels, class_names,
    formats, height, width, channels, dtype, value_range, label_mode, batch_size and seed.

    Exit codes: 0 measured; 1 a pipeline failed; 2 the request or the input is wrong; 130 Ctrl-C.
    """
    from feedbench.bench import arguments
    from feedbench.bench.options import RunOptions
    from feedbench.bench.progress import listener
    from feedbench.pipelines.catalog import DEFAULT_SPECS
    from feedbench.pipelines.folder import image_id

    told, shown = listener(quiet=quiet)
    out = out or arguments.new_run_folder()
    unmeasured = "interrupted before anything was measured; no run is left of it"
    with _interruptible(unmeasured, out), shown:
        options = RunOptions(
            folder=folder or _sample_photos(told.said),
            layout=arguments.layout(labels, classes, part),
            checks=arguments.checks(check, bad_images, max_pixels),
            specs=tuple(pipeline or DEFAULT_SPECS),
            image_size=arguments.image_size(image_size),
            channels=arguments.one_of("--channels", channels, arguments.CHANNELS),
            dtype=arguments.one_of("--dtype", dtype, arguments.DTYPES),
            value_range=arguments.value_range(value_range, dtype),
            label_mode=arguments.one_of("--label-mode", label_mode, arguments.LABEL_MODES),
            batch_size=batch_size,
            seconds=arguments.seconds(time) if time is not None or blocks is None else None,
            blocks=blocks,
            margin=arguments.share("--margin", margin),
            limit=arguments.limit(limit),
            seed=seed,
            out=out,
            prepared=prepared or arguments.prepared_folder(),
            fresh_interpreter=fresh_interpreter,
            command=[image_id(word) for word in sys.argv],
            begun=_BEGUN,
        )
        from feedbench.bench.run import perform

        found = perform(options, told)
    page = _page(options.out)
    _show(found, options.out, page, as_json=as_json)
    if found.status == "interrupted":
        raise typer.Exit(InterruptionError.exit_code)
    raise typer.Exit(1 if any(row.failures for row in found.rows) else 0)


@app.command()
def report(
    folder: cli_options.RunFolder,
    format: cli_options.Format = "html",  # noqa: A002 - it is the option's name
    out: cli_options.ReportFile = None,
    debug: cli_options.Debug = False,  # noqa: ARG001 - main() reads it, which sees every error
) -> None:
    """Render a run again: a page, markdown for a pull request, CSV or JSON.

    \b
    Examples:
      feedbench report feedbench-runs/2026-01-02T030405
      feedbench report RUN --format markdown
      feedbench report RUN --format csv --out figures.csv

    \b
    html writes RUN/report.html, one file that asks the network for nothing, and prints where it
    lies. The other formats go to standard output. --out names a file for any of them.
    """
    from feedbench.reports import files, formats

    text = formats.render(format, folder)
    file = out or (folder / formats.PAGE if format == "html" else None)
    if file is None:
        print(text, end="")
        return
    written = files.replace(file, text)
    if written.is_file():  # what went into a pipe or a device has no line of ours behind it
        print(written)


@app.command()
def inspect(
    folder: cli_options.Inspected,
    labels: cli_options.Labels = None,
    classes: cli_options.Classes = None,
    part: cli_options.Part = None,
    image_size: cli_options.ImageSize = "224",
    channels: cli_options.Channels = "3",
    check: cli_options.Check = "decode",
    max_pixels: cli_options.MaxPixels = None,
    format: cli_options.InspectFormat = "text",  # noqa: A002 - it is the option's name
    quiet: cli_options.Quiet = False,
    debug: cli_options.Debug = False,  # noqa: ARG001 - main() reads it, which sees every error
) -> None:
    """Say what is in a folder: classes, formats, sizes, duplicates, and bad images with reasons.

    \b
    Examples:
      feedbench inspect ~/photos
      feedbench inspect ~/photos --check header --format json
      feedbench inspect ~/flat --labels labels.csv --image-size 180x240

    Every file is looked at, which is remembered for a run. Bad images are no error here.
    """
    from feedbench.bench import arguments
    from feedbench.bench.inspection import inspect as look
    from feedbench.bench.progress import listener

    if format not in {"text", "json"}:
        raise RequestError(f"--format {format!r}: expected text or json")
    told, context = listener(quiet=quiet)
    with _interruptible("interrupted before every image was looked at", folder), context:
        found = look(
            folder,
            arguments.layout(labels, classes, part),
            arguments.checks(check, "skip", max_pixels),
            image_size=arguments.image_size(image_size),
            channels=arguments.one_of("--channels", channels, arguments.CHANNELS),
            listener=told,
        )
    if format == "json":
        _print_json(found)
        return
    from rich.console import Console

    from feedbench.reports.inspection import show

    show(found, Console(highlight=False))


@app.command()
def pipelines() -> None:
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
    prepared: cli_options.Prepared = None,
    clear: cli_options.Clear = False,
    debug: cli_options.Debug = False,  # noqa: ARG001 - main() reads it, which sees every error
) -> None:
    """List what pipelines have written beforehand, such as record files, or clear it.

    A run that takes the same images with the same knobs finds it again.

    \b
    Examples:
      feedbench prepared
      feedbench prepared --clear
    """
    from feedbench.bench import arguments
    from feedbench.bench.preparations import listing
    from feedbench.bench.store import Store

    store = Store(prepared or arguments.prepared_folder())
    print("\n".join(listing(store)))
    if clear:
        store.clear()
        print("All of it is removed.")


@app.command()
def photos(
    folder: cli_options.NewFolder,
    count: cli_options.Count = _SAMPLE_PHOTOS,
    seed: cli_options.Seed = 0,
) -> None:
    """Write natural-looking sample photos, in one sub-folder a class.

    \b
    Example:
      feedbench photos /tmp/photos --count 1000
    """
    from rich.console import Console
    from rich.progress import Progress

    from feedbench.pipelines.photos import write_photos

    # No thread of rich's while processes are forked: the bar is drawn when a photo is done.
    console = Console(stderr=True)
    with Progress(
        console=console, auto_refresh=False, transient=True, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task("photos", total=count)

        def on_photo(done: int, total: int) -> None:
            if done % 16 == 0 or done == total:
                progress.update(task, completed=done, refresh=True)

        with _interruptible(
            "interrupted before the photos were whole; nothing is left of them", folder
        ):
            write_photos(folder, count, seed=seed, on_photo=on_photo)
    print(f"{count} photos in {folder}")


def main() -> NoReturn:
    """Run the command line; every error that a person may cause is one sentence."""
    signal.signal(signal.SIGTERM, _interrupt)
    debug = "--debug" in sys.argv
    try:
        code = app(standalone_mode=False)
    except FeedbenchError as error:
        if debug:
            raise
        _fail(str(error), error.exit_code)
    except BrokenPipeError:
        sys.exit(1)
    except OSError as error:  # a full disk, a folder that may not be written
        if debug:
            raise
        name = f"{error.filename}: " if error.filename else ""
        _fail(f"{name}{error.strerror or error}", FeedbenchError.exit_code)
    except Exception as error:
        # typer carries a copy of click; its usage errors are known by how they show themselves.
        shown = getattr(error, "format_message", None)
        if shown is None:
            raise
        _fail(f"{shown()} See {_command()} --help.", RequestError.exit_code)
    sys.exit(code if isinstance(code, int) else 0)


@contextmanager
def _interruptible(sentence: str, folder: Path) -> Iterator[None]:
    """Have Ctrl-C say what came of it; typer would end without a word."""
    there = folder.exists()
    try:
        yield
    except KeyboardInterrupt:
        if folder.exists() > there:
            raise InterruptionError(f"interrupted; what there is lies in {folder}") from None
        raise InterruptionError(sentence) from None


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _fail(sentence: str, code: int) -> NoReturn:
    print(f"feedbench: {sentence}", file=sys.stderr)
    sys.exit(code)


def _command() -> str:
    commands = app.registered_commands
    known = {each.name or each.callback.__name__ for each in commands if each.callback}
    return " ".join(["feedbench", *(word for word in sys.argv[1:2] if word in known)])


def _page(out: Path) -> Path | None:
    """Write the run's page; where that fails, say so, for the run itself is safe."""
    try:
        from feedbench.reports import page

        return page.write(out)
    except KeyboardInterrupt:
        why = "interrupted"
    except Exception as error:  # noqa: BLE001 - nothing that a library raises may lose the answer
        why = " ".join(str(error).split()) or type(error).__name__
    print(
        f"feedbench: the report could not be written: {why}; the run lies in {out}, and"
        f" feedbench report {out} tries again",
        file=sys.stderr,
    )
    return None


def _show(found: Any, out: Path, page: Path | None, *, as_json: bool) -> None:
    if as_json:
        _print_json(found)
        return
    from rich.console import Console

    from feedbench.reports.terminal import show

    show(found, out, Console(highlight=False), page)


def _print_json(found: Any) -> None:
    import msgspec

    print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())


def _sample_photos(say: Callable[[str], None]) -> Path:
    """Return the folder of sample photos, made once in the user's cache folder."""
    import platformdirs

    from feedbench.pipelines.photos import write_photos

    folder = platformdirs.user_cache_path("feedbench") / f"photos-{_SAMPLE_PHOTOS}"
    if not folder.is_dir():
        say(f"Makes {_SAMPLE_PHOTOS} sample photos in {folder}, which takes some seconds.")
        try:
            write_photos(folder, _SAMPLE_PHOTOS)
        except OSError:
            if not folder.is_dir():  # else another run was first, with the same photos
                raise
    return folder
