from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd
import pytest

from feedbench.bench.records.run import RunRecord
from feedbench.bench.records.trial import TrialRecord
from feedbench.pipelines.errors import RequestError
from feedbench.reports import formats, markdown
from feedbench.reports.html import page
from tests.support.builders import (
    a_row,
    a_run,
    a_run_folder,
    a_trial,
    compared,
    empty_row,
    trials_of,
)

RUN = a_run(a_row("naive"), compared("tuned, fast", 4.5, "faster"), empty_row("mine", "it raised"))
TRIALS = trials_of({"naive": [1000, 1000], "tuned, fast": [4500, 4000]})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return a_run_folder(tmp_path, RUN, TRIALS)


def no_constant(name: str) -> NoReturn:
    raise AssertionError(f"{name} is no JSON")


def test_the_page_and_the_markdown_are_those_of_the_run(folder: Path) -> None:
    assert formats.render("html", folder) == page.render(RUN, TRIALS)
    assert formats.render("markdown", folder) == markdown.render(RUN)


def test_csv_has_a_line_a_pipeline_and_leaves_empty_what_is_missing(folder: Path) -> None:
    text = formats.render("csv", folder)
    frame = pd.read_csv(io.StringIO(text))
    assert list(frame["label"]) == ["naive", "tuned, fast", "mine"]
    assert list(frame["images_per_second"][:2]) == [1000, 4500]
    assert text.splitlines()[3].startswith("mine,mine,0,,,,,,")
    assert "nan" not in text.lower()


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_text_in_csv_is_a_formula_to_a_spreadsheet(first: str, tmp_path: Path) -> None:
    formula = f"{first}=1+1"
    row = compared(formula, 2, "faster", spec=formula, remarks=[formula], knobs={formula: 1})
    text = formats.render("csv", a_run_folder(tmp_path, a_run(a_row("a"), row), []))
    found = list(csv.DictReader(io.StringIO(text)))[1]
    for column in ("label", "spec", "remarks"):
        assert found[column] == f"'{formula.replace(first, ' ') if first.isspace() else formula}"
    assert found["knobs"].startswith("'")
    assert float(found["ratio"]) == 2
    assert len(text.splitlines()) == 3


def test_csv_holds_no_control_characters(tmp_path: Path) -> None:
    run = a_run(a_row("a\x1b[31m"))
    assert r"a\x1b[31m," in formats.render("csv", a_run_folder(tmp_path, run, []))


def test_json_has_the_whole_run_and_every_blocks_rate(folder: Path) -> None:
    found: dict[str, Any] = json.loads(formats.render("json", folder))
    assert found["run"] == json.loads((folder / "run.json").read_bytes())
    assert {"label": "tuned, fast", "block": 2, "control": False, "images_per_second": 4000,
            "ratio": 4} in found["blocks"]  # fmt: skip
    assert len(found["blocks"]) == 6


def test_json_has_null_where_there_is_no_number(tmp_path: Path) -> None:
    run: RunRecord = a_run(empty_row("a", "it raised"), a_row("b", rate_high=math.inf))
    trials: list[TrialRecord] = [a_trial(1, "b")]
    text = formats.render("json", a_run_folder(tmp_path, run, trials))
    found = json.loads(text, parse_constant=no_constant)
    assert found["blocks"][0]["ratio"] is None


def test_a_format_that_there_is_not_is_refused_with_those_that_there_are(folder: Path) -> None:
    with pytest.raises(RequestError, match="--format pdf: expected one of html, markdown, csv, js"):
        formats.render("pdf", folder)
