"""`feedbench report` on a folder of `feedbench tune`."""

from __future__ import annotations

from pathlib import Path

from feedbench.bench.records.tuning.tuning import read_tuning
from feedbench.reports import tunings
from feedbench.reports.sentences.tuning import answer
from tests.support.programs.front_door import Call
from tests.support.runs.tunings import a_tuning_folder


def test_the_report_of_a_tuning_is_that_of_its_last_run(call: Call, tmp_path: Path) -> None:
    folder = a_tuning_folder(tmp_path / "tuning")
    done = call("report", str(folder))
    assert (done.code, done.out) == (0, f"{folder / 'final' / 'report.html'}\n")
    assert "Tuning" in (folder / "final" / "report.html").read_text()


def test_its_markdown_begins_with_the_answer_of_the_tuning(call: Call, tmp_path: Path) -> None:
    folder = a_tuning_folder(tmp_path / "tuning")
    done = call("report", str(folder), "--format", "markdown")
    assert (done.code, done.out) == (0, tunings.render(read_tuning(folder)))
    assert done.out.startswith(f"**{answer(read_tuning(folder))}**")


def test_a_tuning_that_has_no_last_run_yet_has_markdown(call: Call, tmp_path: Path) -> None:
    folder = a_tuning_folder(tmp_path / "tuning", run="")
    assert call("report", str(folder), "--format", "markdown").out.startswith("**b is 1.50 times")


def test_the_markdown_of_a_broken_tuning_is_a_sentence(call: Call, tmp_path: Path) -> None:
    (tmp_path / "tuning.json").write_text("{")
    done = call("report", str(tmp_path), "--format", "markdown")
    assert done.code == 2
    assert f"{tmp_path / 'tuning.json'} is broken" in done.err


def test_two_tunings_are_one_page_of_their_last_runs(call: Call, tmp_path: Path) -> None:
    one, other = (a_tuning_folder(tmp_path / name) for name in ("one", "other"))
    file = tmp_path / "both.html"
    assert call("report", str(one), str(other), "--out", str(file)).code == 0
    assert file.read_text().count("1,500") >= 2
