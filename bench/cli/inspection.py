"""The command `feedbench inspect`."""

from __future__ import annotations

from feedbench.bench.cli import options
from feedbench.bench.cli.support import interruptible, print_json
from feedbench.bench.options.option import Given, options_of
from feedbench.bench.options.run_options import RunOptions
from feedbench.pipelines.errors import RequestError

_OF_IMAGES = (
    *("labels", "label_column", "classes", "part", "classes_from", "follow_links"),
    *("image_size", "channels", "check", "max_pixels"),
)


@options.takes(options_of(RunOptions, *_OF_IMAGES))
def inspect(
    *,
    folder: options.Inspected,
    given: Given,
    format: options.InspectFormat = "text",  # noqa: A002 - it is the option's name
    quiet: options.Quiet = False,
    debug: options.Debug = False,  # noqa: ARG001 - main() reads it, which sees every error
) -> None:
    """Show what is in a folder of images, and which are bad.

    \b
    Examples:
      feedbench inspect ~/photos
      feedbench inspect ~/photos --check header --format json
      feedbench inspect ~/flat --labels labels.csv --image-size 180x240

    It shows classes, formats, sizes and duplicates, and why each bad image is bad. It checks every
    file, and a run uses the results again. Bad images are no error here.
    """
    from feedbench.bench.images.inspection import inspect as look
    from feedbench.bench.processes.progress import listener

    if format not in {"text", "json"}:
        raise RequestError(f"--format {format!r}: expected text or json")
    progress, shown = listener(quiet=quiet)
    with interruptible("interrupted before every image was checked", folder), shown:
        asked = RunOptions.of({**given, "bad-images": "skip"}, folder)
        inspection = look(
            folder,
            asked.layout,
            asked.checks,
            image_size=asked.image_size,
            channels=asked.channels,
            listener=progress,
        )
    if format == "json":
        print_json(inspection)
        return
    from rich.console import Console

    from feedbench.reports.terminal.inspection import show

    show(inspection, Console(highlight=False))
