"""The command `feedbench show`."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import typer

from feedbench.bench.cli import options
from feedbench.bench.cli.support import images_folder, interruptible
from feedbench.bench.cli.verify import OF_TIMES
from feedbench.bench.options.option import Given, Option, options_of
from feedbench.bench.options.run_options import RunOptions
from feedbench.pipelines.errors import RequestError

_IMAGES = "200"  # that pipelines open; the first 25 are shown


_OTHERS = {"out", "one_at_a_time", "fresh_interpreter", "pixels"}  # of a comparison, or measuring


def _for_show(option: Option) -> Option:
    """Return an option of a run as `show` has it."""
    if option.field == "limit":
        sentence = "Deliver only N images, spread evenly over all classes. The first 25 are shown."
        return dataclasses.replace(option, default=_IMAGES, help=sentence)
    return option


@options.takes(
    [
        _for_show(option)
        for option in options_of(RunOptions)
        if option.field not in OF_TIMES | _OTHERS
    ]
)
def show(
    *,
    folder: options.Folder = None,
    out: options.PictureFile = None,
    image: options.SameImage = None,
    given: Given,
    quiet: options.Quiet = False,
) -> None:
    """Draw the images that pipelines deliver.

    \b
    Examples:
      feedbench show ~/photos -p tfdata_tuned --out batch.png
      feedbench show ~/photos -p tfdata_tuned -p mine=loader.py:photos --out b.png
      feedbench show ~/photos --augment flip,rotate=20 --out augmented.png
      feedbench show ~/photos --augment zoom=0.2 --image roses/1.jpg --out 1.png

    The picture shows the first 25 images of an epoch with their class names. Several pipelines are
    next to each other in one picture. Whatever --range, --layout and --dtype are, the picture shows
    colours.

    --image shows one image: the original, and what each of 20 epochs delivers of it. Augmentation
    by a layer of the model, augment_in=model, is in no picture.

    \b
    Exit codes:
      0  every pipeline is in the picture
      1  a pipeline failed; the picture shows the others
      2  the request or the input is wrong, or the photos changed
    """
    from feedbench.bench import files
    from feedbench.bench.processes.progress import listener

    file = _new_picture(out)
    progress, shown = listener(quiet=quiet)
    with interruptible("interrupted before the picture was drawn", file), shown:
        from feedbench.bench.pictures.drawing import encoded
        from feedbench.bench.run.pictures import picture_of

        photos = images_folder(folder, given, progress.note)
        asked = dataclasses.replace(RunOptions.of(given, photos), seconds=None)
        drawn = picture_of(asked, image, progress)
        files.replace(file, encoded(drawn.picture, file.suffix.lower()))
    print(file)
    raise typer.Exit(1 if drawn.failures else 0)


def _new_picture(out: Path | None) -> Path:
    """Return the file to write. Raises RequestError if no picture can be written there."""
    from feedbench.bench.pictures.drawing import SUFFIXES

    if out is None:
        raise RequestError(
            "expected --out FILE for the picture", hint="add --out FILE, such as --out batch.png"
        )
    if out.suffix.lower() not in SUFFIXES:
        raise RequestError(
            f"--out {out}: expected a name that ends in {', '.join(SUFFIXES)}",
            hint=f"such as --out {out.with_suffix('.png').name}",
        )
    if os.path.lexists(out):
        raise RequestError(
            f"--out {out}: it exists; expected a new file",
            hint="remove it, or name another file",
        )
    if not out.absolute().parent.is_dir():
        raise RequestError(
            f"--out {out}: there is no folder {out.parent}",
            hint="name a file in a folder that exists",
        )
    return out
