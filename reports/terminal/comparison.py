"""A comparison of two runs as a table on a terminal, and the answer below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from feedbench.reports.sentences.comparisons.comparison import TITLES, answer, cells, notes, warning
from feedbench.reports.terminal.layout import folded, put, put_note, set_width, simple_table
from feedbench.reports.text.escaping import visible

if TYPE_CHECKING:
    from rich.console import Console

    from feedbench.bench.verdicts.comparison import Comparison


def show(comparison: Comparison, console: Console) -> None:
    """Print the warning, the table, the answer and the notes."""
    set_width(console)
    loud = warning(comparison)
    if loud is not None:
        put(console, Text(visible(loud), style="bold"), "")
    table = simple_table()
    for title in TITLES:
        table.add_column(title, justify="left" if title == "verdict" else "right", no_wrap=True)
    for pipeline in comparison.pipelines:
        table.add_row(Text(folded(visible(pipeline.label))), *map(Text, cells(pipeline)))
    put(console, table, "", Text(visible(answer(comparison)), style="bold"))
    for note in notes(comparison):
        put_note(console, Text(visible(note)))
