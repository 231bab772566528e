"""The result of `feedbench scale` as one HTML page that loads nothing from the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from feedbench.bench.records.scaling.scaling import Curve, ScalingRecord
from feedbench.bench.text import capital
from feedbench.reports.charts import scaling as chart
from feedbench.reports.charts.tracks import NARROW, WIDE
from feedbench.reports.html.templating import rendered
from feedbench.reports.sentences import scaling as sentences


@dataclass(frozen=True, kw_only=True)
class Section:
    """One curve of the page."""

    id: str
    title: str
    pictures: list[Markup]  # wide and narrow; none without a rate
    titles: list[tuple[str, str, bool]]
    rows: Sequence[tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class ScalingData:
    """What the page shows."""

    title: str
    answer: str
    pipeline: str
    sections: list[Section]
    notes: Sequence[str]


def render(record: ScalingRecord) -> str:
    """Return the page of a record."""
    return rendered(
        "scaling.html.j2",
        ScalingData(
            title=f"Feedbench: how {record.pipeline} scales",
            answer=sentences.answer(record),
            pipeline=record.pipeline,
            sections=[_section(record, curve) for curve in record.curves],
            notes=sentences.notes(record),
        ),
    )


def _section(record: ScalingRecord, curve: Curve) -> Section:
    drawn = [chart.curve_chart(record, curve, width) for width in (WIDE, NARROW)]
    rows = sentences.rows(curve)
    kept = sentences.titles(rows)
    titles = [sentences.TITLES[place] for place in kept]
    return Section(
        id=curve.axis,
        title=capital(curve.axis),
        pictures=[Markup(each) for each in drawn if each is not None],  # noqa: S704 - of svg.py
        titles=titles,
        rows=[tuple(row[place] for place in kept) for row in rows],
    )
