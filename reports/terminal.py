"""A run as a table on a terminal, and the answer below it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from feedbench.bench.say import WIDTH, digits
from feedbench.reports.answer import answer, heading, notes

if TYPE_CHECKING:
    from pathlib import Path

    from feedbench.bench.results import Row, RunRecord

_ONE_TABLE = 92  # columns below which the phases stand in a table of their own
_SHORT_LABEL = 20  # characters that stay on one line

Column = tuple[str, Callable[["Row"], str]]


def show(run: RunRecord, folder: Path, console: Console) -> None:
    """Print the table, the answer, the notes, and where the run lies."""
    console.width = min(console.width, WIDTH) if console.is_terminal else WIDTH
    console.print(Text(heading(run), style="bold"))
    speed, phases = _speed(), _phases(extrapolated=run.workload.is_part)
    groups = [speed + phases] if console.width >= _ONE_TABLE else [speed, phases]
    for columns in groups:
        console.print(_table(run, columns))
    console.print(Text(answer(run), style="bold"))
    for note in notes(run):
        console.print(Padding(Text(note), (0, 0, 0, 2)))
    console.print(Text(f"The run lies in {folder}", overflow="fold"))


def _speed() -> list[Column]:
    return [
        ("images/s", lambda row: _rate(row.rate)),
        ("± %", _spread),
        ("ratio", lambda row: "" if row.ratio is None else digits(row.ratio)),
        ("interval", _interval),
        ("verdict", lambda row: row.verdict or ""),
    ]


def _phases(*, extrapolated: bool) -> list[Column]:
    def epoch(row: Row) -> str:
        return _seconds(row.folder_epoch_seconds if extrapolated else row.epoch_seconds)

    return [
        ("first\nbatch s", lambda row: _seconds(row.first_batch_seconds)),
        ("first\nepoch s", lambda row: _seconds(row.first_epoch_seconds)),
        ("turn-\nover s", lambda row: _seconds(row.turnover_seconds)),
        ("epoch s", epoch),
    ]


def _table(run: RunRecord, columns: list[Column]) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD, padding=(0, 1), collapse_padding=True, pad_edge=False, show_edge=False
    )
    table.add_column("pipeline", overflow="fold", vertical="bottom")
    for title, _ in columns:
        left = title == "verdict"
        table.add_column(
            title, justify="left" if left else "right", no_wrap=True, vertical="bottom"
        )
    for row in run.rows:
        cells = [value(row) for _, value in columns]
        table.add_row(Text(_folded(row.label)), *map(Text, cells))
    return table


def _folded(label: str) -> str:
    """Break a long label where a person would: before its knobs."""
    return label if len(label) <= _SHORT_LABEL else label.replace(":", ":\n  ", 1)


def _rate(rate: float | None) -> str:
    if rate is None:
        return "failed"
    return digits(rate)


def _spread(row: Row) -> str:
    if row.rate is None or row.rate_low is None or row.rate_high is None:
        return ""
    return f"{(row.rate_high - row.rate_low) / 2 / row.rate:.1%}".removesuffix("%")


def _interval(row: Row) -> str:
    if row.ratio_low is None or row.ratio_high is None:
        return ""
    return f"{digits(row.ratio_low)}-{digits(row.ratio_high)}"


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds:.3f}" if seconds < 1 else digits(seconds)
