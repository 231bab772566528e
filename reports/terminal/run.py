"""A run on a terminal: its tables, the answer, how sure it is, and what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from feedbench.reports.sentences import why
from feedbench.reports.sentences.answer import answer, heading, sure_in_brief
from feedbench.reports.sentences.notes import warnings
from feedbench.reports.tables import short
from feedbench.reports.terminal import demand
from feedbench.reports.terminal.layout import (
    fitting,
    folded,
    put,
    put_note,
    put_path,
    set_width,
    simple_table,
)
from feedbench.reports.text.escaping import visible
from feedbench.reports.text.figures import MISSING

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console
    from rich.table import Table

    from feedbench.bench.records.row import Row
    from feedbench.bench.records.run import RunRecord
    from feedbench.reports.tables.columns import Column


def show(run: RunRecord, folder: Path, console: Console, page: Path | None = None) -> None:
    """Print the tables, the answer, notes and advice, and the path of the page or the run.

    What changes nothing for the reader of these tables is on the page only.
    """
    set_width(console)
    put(console, _text(heading(run), style="bold"))
    for table in _tables(run, console):
        put(console, table, "")
    put(console, _text(answer(run), style="bold"))
    if how_sure := sure_in_brief(run):
        put(console, _text(how_sure))
    for note in (
        *why.in_brief(run, shlex.quote(str(folder))),
        *why.failed_traces(run),
        *warnings(run),
    ):
        put_note(console, _text(note))
    if run.demand is not None:
        demand.show(run.demand, console)
    last = f"The run is in {folder}" if page is None else f"The report is {page}"
    put_path(console, _text(last))


def _tables(run: RunRecord, console: Console) -> Iterator[Table]:
    """Yield speed, then phases and resources in one table if there is room, then preparations."""
    yield _table(run.rows, short.filled(run, short.speed()))
    phases, used = short.phases(run), short.filled(run, short.used())
    yield from fitting(lambda columns: _table(run.rows, columns), phases, used, console)
    prepared = [row for row in run.rows if row.preparation is not None]
    if prepared:
        yield _table(prepared, short.filled(run, short.prepared(run)))


def _text(text: str, style: str = "") -> Text:
    return Text(visible(text), style=style)


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
