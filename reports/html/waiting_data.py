"""What the page of a run shows of a model and its input. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from feedbench.bench.records.run import RunRecord
from feedbench.bench.text import capital
from feedbench.reports.charts import demand as chart
from feedbench.reports.sentences.demand import scaling, tables, waiting

Titles = Sequence[tuple[str, str, bool]]
"""Each column's title and unit, and whether it holds words."""

Rows = Sequence[tuple[str, ...]]
"""Each row's label and cells."""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Whether a model waits, how busy each pipeline keeps one, and what it would take."""

    answer: str
    how: str  # it was measured
    titles: Titles
    rows: Rows
    marks: list[str]
    curve_titles: Titles
    curves: Rows
    remedy_titles: Titles
    remedies: Rows
    core_titles: Titles
    cores: Rows
    law_is_checked: bool  # by more numbers of cores than the law has parameters
    notes: list[str]


def waiting_of(run: RunRecord) -> Waiting | None:
    """Return what a run shows of a model and its input; None: neither was requested."""
    demand = run.demand
    if demand is None:
        return None
    remedies = tables.remedies_of(run)
    how = waiting.in_brief(demand)
    failures = [f"{row.label}: {why}" for row in demand.rows for why in row.failures]
    return Waiting(
        answer=" ".join(waiting.answer(demand)),
        how=f"{capital(how)}." if how else "",
        titles=tables.TITLES,
        rows=tables.rows(demand),
        marks=[
            f"{each.name}, {each.value:,.0f} images/s{each.source}" for each in chart.marks(run)
        ],
        curve_titles=tables.CURVE_TITLES,
        curves=tables.curve_rows(demand),
        remedy_titles=tables.REMEDY_TITLES,
        remedies=tables.remedy_rows(remedies),
        core_titles=scaling.titles(demand.cores),
        cores=scaling.rows(demand.cores),
        law_is_checked=scaling.has_misfit(demand.cores),
        notes=[*filter(None, [waiting.source(demand)]), *waiting.notes(demand), *failures],
    )
