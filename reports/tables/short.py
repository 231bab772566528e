"""The short tables for a terminal and for a pull request: the columns that fit. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from feedbench.bench.records.row import Row
from feedbench.bench.records.run import RunRecord
from feedbench.reports.tables import columns
from feedbench.reports.tables.columns import Column
from feedbench.reports.text.figures import MISSING

Columns = tuple[Column[Row], ...]


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
