"""How `feedbench run` ends: with its page, whatever signal comes, and with which exit code."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from feedbench.bench.records.run import RunRecord
from feedbench.reports.html import page
from tests.support.builders import a_row, a_run, a_run_folder, compared, trials_of
from tests.support.programs.front_door import Call

RUN = a_run(a_row("naive"), compared("tuned", 4.5, "faster"), best=["tuned"])
TRIALS = trials_of({"naive": [1000] * 4, "tuned": [4500] * 4})


def performed(run: RunRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a run measure nothing: it leaves its folder R and returns its record."""

    def perform(*_: object) -> RunRecord:
        a_run_folder(Path("R"), run, TRIALS)
        return run

    monkeypatch.setattr("feedbench.bench.run.run.perform", perform)


@pytest.mark.parametrize(("status", "code"), [("complete", 0), ("interrupted", 130)])
def test_a_run_ends_with_its_page_and_says_where_it_lies(
    status: str, code: int, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = a_run(*RUN.rows, best=["tuned"], status=status)
    performed(run, monkeypatch)
    done = call("run", ".", "--quiet", "--out", "R")
    assert (done.code, done.err) == (code, "")
    assert done.out.endswith("The report is R/report.html\n")
    assert Path("R/report.html").read_text() == page.render(run, TRIALS)


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGTERM,
        pytest.param(signal.SIGINT, marks=pytest.mark.thorough),
        pytest.param(signal.SIGHUP, marks=pytest.mark.thorough),
    ],
)
def test_a_signal_while_the_page_is_written_ends_the_command_after_it(
    number: signal.Signals, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    render = page.render

    def slow(*given: Any) -> str:
        signal.raise_signal(number)
        return render(*given)

    performed(RUN, monkeypatch)
    monkeypatch.setattr(page, "render", slow)
    done = call("run", ".", "--quiet", "--out", "R")
    assert (done.code, done.err) == (128 + number, "")
    assert done.out.endswith("The report is R/report.html\n")
    assert Path("R/report.html").is_file()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_exit_code_names_the_signal_that_ended_a_run_as_in_a_shell(
    number: signal.Signals, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    signal.signal(number, signal.SIG_DFL)  # the tests themselves may run under nohup

    def perform(*_: object) -> None:
        signal.raise_signal(number)

    monkeypatch.setattr("feedbench.bench.run.run.perform", perform)
    done = call("run", ".", "--quiet", "--out", "R")
    sentence = "feedbench: interrupted before anything was measured; no run was kept\n"
    assert (done.code, done.err) == (128 + number, sentence)


def test_a_second_signal_while_the_answer_is_printed_is_no_bug(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    performed(RUN, monkeypatch)
    monkeypatch.setattr("feedbench.reports.terminal.run.show", interrupted)
    done = call("run", ".", "--quiet", "--out", "R")
    assert (done.code, done.err) == (130, "")
    assert Path("R/report.html").is_file()


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (OSError(28, "No space left on device"), "[Errno 28] No space left on device"),
        (ValueError("two\nlines"), "two lines"),
        (KeyboardInterrupt(), "interrupted"),
    ],
)
def test_a_page_that_cannot_be_written_loses_neither_the_run_nor_its_exit_code(
    error: BaseException, why: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> str:
        raise error

    performed(RUN, monkeypatch)
    monkeypatch.setattr(page, "render", broken)
    done = call("run", ".", "--quiet", "--out", "R")
    assert done.code == 0
    assert done.out.endswith("The run is in R\n")
    assert "tuned is the fastest" in done.out
    assert done.err == (
        f"feedbench: cannot write the report: {why}; the run is safe in R\n"
        "hint: feedbench report R writes the report\n"
    )


def test_a_run_leaves_what_pytest_benchmark_reads(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    performed(RUN, monkeypatch)
    assert call("run", ".", "--quiet", "--out", "R").code == 0
    saved = json.loads(Path("R/benchmark.json").read_text())
    assert [each["name"] for each in saved["benchmarks"]] == list(
        dict.fromkeys(trial.label for trial in TRIALS if trial.purpose == "main")
    )
