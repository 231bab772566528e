"""The commands that open pipelines: run, and verify. Part of the front door (app.py)."""

from __future__ import annotations

import sys
import time as clock
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from feedbench.bench.cli import options as cli_options
from feedbench.bench.cli.support import interruptible, print_json, sample_photos, unwritten
from feedbench.pipelines.errors import InterruptionError, RequestError

if TYPE_CHECKING:
    from feedbench.bench.records.run import RunRecord

_BEGUN = clock.monotonic()  # --time covers everything from here


def run(
    context: typer.Context,
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
    page_cache: cli_options.PageCache = "warm",
    trace: cli_options.Trace = True,
    fresh_interpreter: cli_options.FreshInterpreter = False,
    against: cli_options.Against = None,
    resume: cli_options.Resume = None,
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
      feedbench run ~/photos --page-cache cold
      feedbench run ~/flat --labels labels.csv --classes cats,dogs
      feedbench run ~/dogs-vs-cats/train --labels '^(\\w+)\\.'
      feedbench run ~/photos -p tfdata_tuned --against ~/tensorflow-2.20/bin/python
      feedbench run --resume feedbench-runs/2026-01-31T120000
      feedbench run

    \b
    loader.py holds a function photos(workload) that returns an iterable of (images, labels):
    images [B, height, width, channels] and labels as the options say, by default float32 in
    [0, 1] and [B] int32, every image once. workload has folder, files, labels, class_names,
    formats, height, width, channels, dtype, value_range, label_mode, batch_size and seed.

    Exit codes: 0 measured; 1 a pipeline failed; 2 the request or the input is wrong; 130 Ctrl-C.
    """
    from feedbench.bench.cli import values
    from feedbench.bench.processes.progress import listener

    told, shown = listener(quiet=quiet)
    if resume is not None:
        _refuse_more(context)
        with interruptible(f"interrupted; {resume} can still be gone on with", resume), shown:
            from feedbench.bench.run.run import resume as go_on

            found = go_on(resume, told)
        _end(found, resume, as_json=as_json)
    out = out or values.new_run_folder()
    unmeasured = "interrupted before anything was measured; no run is left of it"
    with interruptible(unmeasured, out), shown:
        options = values.run_options(
            folder=folder or sample_photos(told.said),
            labels=labels,
            classes=classes,
            part=part,
            check=check,
            bad_images=bad_images,
            max_pixels=max_pixels,
            specs=pipeline,
            image_size=image_size,
            channels=channels,
            dtype=dtype,
            value_range=value_range,
            label_mode=label_mode,
            limit=limit,
            batch_size=batch_size,
            seconds=values.seconds(time) if time is not None or blocks is None else None,
            blocks=blocks,
            margin=values.share("--margin", margin),
            seed=seed,
            out=out,
            prepared=prepared or values.prepared_folder(),
            page_cache=values.one_of("--page-cache", page_cache, values.PAGE_CACHES),
            trace=trace,
            fresh_interpreter=fresh_interpreter,
            against=against,
            begun=_BEGUN,
        )
        from feedbench.bench.run.run import perform

        found = perform(options, told)
    _end(found, options.out, as_json=as_json)


def verify(
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
    limit: cli_options.VerifyLimit = "all",
    seed: cli_options.Seed = 0,
    out: cli_options.Sheets = None,
    prepared: cli_options.Prepared = None,
    fresh_interpreter: cli_options.FreshInterpreter = False,
    quiet: cli_options.Quiet = False,
    as_json: cli_options.Json = False,
    debug: cli_options.Debug = False,  # noqa: ARG001 - main() reads it, which sees every error
) -> None:
    """Show whether pipelines deliver the same images, and how well they shuffle; time nothing.

    \b
    Examples:
      feedbench verify ~/photos
      feedbench verify ~/photos -p tfdata_naive -p mine=loader.py:photos --out sheets
      feedbench verify ~/digits --image-size 28 --channels 1 --json

    \b
    Two epochs of each pipeline are laid beside references computed by Pillow and NumPy alone:
    same       every image once with its label, its pixels by TensorFlow's sampling rule
    near       the pixels of Pillow's antialiased filter, as Keras' ImageDataGenerator has them
    different  anything else; the reason is said
    A run does this before it measures, and remembers it; this command looks anew.

    Exit codes: 0 all are same or near; 1 one is different, or failed; 2 the request is wrong.
    """
    from feedbench.bench.cli import values
    from feedbench.bench.processes.progress import listener
    from feedbench.bench.processes.run_folder import refuse_used

    if out is not None:
        refuse_used(out)
    told, shown = listener(quiet=quiet)
    interrupted = "interrupted before every pipeline was compared"
    with interruptible(interrupted, out or Path()), shown, values.sheets_folder(out) as sheets:
        from feedbench.bench.run.verification import verify as compare

        found = compare(
            values.run_options(
                folder=folder or sample_photos(told.said),
                labels=labels,
                classes=classes,
                part=part,
                check=check,
                bad_images=bad_images,
                max_pixels=max_pixels,
                specs=pipeline,
                image_size=image_size,
                channels=channels,
                dtype=dtype,
                value_range=value_range,
                label_mode=label_mode,
                limit=limit,
                batch_size=batch_size,
                seconds=None,
                seed=seed,
                out=sheets,
                prepared=prepared or values.prepared_folder(),
                fresh_interpreter=fresh_interpreter,
            ),
            told,
        )
    if as_json:
        print_json(found)
    else:
        from rich.console import Console

        from feedbench.reports.terminal.verification import show

        show(found, Console(highlight=False), out)
    raise typer.Exit(0 if found.is_equal else 1)


def _refuse_more(context: typer.Context) -> None:
    """Raise RequestError where something is asked for beside to go on with a run."""
    may_be = {"resume", "quiet", "as_json", "debug"}
    for parameter in context.command.params:
        name = parameter.name or ""
        source = context.get_parameter_source(name)
        if name not in may_be and source is not None and source.name == "COMMANDLINE":
            raise RequestError(
                f"--resume goes on with what the run was asked for, and takes nothing else: leave"
                f" out {'FOLDER' if name == 'folder' else parameter.opts[0]}, or start another run"
            )


def _end(found: RunRecord, out: Path, *, as_json: bool) -> NoReturn:
    """Write the page, print the answer, and end with the exit code."""
    page = _page(out)
    _show(found, out, page, as_json=as_json)
    if found.status == "interrupted":
        raise typer.Exit(InterruptionError.exit_code)
    raise typer.Exit(1 if any(row.failures for row in found.rows) else 0)


def _page(out: Path) -> Path | None:
    """Write the run's page; where that fails, say so, for the run itself is safe."""
    try:
        from feedbench.bench.run import benchmark_json
        from feedbench.reports.html import page
        from feedbench.reports.tables import frames

        benchmark_json.write(out, *frames.read(out))
        return page.write(out)
    except KeyboardInterrupt:
        said = unwritten(out, "interrupted")
    except Exception as error:  # noqa: BLE001 - nothing that a library raises may lose the answer
        said = unwritten(out, error)
    print(f"feedbench: {said}", file=sys.stderr)
    return None


def _show(found: Any, out: Path, page: Path | None, *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    from rich.console import Console

    from feedbench.reports.terminal.run import show

    console = Console(highlight=False)
    if found.against is not None:
        from feedbench.bench.records.storage import read_trials
        from feedbench.bench.verdicts.comparison import within
        from feedbench.reports.terminal import comparison

        both = within((str(out), found, read_trials(out)), found.margin)
        comparison.show(both, console)
        console.print()
    show(found, out, console, page)
