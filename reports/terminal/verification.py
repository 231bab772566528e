"""What `feedbench verify` found, as text for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.text import Text

from feedbench.bench.records.proof import Proof
from feedbench.bench.text import WIDTH, counted
from feedbench.reports.sentences import equal_work
from feedbench.reports.terminal.run import fitting, folded, simple_table
from feedbench.reports.text.escaping import visible

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console
    from rich.table import Table

    from feedbench.bench.records.verification import Verification, Verified

Column = tuple[str, Callable[[Proof], str]]


def show(found: Verification, console: Console, sheets: Path | None = None) -> None:
    """Print the tables, what there is to say of each pipeline, and where the sheets lie."""
    console.width = min(console.width, WIDTH) if console.is_terminal else WIDTH
    console.print(Text(_heading(found), style="bold"))
    for left, right in ((_SAMPLED, _FILTERED), (_IMAGES, _ORDER)):
        for table in fitting(lambda columns: _table(found, columns), left, right, console):
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


def _table(found: Verification, columns: Sequence[Column]) -> Table:
    table = simple_table()
    for title, _ in columns:
        table.add_column(
            title,
            justify="left" if title in _WORDS else "right",
            no_wrap=title != "images",  # what is wrong with them may be much
            vertical="bottom",
        )
    for one in found.pipelines:
        table.add_row(Text(folded(visible(one.label))), *(_cells(one, columns)))
    return table


def _cells(one: Verified, columns: Sequence[Column]) -> list[Text]:
    if one.proof is None:
        return [Text("failed" if title in _WORDS else "") for title, _ in columns]
    return [Text(visible(cell(one.proof))) for _, cell in columns]


def _lines(found: Verification) -> Iterator[str]:
    for one in found.pipelines:
        if one.proof is None:
            yield f"{one.label} failed: {(one.failure or 'nothing is known of why').rstrip('.')}."
        elif one.proof.reason:
            yield f"{one.label}: {one.proof.work} images: {one.proof.reason}."
    yield from equal_work.of_shuffles((one.label, one.proof) for one in found.pipelines)


def _from(reference: str, figure: str) -> Callable[[Proof], str]:
    return lambda proof: equal_work.distance(getattr(getattr(proof, reference), figure, None))


_WORDS = {"work", "images"}
_SAMPLED: tuple[Column, ...] = (
    ("work", lambda proof: proof.work),
    ("images\ncompared", lambda proof: f"{proof.compared:,}"),
    ("from Tensor-\nFlow's rule", _from("from_sampled", "mean")),
    ("\n99%", _from("from_sampled", "p99")),
    ("worst\nimage", _from("from_sampled", "worst")),
)
_FILTERED: tuple[Column, ...] = (
    ("from Pil-\nlow's filter", _from("from_filtered", "mean")),
    ("\n99%", _from("from_filtered", "p99")),
    ("worst\nimage", _from("from_filtered", "worst")),
)
_IMAGES: tuple[Column, ...] = (
    ("images", equal_work.images),
    ("shuffle", equal_work.shuffled),
)
_ORDER: tuple[Column, ...] = (
    ("order:\nlist", lambda proof: equal_work.correlation(proof.shuffle.with_list)),
    ("neigh-\nbours", lambda proof: equal_work.correlation(proof.shuffle.with_neighbour)),
    ("next\nepoch", lambda proof: equal_work.correlation(proof.shuffle.with_next_epoch)),
    ("classes\nin a batch", lambda proof: equal_work.figure(proof.shuffle.batch_classes)),
    ("by\nchance", lambda proof: equal_work.figure(proof.shuffle.batch_classes_by_chance)),
)
