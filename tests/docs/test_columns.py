"""docs/report.md explains every column that the page of a run has."""

from __future__ import annotations

import re
from typing import Any

import pytest

from feedbench.bench.records.diagnosis import Diagnosis
from feedbench.reports.tables import columns
from tests.support.builders import a_run
from tests.support.markdown import ROOT

PAGE = (ROOT / "docs" / "report.md").read_text(encoding="utf-8")
RUN = a_run(diagnosis=Diagnosis())
COLUMNS: tuple[columns.Column[Any], ...] = (
    *columns.SPEED,
    *columns.phases(RUN),
    *columns.RESOURCES,
    *columns.prepared(RUN),
    *columns.reasons(RUN),
    columns.WORK,
    columns.IMAGES,
    columns.COMPARED,
    *columns.FROM_SAMPLED,
    *columns.FROM_FILTERED,
    *columns.SHUFFLE,
)


@pytest.mark.parametrize("title", sorted({each.title for each in COLUMNS} - {""}))
def test_the_column_is_explained(title: str) -> None:
    explained = re.findall(r"^\| ([^|]+) \|", PAGE, re.MULTILINE)
    titles = {part.strip() for cell in explained for part in cell.split(",")}
    assert title in titles | {f"latency {part}" for part in titles}
