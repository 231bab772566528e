"""A run as a table on a terminal, and the answer below it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Console, OverflowMethod
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from feedbench.reports.sentences import why
from feedbench.reports.sentences.answer import answer, heading, notes
from feedbench.reports.tables import short
from feedbench.reports.terminal.layout import fitting, folded, limit_width, simple_table
from feedbench.reports.text.escaping import visible
from feedbench.reports.text.figures import MISSING

if TYPE_CHECKING:
    from pathlib import Path

    from feedbench.bench.records.row import Row
    from feedbench.bench.records.run import RunRecord
    from feedbench.reports.tables.columns import Column


def show(run: RunRecord, folder: Path, console: Console, page: Path | None = None) -> None:
    """Print the tables, the answer, the notes, and where the page lies, or at least the run."""
    limit_width(console)
    console.print(_text(heading(run), style="bold"))
    for table in _tables(run, console):
        console.print(table)
        console.print()
    console.print(_text(answer(run), style="bold"))
    for note in (*why.in_brief(run), *notes(run)):
        console.print(Padding(_text(note), (0, 0, 0, 2)))
    last = f"The run lies in {folder}" if page is None else f"The report is {page}"
    console.print(_text(last, overflow="fold"))


def _tables(run: RunRecord, console: Console) -> Iterator[Table]:
    """Yield speed, phases with what was used beside them where there is room, preparations."""
    yield _table(run.rows, short.filled(run, short.speed()))
    phases, used = short.phases(run), short.filled(run, short.used())
    yield from fitting(lambda columns: _table(run.rows, columns), phases, used, console)
    prepared = [row for row in run.rows if row.preparation is not None]
    if prepared:
        yield _table(prepared, short.filled(run, short.prepared(run)))


def _text(text: str, style: str = "", overflow: OverflowMethod | None = None) -> Text:
    return Text(visible(text), style=style, overflow=overflow)


def _table(rows: Sequence[Row], columns: Sequence[Column[Row]]) -> Table:
    table = simple_table()
    for column in columns:
        table.add_column(
            column.short,
            justify="left" if column.is_words else "right",
            no_wrap=True,
            vertical="bottom",
        )
    for row in rows:
        cells = [column.cell(row) for column in columns]
        texts = ["" if cell == MISSING else cell for cell in cells]
        table.add_row(Text(folded(visible(row.label))), *map(_text, texts))
    return table
