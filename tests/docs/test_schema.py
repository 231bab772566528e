"""The tables of keys in docs/run-folder.md name all that a run folder holds, and nothing else."""

from __future__ import annotations

import re

import msgspec
import pytest

from feedbench.bench.records.measurement import Measurement
from feedbench.bench.records.row import Row
from feedbench.bench.records.run import RunRecord, WorkloadRecord
from feedbench.bench.records.trial import SCHEMA, TrialRecord
from feedbench.bench.records.turns import Turn
from tests.support.markdown import ROOT

PAGE = (ROOT / "docs" / "run-folder.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("run.json", RunRecord),
        ("The workload", WorkloadRecord),
        ("A row", Row),
        ("A line of trials.jsonl", TrialRecord),
        ("A measurement", Measurement),
        ("A turn", Turn),
    ],
)
def test_the_table_has_the_keys(title: str, kind: type[msgspec.Struct]) -> None:
    section = PAGE.split(f"\n### {title}\n")[1].split("\n### ")[0]
    cells = re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
    assert sorted(re.findall(r"`(\w+)`", " ".join(cells))) == sorted(kind.__struct_fields__)


def test_the_page_names_the_schema() -> None:
    assert f"a `schema` number, which is {SCHEMA} now" in PAGE
