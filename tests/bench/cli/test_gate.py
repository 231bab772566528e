"""What `feedbench gate` prints, writes for CI, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from feedbench.bench.gate import gate
from tests.support.programs.front_door import Call
from tests.support.runs.gate_runs import CALM, NOISY, Performs

SLOW = [round(0.69 * rate) for rate in CALM]
WORDS = ("gate", "photos", "--base", "old.py:photos", "--new", "new.py:photos", "--out", "R")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITLAB_CI"):
        monkeypatch.delenv(name, raising=False)
    for name in ("old.py", "new.py"):
        Path(name).write_text("def photos(workload): ...\n")


def performs(monkeypatch: pytest.MonkeyPatch, rates: list[int], **given: Any) -> Performs:
    stand_in = Performs([rates], **given)
    monkeypatch.setattr(gate, "perform", stand_in)
    return stand_in


@pytest.mark.parametrize(
    ("rates", "words", "code"),
    [
        (CALM[::-1], (), 0),
        (SLOW, (), 1),
        (NOISY, (), 3),
        (NOISY, ("--strict",), 1),
        (CALM[::-1], ("--strict",), 0),
    ],
)
def test_the_exit_code_is_the_answer(
    rates: list[int], words: tuple[str, ...], code: int, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    performs(monkeypatch, rates)
    assert call(*WORDS, *words).code == code


def test_it_prints_both_loaders_the_answer_and_where_the_report_is(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = performs(monkeypatch, SLOW)
    text = " ".join(call(*WORDS, "--tolerance", "10%").out.split())
    assert "new.py:photos is slower than old.py:photos by more than 10%: it runs at 0.69" in text
    assert "The report is R/report.html" in text
    assert Path("R/report.html").is_file()
    (asked,) = stand_in.asked
    assert asked.pace.rounds == asked.pace.least_rounds < asked.pace.most_rounds == 8
    assert asked.specs == ("base=old.py:photos", "new=new.py:photos")
    assert (asked.tolerance, asked.seconds, asked.limit, asked.trace) == (0.1, 600.0, 256, False)


def test_both_runs_have_a_page_if_the_first_one_was_confirmed(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "perform", Performs([SLOW, SLOW]))
    text = " ".join(call(*WORDS, "--confirm").out.split())
    assert "The report is R/confirmation/report.html" in text
    assert Path("R/report.html").is_file()
    assert Path("R/confirmation/report.html").is_file()


def test_trials_one_at_a_time_take_no_turns(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = performs(monkeypatch, SLOW)
    call(*WORDS, "--one-at-a-time")
    assert stand_in.asked[0].pace.rounds == 0


def test_a_loader_that_fails_is_an_error_of_its_own(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    performs(monkeypatch, CALM, failure="it raised OSError: gone")
    done = call(*WORDS)
    assert done.code == 2
    assert "cannot be compared" in done.out


def test_json_has_the_answer_and_nothing_else_is_printed(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    performs(monkeypatch, SLOW)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    found = json.loads(call(*WORDS, "--json").out)
    assert (found["word"], found["exit_code"], found["new"]["spec"]) == (
        "slower",
        1,
        "new.py:photos",
    )
    assert found["answer"].startswith("new.py:photos is slower")


def test_github_gets_an_annotation_at_the_loader_and_a_summary(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    performs(monkeypatch, SLOW)
    Path("summary.md").write_text("before\n")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(Path.cwd()))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    error = call(*WORDS).err
    assert "::error file=new.py,title=Feedbench gate::new.py:photos is slower" in error
    summary = Path("summary.md").read_text()
    assert summary.startswith("before\n### Feedbench gate\n\n**new.py:photos is slower")


def test_gitlab_gets_its_reports_in_the_runs_folder(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    performs(monkeypatch, SLOW)
    monkeypatch.setenv("GITLAB_CI", "true")
    monkeypatch.setenv("CI_PROJECT_DIR", str(Path.cwd()))
    assert call(*WORDS).code == 1
    (issue,) = json.loads(Path("R/gl-code-quality-report.json").read_text())
    assert issue["location"]["path"] == "new.py"
    assert Path("R/metrics.txt").read_text().endswith("# EOF\n")
    assert Path("R/summary.md").read_text().startswith("### Feedbench gate")


def test_a_summary_that_cannot_be_written_does_not_change_the_answer(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    performs(monkeypatch, SLOW)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "nowhere/summary.md")
    done = call(*WORDS)
    assert done.code == 1
    assert "cannot write nowhere/summary.md: No such file or directory" in done.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("gate", "photos", "--new", "new.py:photos"), "there is no --base"),
        (("gate", "photos", "--base", "old.py:photos"), "there is no --new"),
        ((*WORDS, "--tolerance", "5"), "--tolerance '5': expected a share such as 5%"),
        (
            ("gate", "photos", "--base", "gone.py:photos", "--new", "new.py:photos"),
            "no file gone.py",
        ),
    ],
)
def test_a_wrong_request_is_one_sentence(words: tuple[str, ...], sentence: str, call: Call) -> None:
    done = call(*words)
    assert done.code == 2
    assert sentence in done.err
