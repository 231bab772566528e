"""What a test session reports if the machine was too busy to measure; the run is a planted one."""

from __future__ import annotations

import json
import subprocess
import warnings
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.pytest_plugin import runs
from feedbench.bench.records.row import Withheld
from feedbench.bench.records.run import RunRecord, Stopped
from feedbench.bench.run import benchmark_json
from tests.support.builders import a_row, a_run, a_run_folder, trials_of
from tests.support.programs.suites import run_here
from tests.support.runs.summaries import around

pytest_plugins = ("pytester",)

SUITE = """
import pytest

@pytest.mark.parametrize("pipeline", [
    pytest.param(name, marks=pytest.mark.feedbench(pipeline=f"{name}=tfdata_naive"))
    for name in ("calm", "busy", "noisy")
])
def test_pipeline(pipeline, feedbench):
    assert feedbench.rate > 0
"""
SENTENCE = "could not be judged: the machine was busy"


def planted(
    options: RunOptions,
    listener: object,
    *,
    busy: set[str],
    withheld: Mapping[str, Withheld],
    stopped: Stopped,
) -> RunRecord:
    """Leave a run of three blocks. Other work disturbed each trial of the busy pipelines."""
    labels = [spec.partition("=")[0] for spec in options.specs]
    rows = [a_row(label, attempts=3, disturbed=3 * (label in busy), blocks=3) for label in labels]
    judged = [
        replace(row, verdict="withheld", withheld=withheld[row.label])
        if row.label in withheld
        else row
        for row in rows
    ]
    run = a_run(*judged, blocks=3, stopped_because=stopped)
    trials = [
        replace(trial, around=around(0.5)) if trial.label in busy else trial
        for trial in trials_of({label: [1000, 1250, 800] for label in labels})
    ]
    a_run_folder(options.out, run, trials)
    return run


def session(
    pytester: pytest.Pytester,
    busy: set[str],
    *words: str,
    withheld: Mapping[str, Withheld] | None = None,
    stopped: Stopped = Stopped.BLOCKS,
) -> subprocess.CompletedProcess[str]:
    """Run the suite while the machine is too busy for these pipelines."""
    leave = partial(planted, busy=busy, withheld=withheld or {}, stopped=stopped)
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings(record=True):
        warnings.simplefilter("default")  # in our own tests they are errors
        patch.setattr(runs, "Runs", partial(runs.Runs, perform=leave))
        return run_here(pytester, SUITE, f"--feedbench-data={pytester.path}", *words)


def saved(pytester: pytest.Pytester) -> list[Path]:
    """The files that the session saved, those of pytest-benchmark and the run's."""
    names = ("b.json", benchmark_json.NAME, "*_base.json")
    return [file for name in names for file in pytester.path.rglob(name)]


SAVED = (
    *("--benchmark-json=b.json", "--benchmark-storage=file://kept", "--benchmark-save=base"),
    "--feedbench-out=R",
)


def test_the_summary_ends_with_how_many_pipelines_could_not_be_judged(
    pytester: pytest.Pytester,
) -> None:
    done = session(pytester, {"busy", "noisy"}, "-rs")
    *_, line, outcome = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout
    assert line == f"feedbench: 2 of 3 pipelines {SENTENCE}"
    assert "1 passed, 2 skipped, 1 warning" in outcome
    assert done.stdout.count(f"FeedbenchWarning: 2 of 3 pipelines {SENTENCE}") == 1
    assert "busy: no trial counts; other work on this machine disturbed each of its 3 tri" in (
        done.stdout.replace("\n", "")
    )


def test_a_calm_session_reports_nothing_of_it(pytester: pytest.Pytester) -> None:
    done = session(pytester, set())
    assert "3 passed in" in done.stdout
    assert SENTENCE not in done.stdout


def test_a_strict_session_fails_the_tests_that_could_not_be_judged(
    pytester: pytest.Pytester,
) -> None:
    done = session(pytester, {"busy"}, "--feedbench-strict")
    assert done.returncode == 1, done.stdout
    assert "1 failed, 2 passed" in done.stdout
    assert (
        "busy: no trial counts; other work on this machine disturbed each of its 3" in done.stdout
    )
    assert f"feedbench: 1 of 3 pipelines {SENTENCE}" in done.stdout


WITHOUT_VERDICT: list[tuple[Mapping[str, Withheld], Stopped, str]] = [
    ({"busy": "other programs"}, Stopped.BLOCKS, f"1 of 3 pipelines {SENTENCE}"),
    ({}, Stopped.TIME, "2 of 3 pipelines could not be judged: the time was up"),
    ({"busy": "control"}, Stopped.TIME, f"2 of 3 pipelines {SENTENCE} or the time was up"),
]


@pytest.mark.parametrize(("withheld", "stopped", "sentence"), WITHOUT_VERDICT)
def test_figures_without_a_verdict_are_reported(
    pytester: pytest.Pytester, withheld: Mapping[str, Withheld], stopped: Stopped, sentence: str
) -> None:
    done = session(pytester, set(), withheld=withheld, stopped=stopped)
    assert "3 passed, 1 warning" in done.stdout
    assert f"feedbench: {sentence}\n" in done.stdout
    assert f"FeedbenchWarning: {sentence}\n" in done.stdout


@pytest.mark.parametrize(("withheld", "stopped", "sentence"), WITHOUT_VERDICT)
def test_figures_without_a_verdict_fail_a_strict_session(
    pytester: pytest.Pytester, withheld: Mapping[str, Withheld], stopped: Stopped, sentence: str
) -> None:
    words = (*SAVED[:1], "--feedbench-strict")
    done = session(pytester, set(), *words, withheld=withheld, stopped=stopped)
    failed = int(sentence[0])
    assert f"{failed} failed, {3 - failed} passed" in done.stdout
    assert "busy could not be judged: the " in done.stdout
    assert f"feedbench: {sentence}\n" in done.stdout


@pytest.mark.parametrize("words", [(), ("--feedbench-strict",)])
def test_a_verdict_that_was_not_due_is_not_missed(
    pytester: pytest.Pytester, words: tuple[str, ...]
) -> None:
    done = session(pytester, set(), *words, withheld={"busy": "work"}, stopped=Stopped.BLOCKS)
    assert "3 passed in" in done.stdout
    assert "could not be judged" not in done.stdout


def test_where_warnings_are_errors_one_test_has_the_error(pytester: pytest.Pytester) -> None:
    done = session(pytester, {"busy", "noisy"}, "-W", "error::pytest.PytestWarning")
    assert done.returncode == 1, done.stdout
    assert "1 passed, 1 skipped, 1 error" in done.stdout


@pytest.mark.parametrize("words", [(), ("--feedbench-strict",)])
def test_without_a_figure_nothing_is_saved(
    pytester: pytest.Pytester, words: tuple[str, ...]
) -> None:
    done = session(pytester, {"calm", "busy", "noisy"}, *SAVED, *words)
    assert (pytester.path / "R" / "run.json").exists(), done.stdout
    assert not saved(pytester)
    assert "was not used at all" not in done.stdout


def test_pipelines_with_figures_are_saved_without_the_others(pytester: pytest.Pytester) -> None:
    session(pytester, {"busy"}, *SAVED)
    contents: list[dict[str, Any]] = [json.loads(file.read_text()) for file in saved(pytester)]
    names = [{each["name"] for each in content["benchmarks"]} for content in contents]
    ours = {"test_pipeline[calm]", "test_pipeline[noisy]"}
    assert names == [ours, {"calm", "noisy"}, ours]
