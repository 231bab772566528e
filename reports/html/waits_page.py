"""A watched training as one HTML page that loads nothing from the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from feedbench.bench.records.trainings.watch import WatchRecord
from feedbench.bench.watching.sentence import apart, sentence
from feedbench.reports.charts import waits as chart
from feedbench.reports.charts.tracks import NARROW, WIDE
from feedbench.reports.html.templating import rendered
from feedbench.reports.sentences.trainings import waits


@dataclass(frozen=True, kw_only=True)
class WaitsData:
    """What the page of a watched training shows."""

    title: str
    file: str
    answer: str
    apart: str
    pictures: list[Markup]  # wide and narrow; none without a step
    wait_colour: str
    work_colour: str
    titles: list[tuple[str, str, bool]]
    rows: Sequence[tuple[str, ...]]
    notes: Sequence[str]


def render(record: WatchRecord, file: Path) -> str:
    """Return the page of a record that was read from `file`."""
    drawn = [chart.waits(record, width) for width in (WIDE, NARROW)]
    return rendered(
        "waits.html.j2",
        WaitsData(
            title=f"Feedbench: the waits of {record.name}",
            file=file.name,
            answer=sentence(record),
            apart=apart(record),
            # Escaped in svg.py.
            pictures=[Markup(each) for each in drawn if each is not None],  # noqa: S704
            wait_colour=chart.WAIT,
            work_colour=chart.WORK,
            titles=[(title, unit, title == "epoch") for title, unit in waits.TITLES],
            rows=waits.rows(record),
            notes=waits.notes(record),
        ),
    )
