"""A watched training on a terminal: the sentence, and a table of its epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from feedbench.bench.watching.sentence import report
from feedbench.reports.sentences.trainings.waits import TITLES, rows
from feedbench.reports.terminal.layout import plain_table, put, set_width
from feedbench.reports.text.escaping import visible

if TYPE_CHECKING:
    from rich.console import Console

    from feedbench.bench.records.trainings.watch import WatchRecord


def show(record: WatchRecord, console: Console) -> None:
    """Print the sentence and the table."""
    set_width(console)
    put(console, Text(visible(report(record)), style="bold"))
    if not record.epochs:
        return
    table = plain_table()
    for title, unit in TITLES:
        table.add_column(f"{title}\n{unit}" if unit else title, justify="right", vertical="bottom")
    for cells in rows(record):
        table.add_row(*cells)
    put(console, "", table)
