"""The command line without a command: the version and the short help."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from feedbench.pipelines.errors import RequestError

SHORT_HELP = """\
Feedbench finds the fastest way to feed images to a TensorFlow model.

Examples:
  feedbench run                                     # 512 sample photos
  feedbench run ~/photos                            # one sub-folder per class
  feedbench run ~/photos -p tfdata_tuned -p mine=loader.py:photos

All commands:              feedbench --help
All options of a command:  feedbench run --help
"""


def _print_version(is_asked: bool) -> None:  # noqa: FBT001 - typer calls it so
    if not is_asked:
        return
    from importlib.metadata import version

    print(f"feedbench {version('feedbench')}")
    raise typer.Exit


Version = Annotated[
    bool,
    typer.Option(
        "--version", "-V", callback=_print_version, is_eager=True, help="Show the version and exit."
    ),
]


def top(
    context: typer.Context,
    version: Version = False,  # noqa: ARG001 - its callback has printed it
) -> None:
    """Find the fastest way to feed images to a TensorFlow model on this machine.

    \b
    Examples:
      feedbench run                                     # 512 sample photos
      feedbench run ~/photos                            # one sub-folder per class
      feedbench run ~/photos -p tfdata_tuned -p mine=loader.py:photos
      feedbench inspect ~/photos
      feedbench report feedbench-runs/2026-01-31T120000 --format markdown
    """
    if context.invoked_subcommand is None:
        print(SHORT_HELP, end="", file=sys.stderr)
        raise typer.Exit(RequestError.exit_code)
