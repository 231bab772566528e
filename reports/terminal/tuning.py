"""The results of `feedbench tune`, as text for a terminal."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from feedbench.bench.text import counted
from feedbench.reports.sentences import tuning as sentences
from feedbench.reports.terminal.layout import (
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
    from rich.console import Console
    from rich.table import Table

    from feedbench.bench.records.tuning.tuning import Rung, TuningRecord


def show(record: TuningRecord, console: Console, out: Path, page: Path | None = None) -> None:
    """Print the rungs, the winner, its gains, and the command, the SPEC and the file to use."""
    set_width(console)
    for number, rung in enumerate(record.rungs, 1):
        title = f"rung {number}, {counted(rung.blocks, 'block')}"
        put(console, Text(title, style="bold"), _table(rung), "")
    put(console, Text(visible(sentences.answer(record)), style="bold"))
    if total := sentences.totals_sentence(record):
        put(console, Text(visible(total)))
    for note in (*sentences.gains(record), *sentences.remarks(record)):
        put_note(console, Text(visible(note)))
    if record.winner is not None:
        put_path(console, Text(f"SPEC:    -p {shlex.quote(record.winner_spec)}"))
        put_path(console, Text(f"Command: {visible(sentences.command(record))}"))
    if record.code:
        put_path(console, Text(f"Code:    {visible(str(out / record.code))}"))
    last = f"The report is {page}" if page is not None else f"The tuning is in {out}"
    put_path(console, Text(visible(last)))


def _table(rung: Rung) -> Table:
    table = simple_table()
    rows = sentences.rows(rung.results)
    kept = [place for place in range(1, 5) if any(row[place].strip(MISSING) for row in rows)]
    for place in kept:
        is_words = place == len(sentences.TITLES) - 1
        table.add_column(
            sentences.TITLES[place], justify="left" if is_words else "right", vertical="bottom"
        )
    for row in rows:
        cells = [Text(visible(row[place])) for place in kept]
        table.add_row(Text(folded(visible(row[0]))), *cells)
    return table
