"""The form that all tables on a terminal have, and their width."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from rich import box
from rich.table import Table

from feedbench.bench.text import WIDTH

if TYPE_CHECKING:
    from rich.console import Console

_ENDLESS = 10_000  # columns
_SHORT_LABEL = 20  # characters that stay on one line

_Column = TypeVar("_Column")


def limit_width(console: Console) -> None:
    """Let a console be no wider than WIDTH; a file, which has no width of its own, has that one."""
    console.width = min(console.width, WIDTH) if console.is_terminal else WIDTH


def fitting(
    made: Callable[[Sequence[_Column]], Table],
    left: Sequence[_Column],
    right: Sequence[_Column],
    console: Console,
) -> list[Table]:
    """Return a table of all these columns, or where there is no room for it, one of each part."""
    whole = made([*left, *right])
    endless = console.options.update(width=_ENDLESS)
    if console.measure(whole, options=endless).maximum <= console.width:
        return [whole]
    return [made(columns) for columns in (left, right) if columns]


def plain_table() -> Table:
    """Return a table of the form that all of ours have, without a column."""
    return Table(
        box=box.SIMPLE_HEAD, padding=(0, 1), collapse_padding=True, pad_edge=False, show_edge=False
    )


def simple_table() -> Table:
    """Return a table of the form that all of ours have, with a column for the pipeline."""
    table = plain_table()
    table.add_column("pipeline", overflow="fold", vertical="bottom")
    return table


def folded(label: str) -> str:
    """Break a long label where a person would: before its knobs."""
    return label if len(label) <= _SHORT_LABEL else label.replace(":", ":\n  ", 1)
