"""The pages that are made from the code, never by hand: a hook of MkDocs."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from mkdocs.structure.files import File, Files

from feedbench.bench.cli.app import app
from feedbench.pipelines import catalog, knobs

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig

_ROOT = Path(__file__).parents[1]
_COLUMNS = 80


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages to those of the folder."""
    pages = {
        "pipelines.md": pipelines(),
        "cli.md": command_line(),
        "contributing.md": _root_page("CONTRIBUTING.md"),
        "changelog.md": _root_page("CHANGELOG.md"),
    }
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    return files


def pipelines() -> str:
    """Return the page of all built-in pipelines with their knobs."""
    return "\n".join(_pipelines())


def _pipelines() -> Iterator[str]:
    yield (_ROOT / "docs" / "parts" / "pipelines.md").read_text(encoding="utf-8")
    for name in (*catalog.BUILT_IN, *catalog.PEERS):
        kind = catalog.built_in(name)
        yield f"\n## {name}\n"
        yield inspect.cleandoc(kind.__doc__ or "") + "\n"
        yield "| Knob | Default | Meaning | Values |"
        yield "|---|---|---|---|"
        for knob in knobs.knobs_of(kind):
            yield f"| `{knob.name}` | `{knob.default}` | {knob.meaning} | {knob.accepts} |"


def command_line() -> str:
    """Return the page of all commands, as their `--help` has them."""
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    # Click hands the names of the help option on to commands, but not to a context made here.
    names = group.context_settings["help_option_names"]
    context = typer.Context(
        group, info_name="feedbench", max_content_width=_COLUMNS, help_option_names=names
    )
    parts = ["# The command line\n", _as_text(group.get_help(context))]
    for name, command in sorted(group.commands.items()):
        parent = typer.Context(command, info_name=name, parent=context, max_content_width=_COLUMNS)
        parts += [f"\n## feedbench {name}\n", _as_text(command.get_help(parent))]
    return "\n".join(parts)


def _as_text(text: str) -> str:
    return f"```text\n{text.rstrip()}\n```"


def _root_page(name: str) -> str:
    return (_ROOT / name).read_text(encoding="utf-8")
