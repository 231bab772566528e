"""The options of the command line: those of a class of options, and each command's own."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from feedbench.bench.options.option import Option


def _completion(words: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    """Return a function that gives a shell those words that begin as typed."""

    def complete(incomplete: str) -> list[str]:
        return [word for word in words() if word.startswith(incomplete)]

    return complete


def _format(*words: str, otherwise: str = "") -> Any:
    """Return the option for the format of a command's output."""
    return typer.Option(
        metavar="|".join(words),
        help="The output format." + (f"  [default: {otherwise}]" if otherwise else ""),
        autocompletion=_completion(lambda: words),
    )


Folder = Annotated[
    Path | None,
    typer.Argument(
        metavar="FOLDER",
        help="Your images, in one sub-folder per class: a folder, or an address such as"
        " s3://bucket/photos. Without it: 512 sample photos.",
    ),
]
PreparedFolder = Annotated[
    Path,
    typer.Argument(
        metavar="FOLDER",
        help="Your images, in one sub-folder per class: a folder, or an address such as"
        " s3://bucket/photos.",
    ),
]
BeamOptions = Annotated[
    list[str] | None,
    typer.Argument(metavar="[-- OPTIONS]", help="Options of Apache Beam, with --runner beam."),
]
Inspected = Annotated[
    Path | None, typer.Argument(metavar="FOLDER", help="Your images. Give this or --records.")
]
InspectFormat = Annotated[str, _format("text", "json")]
Resume = Annotated[
    Path | None,
    typer.Option(
        metavar="RUN",
        help="Resume a run that was killed or interrupted, with the options that it had. --blocks"
        " +4 or --time +5m adds to it, or to a complete run. Refused if images, workload or"
        " software changed.",
    ),
]
Trust = Annotated[
    bool,
    typer.Option(
        "--trust",
        help="With --resume: run the loaders, the model and the other Python that RUN names, though"
        " RUN was not made by you on this machine.",
    ),
]
PictureFile = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FILE",
        help="A new file for the picture. It ends in .png, .jpg or .webp.",
    ),
]
SameImage = Annotated[
    Path | None,
    typer.Option(
        "--image",
        metavar="FILE",
        help="Show only this image of FOLDER: the original, and what 20 epochs deliver of it.",
    ),
]
Clear = Annotated[bool, typer.Option("--clear", help="Remove all of these files.")]
Port = Annotated[
    int,
    typer.Option(
        metavar="N", min=0, max=65535, help="The port of TensorBoard; 0 is any free port."
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, not a table.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show a traceback with an error.")]
BaseRun = Annotated[Path, typer.Argument(metavar="BASE", help="The folder of the earlier run.")]
NewRun = Annotated[
    Path | None,
    typer.Argument(
        metavar="NEW",
        help="The folder of the later run. Without it, BASE is a run with --against, or --base and"
        " --new name two of its pipelines.",
    ),
]
BaseLabel = Annotated[
    str | None, typer.Option("--base", metavar="LABEL", help="A pipeline of the run BASE.")
]
NewLabel = Annotated[
    str | None,
    typer.Option("--new", metavar="LABEL", help="The pipeline of that run to compare with it."),
]
Tolerance = Annotated[
    str,
    typer.Option(
        metavar="SHARE", help="How much longer an image may take: 5% is a ratio of 0.952."
    ),
]
ComparePage = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Also write a page to share."),
]
CompareFormat = Annotated[str, _format("table", "markdown", "json")]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")]
RunFolders = Annotated[
    list[Path],
    typer.Argument(
        metavar="RUN",
        help="The folders of one run or of several, the folder of a training, or a file of"
        " feedbench.watch.",
    ),
]
ReportFormat = Annotated[
    str | None,
    _format(
        *("html", "markdown", "csv", "json", "latex", "svg", "png", "pdf"),
        otherwise="by the name of --out, or html",
    ),
]
ReportFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Write to this file. It ends in .html, .md, .csv, .json, .tex, .svg, .png or .pdf."
        "  [default: RUN/report.html for html of one run]",
    ),
]
NewFolder = Annotated[Path, typer.Argument(metavar="FOLDER", help="A new folder.")]
Count = Annotated[int, typer.Option(metavar="N", help="The number of photos, in 5 classes.")]
PhotoSize = Annotated[
    str | None,
    typer.Option(
        metavar="WIDTHxHEIGHT",
        help="Size of every photo in pixels, such as 2272x1704.  [default: 200 to 640 a side]",
    ),
]
Seed = Annotated[int, typer.Option(metavar="N", help="The seed of every random choice.")]


def takes(options: Sequence[Option]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command a parameter for each option, for typer to read, in the place of its `given`.

    `given` is then what was typed for each of the options, by its name. All parameters of the
    command are given by name.
    """

    def with_options(command: Callable[..., None]) -> Callable[..., None]:
        parameters: list[inspect.Parameter] = []
        for each in inspect.signature(command, eval_str=True).parameters.values():
            parameters += map(_parameter, options) if each.name == "given" else [each]

        @functools.wraps(command)
        def called(**typed: Any) -> None:
            given = {option.name: typed.pop(option.key) for option in options}
            command(**typed, given=given)

        # typer asks for both.
        called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        called.__annotations__ = {each.name: each.annotation for each in parameters}
        return called

    return with_options


def _parameter(option: Option) -> inspect.Parameter:
    default = option.default
    kind: Any = str if isinstance(default, str) else str | None
    names, metavar, shown = [f"--{option.name}"], option.metavar or None, option.help
    if isinstance(default, bool):
        kind = bool
        names = [f"--{option.name}/--no-{option.name}"] if default else names
    elif isinstance(default, Sequence) and not isinstance(default, str):
        kind, default = list[str] | None, None
    if option.letter:
        names.append(f"-{option.letter}")
    if option.otherwise and not isinstance(default, str):
        shown += f"  [default: {option.otherwise}]"
    return inspect.Parameter(
        option.key,
        inspect.Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[
            kind,
            typer.Option(
                *names, metavar=metavar, help=shown, autocompletion=_completion(option.words)
            ),
        ],
    )
