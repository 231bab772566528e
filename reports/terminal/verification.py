"""The result of `feedbench verify`, as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from feedbench.bench.records.proof import Proof
from feedbench.bench.text import counted
from feedbench.reports.sentences import equal_work, facts
from feedbench.reports.sentences.augmentation import augmented
from feedbench.reports.tables import columns
from feedbench.reports.tables.columns import Column
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

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console
    from rich.table import Table

    from feedbench.bench.records.checks.verification import Verification, Verified

_Columns = Sequence[Column[Proof]]
_SHUFFLE = tuple(column for column in columns.SHUFFLE if column.short)


def show(verification: Verification, console: Console, sheets: Path | None = None) -> None:
    """Print the tables, a line for each pipeline that needs one, and where the sheets are."""
    set_width(console)
    put(console, Text(_heading(verification), style="bold"))
    proofs = [pipeline.proof for pipeline in verification.pipelines]
    is_augmented = any(proof.augmented is not None for proof in proofs if proof is not None)
    pixels = (columns.WORK, columns.COMPARED, *columns.FROM_SAMPLED), columns.FROM_FILTERED
    order = (columns.IMAGES, _SHUFFLE[0]), _SHUFFLE[1:]
    halves: tuple[tuple[_Columns, _Columns], ...] = (
        (((columns.WORK, *order[0]), order[1]),) if is_augmented else (pixels, order)
    )
    for left, right in halves:
        for table in fitting(lambda which: _table(verification, which), left, right, console):
            put(console, table, "")
    for line in _lines(verification):
        put_note(console, Text(visible(line)))
    if sheets is not None:
        put_path(console, Text(f"The contact sheets are in {visible(str(sheets))}"))
    elif not verification.is_equal:
        put(console, Text("Give --out DIR to see the images as each pipeline delivers them."))


def _heading(verification: Verification) -> str:
    given = verification.workload
    classes = counted(len(given.classes), "class", "classes")
    images = counted(given.images, "image")
    other = "" if given.split is None else f" ({given.split.other})"
    return f"{images}{given.purpose} in {classes}{other}, delivered as {facts.form(given)}"


def _table(verification: Verification, which: _Columns) -> Table:
    table = simple_table()
    for column in which:
        table.add_column(
            column.short,
            justify="left" if column.is_words else "right",
            no_wrap=column is not columns.IMAGES,  # what is wrong with them may be much
            vertical="bottom",
        )
    for pipeline in verification.pipelines:
        table.add_row(Text(folded(visible(pipeline.label))), *_cells(pipeline, which))
    return table


def _cells(pipeline: Verified, which: _Columns) -> list[Text]:
    if pipeline.proof is None:
        return [Text("failed" if column.is_words else "") for column in which]
    return [Text(visible(column.cell(pipeline.proof))) for column in which]


def _lines(verification: Verification) -> Iterator[str]:
    for pipeline in verification.pipelines:
        if pipeline.proof is None:
            why = pipeline.failure or "it is not known why"
            yield f"{pipeline.label} failed: {why.rstrip('.')}."
        elif pipeline.proof.reason:
            yield f"{pipeline.label}: {pipeline.proof.work} images: {pipeline.proof.reason}."
    proofs = [(pipeline.label, pipeline.proof) for pipeline in verification.pipelines]
    yield from augmented.of_transforms(proofs)
    yield from equal_work.of_forms(proofs)
    yield from equal_work.of_shuffles(proofs)
