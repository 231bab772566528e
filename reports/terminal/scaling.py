"""The results of `feedbench scale`, as text for a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from feedbench.reports.sentences import scaling as sentences
from feedbench.reports.terminal.layout import (
    plain_table,
    put,
    put_note,
    put_path,
    set_width,
)
from feedbench.reports.text.escaping import visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from feedbench.bench.records.scaling.scaling import Curve, ScalingRecord


def show(record: ScalingRecord, console: Console, page: Path) -> None:
    """Print the answer, a table of each curve, the notes, and where the page is."""
    set_width(console)
    for curve in record.curves:
        put(console, _table(curve), "")
    put(console, Text(visible(sentences.answer(record)), style="bold"))
    for note in sentences.notes(record):
        put_note(console, Text(visible(note)))
    put_path(console, Text(visible(f"The report is {page}")))


def _table(curve: Curve) -> Table:
    """Return a table. What is computed is in parentheses, has a ~, and is faint."""
    table = plain_table()
    rows = sentences.rows(curve)
    kept = sentences.titles(rows)
    for place in kept:
        title, unit, is_words = sentences.TITLES[place]
        heading = f"{title}\n{unit}" if unit else title or curve.axis
        table.add_column(heading, justify="left" if is_words else "right", vertical="bottom")
    for row in rows:
        is_computed = row[0].startswith("(")
        style = "dim" if is_computed else ""
        table.add_row(*(Text(visible(row[place])) for place in kept), style=style)
    return table
