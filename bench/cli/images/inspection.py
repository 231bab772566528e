"""The command `feedbench inspect`."""

from __future__ import annotations

from pathlib import Path

from feedbench.bench.cli import options
from feedbench.bench.cli.support import images_folder, interruptible, print_json
from feedbench.bench.options.option import Given, options_of
from feedbench.bench.options.run_options import RunOptions
from feedbench.pipelines.errors import RequestError

_OF_IMAGES = (
    *("records", "image_key", "label_key", "prepared"),
    *("labels", "label_column", "classes", "part", "classes_from", "follow_links"),
    *("image_size", "channels", "check", "max_pixels"),
)


@options.takes(options_of(RunOptions, *_OF_IMAGES))
def inspect(
    *,
    folder: options.Inspected = None,
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
      feedbench inspect --records 'train-*.tfrecord'

    It shows classes, formats, sizes and duplicates, and why each bad image is bad. It checks every
    file, and later runs reuse the results. Bad images are not an error here.
    """
    from feedbench.bench.images.inspection import inspect as look
    from feedbench.bench.processes.progress import listener
    from feedbench.bench.run.images_source import list_images, with_images

    if format not in {"text", "json"}:
        raise RequestError(f"--format {format!r}: expected text or json")
    if folder is None and given["records"] is None:
        raise RequestError(
            "expected a FOLDER of images, or --records; found neither",
            hint="name the folder, such as feedbench inspect ~/photos",
        )
    progress, shown = listener(quiet=quiet)
    interrupted = "interrupted before every image was checked"
    with interruptible(interrupted, folder or Path()), shown:
        photos = images_folder(folder, given, progress.note)
        asked = RunOptions.of({**given, "bad-images": "skip"}, photos)
        with with_images(asked, progress) as located:
            inspection = look(
                located.folder,
                located.layout,
                located.checks,
                image_size=located.image_size,
                channels=located.channels,
                listener=progress,
                listed=None if located.records is None else list_images(located, progress),
            )
    if format == "json":
        print_json(inspection)
        return
    from rich.console import Console

    from feedbench.reports.terminal.inspection import show

    show(inspection, Console(highlight=False))
