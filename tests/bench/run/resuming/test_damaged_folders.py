"""Run folders that are damaged: each is refused with a sentence, and left as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from feedbench.bench.run.resuming import past
from feedbench.pipelines.errors import RequestError
from feedbench.reports.tables import frames
from tests.support.builders import a_row, a_run, a_run_folder, trials_of
from tests.support.runs.killed import Killed


def _change(killed: Killed, name: str, **given: Any) -> None:
    file = killed.folder / name
    content = json.loads(file.read_text())
    (content["options"] if name == "resume.json" else content).update(given)
    file.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("name", "given", "reason"),
    [
        ("run.json", {"blocks": -1}, "blocks is -1; expected 0 or more"),
        ("run.json", {"started_at": "yesterday"}, "'yesterday'; expected a date in UTC"),
        ("run.json", {"started_at": "2026-01-01"}, "'2026-01-01'; expected a date in UTC"),
        ("resume.json", {"blocks": -1}, "--blocks -1"),
        ("resume.json", {"specs": []}, "resume.json asks for no pipeline; run.json has mine"),
        ("resume.json", {"seconds": float("nan")}, "NaN is no number"),
        ("resume.json", {"margin": float("inf")}, "Infinity is no number"),
    ],
)
def test_a_resumption_of_what_no_run_has_is_refused(
    killed: Killed, name: str, given: dict[str, Any], reason: str
) -> None:
    _change(killed, name, **given)
    before = (killed.folder / "trials.jsonl").read_bytes()
    with pytest.raises(RequestError) as refused:
        past.read(killed.folder)
    assert reason in refused.value.sentence
    assert (killed.folder / "trials.jsonl").read_bytes() == before


def test_a_resumption_that_would_drop_a_pipeline_is_refused(killed: Killed) -> None:
    killed.change_run(pipelines=a_run(a_row("mine"), a_row("other")).pipelines)
    with pytest.raises(RequestError, match=r"asks for mine; run\.json has "):
        past.read(killed.folder)


@pytest.mark.parametrize(("lines", "block"), [(0, 1), (2, 3)])
def test_trials_that_are_cut_short_are_reported(tmp_path: Path, lines: int, block: int) -> None:
    trials = trials_of({"a": [1000, 1001, 1002, 1003]})[:lines]
    a_run_folder(tmp_path / "R", a_run(a_row("a"), blocks=4, block_seconds=9.0), trials)
    with pytest.raises(RequestError, match=f"cut short: it has no trial of block {block}"):
        frames.read(tmp_path / "R")


def test_a_resumption_of_trials_that_are_cut_short_is_refused(killed: Killed) -> None:
    killed.change_run(block_seconds=9.0)
    (killed.folder / "trials.jsonl").write_bytes(b"")
    with pytest.raises(RequestError, match="cut short: it has no trial of block 1"):
        past.read(killed.folder)
