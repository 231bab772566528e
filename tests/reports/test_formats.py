from __future__ import annotations

import csv
import io
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd
import pytest

from feedbench.bench.records.run import RunRecord
from feedbench.bench.records.trial import TrialRecord
from feedbench.pipelines.errors import RequestError
from feedbench.reports import formats, latex, markdown
from feedbench.reports.charts import pictures
from feedbench.reports.charts.pictures import Form
from feedbench.reports.html import page
from feedbench.reports.tables import frames
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


def test_the_page_the_markdown_and_the_latex_are_those_of_the_run(folder: Path) -> None:
    assert formats.render("html", folder) == page.render(RUN, TRIALS)
    assert formats.render("markdown", folder) == markdown.render(RUN)
    assert formats.render("latex", folder) == latex.render(RUN)


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


@pytest.mark.parametrize(
    ("given", "file", "name"),
    [
        (None, None, "html"),
        ("csv", None, "csv"),
        (None, "a.HTM", "html"),
        (None, "a.b/x.md", "markdown"),
        (None, "x.tar.tex", "latex"),
        ("png", "x.png", "png"),
        ("markdown", "x.md", "markdown"),
        ("csv", "x", "csv"),  # a name that says nothing
        ("csv", "x.txt", "csv"),
        *((None, f"x.{name}", name) for name in ("html", "csv", "json", "svg", "png", "pdf")),
    ],
)
def test_the_format_is_as_given_or_by_the_ending_of_the_files_name(
    given: str | None, file: str | None, name: str
) -> None:
    assert formats.chosen(given, None if file is None else Path(file)) == name


@pytest.mark.parametrize(
    ("given", "file", "sentence"),
    [
        ("docx", None, "--format docx: expected one of html, markdown, csv, json, latex, svg, pn"),
        (None, "x", "--out x: expected a name that ends in .html, .*, .pdf; found none\n"),
        (None, "x.jpg", "--out x.jpg: expected a name that ends in .*; found .jpg\n"),
        ("csv", "x.png", "--out x.png: expected a name that ends in .csv for --format csv; found"),
        ("html", "x.md", "ends in .html or .htm for --format html; found .md, which is markdown"),
    ],
)
def test_a_name_of_no_format_or_of_another_one_is_refused(
    given: str | None, file: str | None, sentence: str
) -> None:
    with pytest.raises(RequestError, match=sentence):
        formats.chosen(given, None if file is None else Path(file))


@pytest.mark.parametrize("form", formats.PICTURES)
def test_a_picture_of_a_run_without_ratios_is_refused_with_the_reason(
    form: Form, folder: Path, tmp_path: Path
) -> None:
    assert formats.picture(form, folder) == pictures.ratios(RUN, frames.blocks(RUN, TRIALS), form)
    alone = a_run_folder(tmp_path / "R", a_run(a_row("mine")), TRIALS)
    sentence = "R: there are no ratios to draw, because the run has only one pipeline"
    with pytest.raises(RequestError, match=sentence):
        formats.picture(form, alone)


@pytest.mark.parametrize(
    "name",
    [
        "latex",
        *(pytest.param(it, marks=pytest.mark.thorough) for it in ("markdown", "csv", "json")),
    ],
)
def test_matplotlib_is_imported_for_pages_and_pictures_only(name: str, folder: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from feedbench.reports import render;"
        f" assert render({name!r}, Path({str(folder)!r}));"
        " assert 'matplotlib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_format_that_there_is_not_is_refused_with_those_that_there_are(folder: Path) -> None:
    with pytest.raises(RequestError, match="--format docx: expected one of html, markdown, csv, j"):
        formats.render("docx", folder)
