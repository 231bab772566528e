"""What `feedbench verify` found, as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.text import Text

from feedbench.bench.records.proof import Proof
from feedbench.bench.text import counted
from feedbench.reports.sentences import equal_work
from feedbench.reports.tables import columns
from feedbench.reports.tables.columns import Column
from feedbench.reports.terminal.layout import fitting, folded, limit_width, simple_table
from feedbench.reports.text.escaping import visible

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console
    from rich.table import Table

    from feedbench.bench.records.verification import Verification, Verified

_Columns = Sequence[Column[Proof]]
_SHUFFLE = tuple(column for column in columns.SHUFFLE if column.short)


def show(found: Verification, console: Console, sheets: Path | None = None) -> None:
    """Print the tables, what there is to say of each pipeline, and where the sheets lie."""
    limit_width(console)
    console.print(Text(_heading(found), style="bold"))
    halves: tuple[tuple[_Columns, _Columns], ...] = (
        ((columns.WORK, columns.COMPARED, *columns.FROM_SAMPLED), columns.FROM_FILTERED),
        ((columns.IMAGES, _SHUFFLE[0]), _SHUFFLE[1:]),
    )
    for left, right in halves:
        for table in fitting(lambda which: _table(found, which), left, right, console):
            console.print(table)
            console.print()
    for line in _lines(found):
        console.print(Padding(Text(visible(line)), (0, 0, 0, 2)))
    if sheets is not None:
        console.print(Text(f"The contact sheets lie in {visible(str(sheets))}", overflow="fold"))
    elif not found.is_equal:
        console.print(Text("Give --out DIR to see the images as each pipeline delivers them."))


def _heading(found: Verification) -> str:
    given = found.workload
    classes = counted(len(given.classes), "class", "classes")
    form = f"{given.height}x{given.width}x{given.channels} {given.dtype}"
    return f"{counted(given.images, 'image')} in {classes}, delivered as {form}"


def _table(found: Verification, which: _Columns) -> Table:
    table = simple_table()
    for column in which:
        table.add_column(
            column.short,
            justify="left" if column.is_words else "right",
            no_wrap=column is not columns.IMAGES,  # what is wrong with them may be much
            vertical="bottom",
        )
    for one in found.pipelines:
        table.add_row(Text(folded(visible(one.label))), *_cells(one, which))
    return table


def _cells(one: Verified, which: _Columns) -> list[Text]:
    if one.proof is None:
        return [Text("failed" if column.is_words else "") for column in which]
    return [Text(visible(column.cell(one.proof))) for column in which]


def _lines(found: Verification) -> Iterator[str]:
    for one in found.pipelines:
        if one.proof is None:
            yield f"{one.label} failed: {(one.failure or 'nothing is known of why').rstrip('.')}."
        elif one.proof.reason:
            yield f"{one.label}: {one.proof.work} images: {one.proof.reason}."
    yield from equal_work.of_shuffles((one.label, one.proof) for one in found.pipelines)
