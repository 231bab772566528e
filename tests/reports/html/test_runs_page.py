"""Several runs side by side on one page."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from msgspec.structs import replace

from feedbench.bench.records.run import RunRecord
from feedbench.bench.records.trial import TrialRecord
from feedbench.pipelines.errors import RequestError
from feedbench.reports.html import runs_page
from feedbench.reports.text.figures import MISSING
from tests.support.builders import (
    SCRIPT,
    a_row,
    a_run,
    a_run_folder,
    compared,
    empty_row,
    trials_of,
)
from tests.support.html.drawings import numbers
from tests.support.html.reader import Reader, without_own_scripts

Run = tuple[str, RunRecord, list[TrialRecord]]


def a_named(name: str, ratio: float, **given: object) -> Run:
    run = a_run(a_row("naive"), compared("tuned", ratio, "faster"), best=["tuned"])
    trials = trials_of({"naive": [1000] * 4, "tuned": [round(1000 * ratio)] * 4})
    return name, replace(run, **given), trials


LAPTOP = a_named("laptop", 2.0)
SERVER = a_named("server", 8.0, margin=0.1)


def charts(text: str) -> list[str]:
    return re.findall(r"<svg.*?</svg>", text, re.DOTALL)


def test_each_run_has_its_charts_on_one_scale_with_one_colour_a_pipeline() -> None:
    found = charts(runs_page.render([LAPTOP, SERVER]))
    assert len(found) == 4
    ratios, rates = found[:2], found[2:]
    for pair, last in ((ratios, 5), (rates, 7500)):  # of scales to 8 and to 8,000
        assert numbers(pair[0]) == numbers(pair[1])
        assert max(numbers(pair[0])) == last
        colours = [set(re.findall(r"#[0-9a-f]{6}(?=;)", svg)) for svg in pair]
        assert colours[0] == colours[1]
    for svg in found:
        ET.fromstring(svg)


def test_ratios_rates_cpu_time_and_first_batches_are_next_to_each_other_run_by_run() -> None:
    used = a_row("tuned", 2000, cpu_seconds_per_1000_images=1.056, first_batch_seconds=0.25)
    other = ("other", replace(LAPTOP[1], rows=[LAPTOP[1].rows[0], used]), LAPTOP[2])
    tables = Reader(runs_page.render([LAPTOP, SERVER, other])).tables
    titles = ["pipeline", "laptop", "server", "other"]
    assert tables["beside"] == [
        titles,
        ["naive", "1 the baseline", "1 the baseline", "1 the baseline"],
        ["tuned", "2.00 1.96-2.04, faster", "8.00 7.84-8.16, faster", f"{MISSING} no verdict"],
    ]
    assert tables["rate"] == [
        titles,
        ["naive", "1,000 ± 2.0%", "1,000 ± 2.0%", "1,000 ± 2.0%"],
        ["tuned", "2,000 ± 2.0%", "8,000 ± 2.0%", "2,000 ± 2.0%"],
    ]
    assert tables["cpu"][2] == ["tuned", MISSING, MISSING, "1.06"]
    assert tables["first-batch"][2] == ["tuned", "0.532", "0.532", "0.250"]


def test_a_pipeline_that_a_run_has_not_or_that_failed_there_is_said_to_be_that() -> None:
    run = a_run(a_row("naive"), empty_row("mine", "it raised"))
    rows = Reader(runs_page.render([LAPTOP, ("other", run, [])])).tables["beside"]
    assert rows[2][2] == f"{MISSING} not in this run"
    assert rows[3][1:] == [f"{MISSING} not in this run", f"{MISSING} failed"]
    rates = Reader(runs_page.render([LAPTOP, ("other", run, [])])).tables["rate"]
    assert rates[3][1:] == [f"{MISSING} not in this run", f"{MISSING} failed"]


def test_what_differs_is_told_and_what_does_not_is_not() -> None:
    machine = replace(
        LAPTOP[1].environment, processor="another", packages={"numpy": "2.4.6", "keras": "3.9"}
    )
    other = ("server", replace(LAPTOP[1], environment=machine, margin=0.1), LAPTOP[2])
    rows = Reader(runs_page.render([LAPTOP, other])).tables["differences"]
    assert rows[1:] == [
        ["margin", "5%", "10%"],
        ["processor", "a processor", "another"],
        ["keras", MISSING, "3.9"],
    ]
    same = runs_page.render([LAPTOP, LAPTOP])
    assert "differences" not in Reader(same).tables
    assert "Nothing that is checked: photos, delivered images" in same


def test_a_label_that_names_another_pipeline_there_is_told() -> None:
    name, run, trials = LAPTOP
    mine = replace(run, rows=[run.rows[0], replace(run.rows[1], spec="mine.py:photos")])
    rows = Reader(runs_page.render([LAPTOP, (name, mine, trials)])).tables["differences"]
    assert rows[1:] == [["tuned", "tuned", "mine.py:photos"]]


def test_a_run_without_a_ratio_has_its_place_and_says_so() -> None:
    alone = ("alone", a_run(a_row("mine")), trials_of({"mine": [1000] * 4}))
    nothing: Run = ("nothing", a_run(blocks=0, control=None), [])
    text = runs_page.render([LAPTOP, alone, nothing])
    assert len(charts(text)) == 3
    assert text.count("No ratios: ") == 2
    assert "No ratios: the run has only one pipeline." in text
    assert "No ratios: nothing was measured." in text
    assert "No rates: nothing was measured." in text


def test_nothing_of_a_name_is_read_as_markup() -> None:
    run = a_run(a_row("a"), compared(SCRIPT, 2, "faster"), best=[SCRIPT])
    text = runs_page.render([(SCRIPT, run, trials_of({"a": [1000], SCRIPT: [2000]})), LAPTOP])
    assert "<script" not in without_own_scripts(text)


def test_runs_go_by_their_folders_last_names_where_these_differ(tmp_path: Path) -> None:
    for name in ("a/R", "b/R", "b/S"):
        folder = tmp_path / name
        folder.parent.mkdir(exist_ok=True)
        a_run_folder(folder, LAPTOP[1], LAPTOP[2])
    short = runs_page.read([tmp_path / "a/R", tmp_path / "b/S"])
    assert Reader(short).tables["beside"][0][1:] == ["R", "S"]
    whole = runs_page.read([tmp_path / "a/R", tmp_path / "b/R"])
    assert Reader(whole).tables["beside"][0][1:] == [f"{tmp_path}/a/R", f"{tmp_path}/b/R"]
    twice = runs_page.read([tmp_path / "a/R", tmp_path / "a/R"])
    assert Reader(twice).tables["beside"][0][1:] == [f"{tmp_path}/a/R", f"{tmp_path}/a/R (2)"]
    with pytest.raises(RequestError, match="is not a run folder"):
        runs_page.read([tmp_path / "a/R", tmp_path])
