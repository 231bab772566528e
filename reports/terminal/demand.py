"""A model and its input on a terminal: a table, and the sentences below it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from rich.text import Text

from feedbench.bench.text import capital
from feedbench.reports.sentences.demand import scaling, waiting
from feedbench.reports.terminal.layout import folded, put, put_note, simple_table
from feedbench.reports.text.escaping import visible
from feedbench.reports.text.figures import MISSING

if TYPE_CHECKING:
    from rich.console import Console

    from feedbench.bench.records.demand.demand import Demand


def show(demand: Demand, console: Console) -> None:
    """Print for which pipelines the model waits, the cheapest that is enough, and the curves."""
    rows = waiting.cells(demand)
    filled = [
        place
        for place in range(len(waiting.TITLES))
        if place == 0 or any(cells[place] != MISSING for cells in rows)
    ]
    if rows:
        table = simple_table()
        for title in (waiting.TITLES[place] for place in filled[1:]):
            justify: Literal["left", "right"] = "left" if title in waiting.WORDS else "right"
            table.add_column(title, justify=justify, no_wrap=True)
        for cells in rows:
            texts = [folded(visible(cells[0])), *(cells[place] for place in filled[1:])]
            table.add_row(*(Text("" if text == MISSING else text) for text in texts))
        put(console, "", table, "")
    if how := waiting.in_brief(demand):
        put_note(console, Text(f"{capital(how)}."))
    if demand.model is None:
        texts = waiting.notes(demand)
    else:
        texts = [waiting.takes(demand), *waiting.feeders(demand), *waiting.cheapest(demand)]
        put(console, Text(visible(" ".join(filter(None, texts))), style="bold"))
        texts = [*scaling.sentences(demand), waiting.source(demand), *waiting.notes(demand)]
    for text in filter(None, texts):
        put_note(console, Text(visible(text)))
