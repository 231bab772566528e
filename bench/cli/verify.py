"""The command `feedbench verify`."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from feedbench.bench.cli import options
from feedbench.bench.cli.support import interruptible, print_json, sample_photos
from feedbench.bench.options.option import Given, Option, options_of
from feedbench.bench.options.run_options import RunOptions

# What is about measuring.
_OF_TIMES = {"seconds", "blocks", "margin", "page_cache", "trace", "against"}


def _for_verify(option: Option) -> Option:
    """Return an option of a run as it is here."""
    if option.field == "limit":
        sentence = "Images to compare, over all classes evenly."
        return dataclasses.replace(option, default="all", help=sentence)
    if option.field == "out":
        sentence = "A new folder for contact sheets: images as each pipeline delivers them."
        return dataclasses.replace(option, help=sentence, otherwise="none are kept")
    return option


@options.takes(
    [_for_verify(option) for option in options_of(RunOptions) if option.field not in _OF_TIMES]
)
def verify(
    *,
    folder: options.Folder = None,
    given: Given,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
    debug: options.Debug = False,  # noqa: ARG001 - main() reads it, which sees every error
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
    from feedbench.bench.processes.progress import listener
    from feedbench.bench.processes.run_folder import refuse_used

    out = None if given["out"] is None else Path(str(given["out"]))
    if out is not None:
        refuse_used(out)
    progress, shown = listener(quiet=quiet)
    interrupted = "interrupted before every pipeline was compared"
    with interruptible(interrupted, out or Path()), shown, _sheets_folder(out) as sheets:
        from feedbench.bench.run.verification import verify as compare

        photos = folder or sample_photos(progress.note)
        asked = RunOptions.of({**given, "out": str(sheets)}, photos)
        verification = compare(dataclasses.replace(asked, seconds=None), progress)
    if as_json:
        print_json(verification)
    else:
        from rich.console import Console

        from feedbench.reports.terminal.verification import show

        show(verification, Console(highlight=False), out)
    raise typer.Exit(0 if verification.is_equal else 1)


@contextmanager
def _sheets_folder(asked: Path | None) -> Iterator[Path]:
    """Give a folder for contact sheets: the one asked for, or one that goes again."""
    if asked is not None:
        yield asked
        return
    with tempfile.TemporaryDirectory(prefix="feedbench-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
