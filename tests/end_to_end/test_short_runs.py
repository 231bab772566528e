"""Runs whose time is short: an answer in a minute, and no time refused that can give one."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from feedbench.bench.records.storage import read_run
from tests.support.programs.command import SMALL, Feedbench

pytestmark = [pytest.mark.tensorflow, pytest.mark.end_to_end]


def test_a_quick_run_has_an_answer_within_its_minute(feedbench: Feedbench, photos: Path) -> None:
    feedbench.machine = "real"  # the windows of the machine, not those of tests
    done = feedbench.run("run", photos, *SMALL, "--quick", "--out", "R")
    assert done.returncode == 0, done.stderr
    run = read_run(feedbench.folder / "R")
    assert run.quick
    assert run.time_seconds == 60.0
    assert run.seconds <= 60.0
    assert run.blocks >= 1
    assert run.diagnosis is None
    measured = [row.label for row in run.rows if row.rate is not None]
    named = [*measured, *(each.label for each in run.dropped)]
    assert sorted(named) == ["image_data_generator", "tfdata_tuned", "tfrecord_sharded"]
    assert "tfdata_tuned" in measured
    assert " so far" in done.stderr
    assert "This was a quick run" in " ".join(done.stdout.split())


def test_a_time_too_short_for_all_measures_some_and_names_the_others(
    feedbench: Feedbench, photos: Path
) -> None:
    done = feedbench.run("run", photos, *SMALL, "--time", "30s", "--out", "R")
    assert done.returncode == 0, done.stderr
    run = read_run(feedbench.folder / "R")
    assert run.seconds <= 30.0
    assert any(row.rate is not None for row in run.rows)
    assert len(run.rows) + len(run.dropped) == 6
    assert run.dropped
    page = (feedbench.folder / "R" / "report.html").read_text()
    for text in (done.stderr, done.stdout, page):
        assert "Left out for lack of time: " in " ".join(text.split())


def test_the_command_that_a_refusal_names_works(feedbench: Feedbench, photos: Path) -> None:
    done = feedbench.run("run", photos, *SMALL, "--no-trace", "--time", "3s")
    assert done.returncode == 2
    *_, hint = done.stderr.splitlines()
    words = shlex.split(hint.removeprefix("hint: feedbench "))
    again = feedbench.run(*words, "--out", "R")
    assert again.returncode == 0, again.stderr
    (row,) = read_run(feedbench.folder / "R").rows
    assert row.rate is not None
