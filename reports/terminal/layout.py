"""The form and width of all tables on a terminal, and how texts are printed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from rich import box
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from feedbench.bench.text import WIDTH

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_ENDLESS = 10_000  # columns
_SHORT_LABEL = 20  # characters that stay on one line
_LINE_OF_KNOBS = 26  # characters, indent included; a longer knob has a line of its own

_Column = TypeVar("_Column")


def set_width(console: Console) -> None:
    """Let a console be as wide as its terminal; a file, which has no width, gets WIDTH columns."""
    if not console.is_terminal:
        console.width = WIDTH


def put(console: Console, *parts: RenderableType) -> None:
    """Print each part without blanks at the ends of its lines.

    Tables are as wide as the console. Text is at most WIDTH columns wide, or it is hard to read.
    """
    for part in parts:
        width = console.width if isinstance(part, Table) else min(console.width, WIDTH)
        options = console.options.update(width=width)
        for segments in console.render_lines(part, options, pad=False):
            line = Text.assemble(*((segment.text, segment.style or "") for segment in segments))
            line.rstrip()
            console.print(line, soft_wrap=True)


def put_note(console: Console, note: Text) -> None:
    """Print a sentence, indented."""
    put(console, Padding(note, (0, 0, 0, 2)))


def put_path(console: Console, sentence: Text) -> None:
    """Print a sentence that holds a path in one line, so that the path can be copied."""
    console.print(sentence, soft_wrap=True)


def fitting(
    made: Callable[[Sequence[_Column]], Table],
    left: Sequence[_Column],
    right: Sequence[_Column],
    console: Console,
) -> list[Table]:
    """Return one table of all these columns, or one of each part if it does not fit."""
    whole = made([*left, *right])
    endless = console.options.update(width=_ENDLESS)
    if console.measure(whole, options=endless).maximum <= console.width:
        return [whole]
    return [made(columns) for columns in (left, right) if columns]


def plain_table() -> Table:
    """Return a table in Feedbench's form, without a column."""
    return Table(
        box=box.SIMPLE_HEAD, padding=(0, 1), collapse_padding=True, pad_edge=False, show_edge=False
    )


def simple_table() -> Table:
    """Return a table in Feedbench's form, with a column for the pipeline."""
    table = plain_table()
    table.add_column("pipeline", overflow="fold", vertical="bottom")
    return table


def folded(label: str) -> str:
    """Break a long label before its knobs, and between them if there are many."""
    name, colon, knobs = label.partition(":")
    if len(label) <= _SHORT_LABEL or not colon:
        return label
    lines = [f"{name}:", ""]
    for knob in knobs.replace(",", ",\n").split("\n"):
        if lines[-1] and len(lines[-1]) + len(knob) > _LINE_OF_KNOBS:
            lines.append("")
        lines[-1] = f"{lines[-1] or '  '}{knob}"
    return "\n".join(lines)
