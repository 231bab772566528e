"""A gate's answer on a terminal: the table, the answer, the notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from feedbench.reports.sentences.comparisons.gate import answer, details
from feedbench.reports.terminal.layout import (
    folded,
    put,
    put_note,
    put_path,
    set_width,
    simple_table,
)
from feedbench.reports.text import figures
from feedbench.reports.text.escaping import visible
from feedbench.reports.text.figures import MISSING, shown

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from feedbench.bench.records.checks.gate import GateRecord


def show(gate: GateRecord, console: Console, place: Path) -> None:
    """Print the rates of both loaders, the ratio, the answer, the notes, and where the rest is."""
    set_width(console)
    table = simple_table()
    for title in ("images/s", "ratio", "interval"):
        table.add_column(title, justify="right", no_wrap=True)
    interval = figures.interval(gate.ratio_low, gate.ratio_high, MISSING)
    for arm, cells in ((gate.base, ("", "")), (gate.new, (shown(gate.ratio), interval))):
        table.add_row(Text(folded(visible(arm.spec))), *map(Text, (shown(arm.rate), *cells)))
    put(console, table, "", Text(visible(answer(gate)), style="bold"))
    for note in details(gate):
        put_note(console, Text(visible(note)))
    put_path(console, Text(visible(f"The report is {place}")))
