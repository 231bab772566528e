"""The options of the command line, each in one place for all the commands that take it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[
    Path | None,
    typer.Argument(help="Photos, one sub-folder a class. Without it: 512 sample photos."),
]
Pipelines = Annotated[
    list[str] | None,
    typer.Option(
        "--pipeline",
        "-p",
        metavar="[LABEL=]SPEC",
        help="NAME[:knob=value,...] or FILE.py:FUNCTION; give it once for each. The first is the"
        " baseline.  [default: image_data_generator, tfdata_naive, tfdata_tuned:cache=none,"
        " tfdata_tuned, tfrecord_gzip, tfrecord_sharded]",
    ),
]
Inspected = Annotated[Path, typer.Argument(metavar="FOLDER", help="Photos.")]
InspectFormat = Annotated[str, typer.Option(metavar="text|json", help="How to print it.")]
Labels = Annotated[
    str | None,
    typer.Option(
        metavar="CSV|REGEX",
        help="Where the labels stand if not in sub-folders: a file of lines FILE,LABEL, or what to"
        " find in the photos' own names: '^(\\w+)\\.' reads cat in cat.0.jpg.",
    ),
]
Classes = Annotated[
    str | None,
    typer.Option(metavar="A,B", help="The classes to take, in this order.  [default: all]"),
]
Part = Annotated[
    str | None,
    typer.Option(
        metavar="train|validation|test",
        help="Which part of a folder that has these inside, each with sub-folders of its own."
        "  [default: train]",
    ),
]
Check = Annotated[
    str,
    typer.Option(
        metavar="none|header|decode",
        help="How images are looked at beforehand: by name only, by what their headers say, or"
        " decoded by TensorFlow and Pillow, which is remembered.",
    ),
]
BadImages = Annotated[
    str,
    typer.Option(metavar="error|skip", help="Refuse a folder with bad images, or leave them out."),
]
MaxPixels = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Pixels above which an image is bad, and not decoded.  [default: Pillow's own limit,"
        " 89,478,485]",
    ),
]
ImageSize = Annotated[
    str, typer.Option(metavar="N|HxW", help="Pixels, or HEIGHTxWIDTH, that are delivered.")
]
Channels = Annotated[
    str,
    typer.Option(
        metavar="1|3", help="3: RGB. 1: grey, 0.299 R + 0.587 G + 0.114 B of the resized image."
    ),
]
Dtype = Annotated[
    str,
    typer.Option(
        metavar="float32|uint8",
        help="Of the images. uint8: 0..255, rounded, halves to the even number.",
    ),
]
Range = Annotated[
    str | None,
    typer.Option(
        "--range",
        metavar="0..1|-1..1|0..255",
        help="Black and white. -1..1: as MobileNet's preprocess_input; 0..255: for a model that"
        " has a Rescaling layer.  [default: 0..1, or 0..255 for uint8]",
    ),
]
LabelMode = Annotated[
    str,
    typer.Option(
        metavar="int|categorical|binary",
        help="Labels [B] int32; [B, classes] float32, one-hot; or, of 2 classes, [B, 1] float32.",
    ),
]
BatchSize = Annotated[int, typer.Option(metavar="N", help="Images in a batch.")]
Time = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="For everything, from the command to the report: 90s, 5m, 1h.  [default: 5m, or"
        " without end where --blocks is given]",
    ),
]
Blocks = Annotated[
    int | None, typer.Option(metavar="N", help="Exactly so many blocks (verdicts need 4).")
]
Margin = Annotated[
    str, typer.Option(metavar="SHARE", help="What counts as equivalent: 5% is 1/1.05 to 1.05.")
]
Limit = Annotated[
    str | None,
    typer.Option(
        metavar="N|all",
        help="Images to measure, over all classes evenly.  [default: as many as the time allows]",
    ),
]
VerifyLimit = Annotated[
    str | None,
    typer.Option(metavar="N|all", help="Images to compare, over all classes evenly."),
]
Sheets = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="A new folder for contact sheets: images as each pipeline delivers them.  [default:"
        " none are kept]",
    ),
]
Seed = Annotated[int, typer.Option(metavar="N", help="What every random choice follows from.")]
Out = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="A new folder for the run.  [default: feedbench-runs/DATE-TIME]"
    ),
]
Against = Annotated[
    str | None,
    typer.Option(
        metavar="PYTHON",
        help="The Python of another environment that has Feedbench: each pipeline is measured there"
        " too, in the same blocks.",
    ),
]
Resume = Annotated[
    Path | None,
    typer.Option(
        metavar="RUN",
        help="Go on with a run that was killed or interrupted, as it was asked for: no other option"
        " but --quiet, --json and --debug. Refused where images, workload or software changed.",
    ),
]
Prepared = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Where what pipelines write beforehand is kept, and found again.  [default: the"
        " user's cache folder]",
    ),
]
Clear = Annotated[bool, typer.Option("--clear", help="Remove all of it.")]
PageCache = Annotated[
    str,
    typer.Option(
        metavar="warm|cold",
        help="Whether the first epoch of each trial finds its files in memory. cold sends the files"
        " that a pipeline reads out of the page cache first; both are checked.",
    ),
]
Trace = Annotated[
    bool,
    typer.Option(
        "--trace/--no-trace",
        help="After the blocks, within a fifth of --time: traces for TensorBoard, the machine's"
        " ceilings, each step's cost, and advice.",
    ),
]
Port = Annotated[
    int, typer.Option(metavar="N", min=0, max=65535, help="Of TensorBoard; 0: any that is free.")
]
FreshInterpreter = Annotated[
    bool,
    typer.Option("--fresh-interpreter", help="A whole new Python a trial, not a forked one."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]
Json = Annotated[bool, typer.Option("--json", help="Print the run as JSON, not as a table.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show a traceback with an error.")]
BaseRun = Annotated[Path, typer.Argument(metavar="BASE", help="The folder of the run before.")]
NewRun = Annotated[
    Path | None,
    typer.Argument(
        metavar="NEW",
        help="The folder of the run after. Without it, BASE is one that was made with --against.",
    ),
]
Tolerance = Annotated[
    str, typer.Option(metavar="SHARE", help="How much slower a pipeline may become.")
]
ComparePage = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Write a page as well, to send to a colleague."),
]
CompareFormat = Annotated[str, typer.Option(metavar="table|markdown|json", help="How to print it.")]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")]
RunFolders = Annotated[
    list[Path], typer.Argument(metavar="RUN...", help="The folder of a run, or of several.")
]
Format = Annotated[
    str, typer.Option(metavar="html|markdown|csv|json", help="What to render it as.")
]
ReportFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Write to this file.  [default: for html of one run RUN/report.html]"
    ),
]
NewFolder = Annotated[Path, typer.Argument(help="A new folder.")]
Count = Annotated[int, typer.Option(metavar="N", help="Photos, over 5 classes.")]
