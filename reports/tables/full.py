"""The tables of a run's page, and their cells. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from feedbench.bench.records.proof import Proof
from feedbench.bench.records.row import Row
from feedbench.bench.records.run import RunRecord
from feedbench.reports.sentences import costs
from feedbench.reports.tables import augmented, columns
from feedbench.reports.tables.columns import Column

_EPOCHS = (1, 3, 10, 30, 100, 1000)

_Of = TypeVar("_Of", Row, Proof)


@dataclass(frozen=True)
class Table:
    """A titled table over some of a run's pipelines."""

    name: str
    title: str
    columns: tuple[Column[Any], ...]
    cells: Mapping[str, tuple[str, ...]]  # by label, in the run's order; one a column


def tables(run: RunRecord, spent: Sequence[costs.Cost] = ()) -> tuple[Table, ...]:
    """Return the tables of a run; that of preparations only if a pipeline has one."""
    rows = {row.label: row for row in run.rows}
    prepared = {label: row for label, row in rows.items() if row.preparation is not None}
    return (
        _table("speed", "Speed", _speed(run), rows),
        *_of_work(run),
        *_of_reasons(run, rows),
        *_of_costs(rows, spent),
        _table("phases", "Phases and batch latency", columns.phases(run), rows),
        _table("resources", "Resources", columns.RESOURCES, rows),
        *(
            [_table("preparation", "Preparation", columns.prepared(run), prepared)]
            if prepared
            else []
        ),
    )


def _table(
    name: str, title: str, candidates: Iterable[Column[_Of]], of: Mapping[str, _Of]
) -> Table:
    """Return the table of the columns that the page shows, with a line for each label."""
    shown = tuple(column for column in candidates if column.title)
    cells = {label: tuple(column.cell(each) for column in shown) for label, each in of.items()}
    return Table(name, title, shown, cells)


def _speed(run: RunRecord) -> Iterator[Column[Row]]:
    """Yield the columns of rates and verdicts; those of the check only with enough blocks."""
    is_checked = any(row.ranks_low is not None for row in run.rows)
    left_out = set() if is_checked else {columns.BY_RANKS}
    if all(row.unaugmented is None for row in run.rows):
        left_out.update(columns.OF_AUGMENTATION)
    return (column for column in columns.SPEED if column not in left_out)


def _of_work(run: RunRecord) -> Iterator[Table]:
    """Yield the tables of delivered images and their order, if anything is known."""
    proofs = {row.label: row.proof for row in run.rows if row.proof is not None}
    if proofs:
        work = (columns.WORK, columns.IMAGES, columns.COMPARED)
        distances = (*columns.FROM_SAMPLED, *columns.FROM_FILTERED)
        first = next((proof.augmented for proof in proofs.values() if proof.augmented), None)
        shown = work if first is not None else (*work, *distances)  # no pixel is where it was
        yield _table("work", "What each delivers", shown, proofs)
        if first is not None:
            transforms = tuple(augmented.columns(first.asked))
            yield _table("augmented", "How each augments", transforms, proofs)
        yield _table("shuffle", "Shuffle", columns.SHUFFLE, proofs)


def _of_reasons(run: RunRecord, rows: Mapping[str, Row]) -> Iterator[Table]:
    """Yield the table of where the time goes, if it was measured."""
    if run.diagnosis is not None:
        yield _table("why", "Stages, ceilings and AUTOTUNE", columns.reasons(run), rows)


def _of_costs(rows: Mapping[str, Row], spent: Sequence[costs.Cost]) -> Iterator[Table]:
    """Yield the table of total times, if any is known."""
    cost_of = {cost.label: cost for cost in spent}
    measured = {label: row for label, row in rows.items() if row.first_epoch_seconds is not None}
    if cost_of:
        totals = [columns.total_time(epochs, cost_of) for epochs in _EPOCHS]
        yield _table("cost", "Total time", totals, measured)
