"""The command `feedbench verify`."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from feedbench.bench.cli import options
from feedbench.bench.cli.support import images_folder, interruptible, print_json
from feedbench.bench.options.demand_options import DEMAND_FIELDS
from feedbench.bench.options.option import Given, Option, options_of
from feedbench.bench.options.run_options import RunOptions

# Options that are about measuring.
OF_TIMES = {
    "quick",
    "seconds",
    "blocks",
    "until_told",
    "margin",
    "page_cache",
    "trace",
    "against",
    *DEMAND_FIELDS,
    "augment_cost",
}


def _for_verify(option: Option) -> Option:
    """Return an option of a run as `verify` has it."""
    if option.field == "limit":
        sentence = "Compare only N images, spread evenly over all classes."
        return dataclasses.replace(option, default="all", help=sentence)
    if option.field == "out":
        sentence = "A new folder for contact sheets, which show the images that pipelines deliver."
        return dataclasses.replace(option, help=sentence, otherwise="contact sheets are not kept")
    return option


@options.takes(
    [_for_verify(option) for option in options_of(RunOptions) if option.field not in OF_TIMES]
)
def verify(
    *,
    folder: options.Folder = None,
    given: Given,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
) -> None:
    """Check that pipelines deliver the same images; time nothing.

    \b
    Examples:
      feedbench verify ~/photos
      feedbench verify ~/photos -p tfdata_naive -p mine=loader.py:photos
      feedbench verify ~/photos --out sheets
      feedbench verify --records 'train-*.tfrecord'
      feedbench verify ~/digits --image-size 28 --channels 1 --json

    \b
    Two epochs of each pipeline are compared with references. Pillow and NumPy
    alone compute these. The answer for each pipeline is one of:
      same       every image once, with its label; TensorFlow's sampling rule
      near       the pixels of Pillow's antialiased filter, as in Keras'
                 ImageDataGenerator, or of a reduced scale
      accepted   other pixels, no farther than --pixels allows
      augmented  every image once, with its label, transformed as --augment
                 asks
      different  anything else, with the reason

    It also shows how well each pipeline shuffles. A run checks all this before it measures, and
    keeps the results. This command always checks again.

    \b
    Exit codes:
      0  all pipelines are same, near, accepted or augmented
      1  a pipeline is different, or failed
      2  the request or the input is wrong, or the photos changed
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

        photos = images_folder(folder, given, progress.note)
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
    """Provide the folder for contact sheets, or a temporary one if none was named."""
    if asked is not None:
        yield asked
        return
    with tempfile.TemporaryDirectory(prefix="feedbench-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
