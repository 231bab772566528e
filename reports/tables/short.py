"""The short tables for a terminal and for a pull request: the columns that fit. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from feedbench.bench.records.row import Row
from feedbench.bench.records.run import RunRecord
from feedbench.reports.tables import columns
from feedbench.reports.tables.columns import Column
from feedbench.reports.text.figures import MISSING

Columns = tuple[Column[Row], ...]


@dataclass(frozen=True, kw_only=True)
class Table:
    """A titled table, each column's title in one line; the labels are in the first column."""

    title: str
    titles: tuple[str, ...]
    are_words: tuple[bool, ...]  # else figures
    rows: list[tuple[str, ...]]


def tables(run: RunRecord) -> Iterator[Table]:
    """Yield the tables that have anything to show."""
    written = [row for row in run.rows if row.preparation is not None]
    for title, rows, candidates in (
        ("Speed", run.rows, speed()),
        ("Phases", run.rows, phases(run)),
        ("Resources", run.rows, used()),
        ("Preparation", written, prepared(run)),
    ):
        columns = filled(run, candidates)
        if rows and columns:
            yield _table(title, rows, columns)


def _table(title: str, rows: Sequence[Row], columns: Columns) -> Table:
    return Table(
        title=title,
        titles=("pipeline", *(_in_one_line(column.short) for column in columns)),
        are_words=(True, *(column.is_words for column in columns)),
        rows=[(row.label, *(column.cell(row) for column in columns)) for row in rows],
    )


def _in_one_line(title: str) -> str:
    return title.replace("-\n", "").replace("\n", " ").strip()


def speed() -> Columns:
    """Return the columns of speed, and of what is delivered."""
    return _short(columns.SPEED)


def phases(run: RunRecord) -> Columns:
    """Return the columns of phases; if a part was measured, the epoch is extrapolated."""
    return _short(columns.phases(run))


def used() -> Columns:
    """Return the columns of resources."""
    return _short(columns.RESOURCES)


def prepared(run: RunRecord) -> Columns:
    """Return the columns of files written in advance."""
    return _short(columns.prepared(run))


def filled(run: RunRecord, candidates: Columns) -> Columns:
    """Leave out the columns that are empty in every row."""
    return tuple(
        column for column in candidates if any(column.cell(row) != MISSING for row in run.rows)
    )


def _short(candidates: Iterable[Column[Row]]) -> Columns:
    return tuple(column for column in candidates if column.short)
