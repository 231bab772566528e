"""The options of the command line: those of a class of options, and each command's own."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from feedbench.bench.options.option import Option

Folder = Annotated[
    Path | None,
    typer.Argument(help="Photos, one sub-folder a class. Without it: 512 sample photos."),
]
Inspected = Annotated[Path, typer.Argument(metavar="FOLDER", help="Photos.")]
InspectFormat = Annotated[str, typer.Option(metavar="text|json", help="How to print it.")]
Resume = Annotated[
    Path | None,
    typer.Option(
        metavar="RUN",
        help="Go on with a run that was killed or interrupted, as it was asked for: no other option"
        " but --quiet, --json and --debug. Refused where images, workload or software changed.",
    ),
]
Clear = Annotated[bool, typer.Option("--clear", help="Remove all of it.")]
Port = Annotated[
    int, typer.Option(metavar="N", min=0, max=65535, help="Of TensorBoard; 0: any that is free.")
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
Seed = Annotated[int, typer.Option(metavar="N", help="What every random choice follows from.")]


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
        annotation=Annotated[kind, typer.Option(*names, metavar=metavar, help=shown)],
    )
