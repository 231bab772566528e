"""`feedbench run` from end to end, as a person calls it: real processes, real TensorFlow."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from feedbench.bench.records.run import Stopped
from feedbench.bench.records.storage import read_run, read_trials
from tests.support.pipelines import loaders
from tests.support.programs.command import SMALL, Feedbench, trials_until
from tests.support.programs.smoke import trial_process
from tests.support.waiting import gone, until

pytestmark = [pytest.mark.tensorflow, pytest.mark.end_to_end]


def test_a_run_measures_every_pipeline_in_every_block_and_says_what_came_of_it(
    feedbench: Feedbench, photos: Path
) -> None:
    done = feedbench.run(
        *("run", photos, *SMALL, "--blocks", "2", "--out", "R"),
        *("-p", "naive=tfdata_naive", "-p", f"mine={feedbench.loader(loaders.GOOD)}"),
        *("-p", f"short={feedbench.loader(loaders.TOO_FEW, 'short.py')}"),
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("Measuring 39 of the 39 images in 3 classes of")
    assert "Rates only: 2 blocks completed, and verdicts need 4" in done.stdout
    assert "short failed: it delivered 36 images in an epoch; expected 39" in done.stdout
    assert "mine can only be restarted" in done.stdout
    assert done.stdout.splitlines()[-1] == "The report is R/report.html"
    assert "short failed" in (feedbench.folder / "R" / "report.html").read_text()
    assert max(map(len, done.stdout.splitlines())) <= 100
    run, trials = read_run(feedbench.folder / "R"), read_trials(feedbench.folder / "R")
    assert (run.status, run.blocks) == ("complete", 2)
    rates = {row.label: row.rate for row in run.rows}
    assert rates["naive"] is not None
    assert rates["mine"] is not None
    assert rates["short"] is None
    assert [row.label for row in run.rows if row.gpus is not None] == ["naive", "mine"]
    for trial in trials:
        is_metered = trial.ended == "measured" and trial.purpose in {"main", "control"}
        has_latency = trial.measured is not None and trial.measured.latency is not None
        assert is_metered == (trial.usage is not None) == has_latency
    main = [(t.block, t.label, t.purpose) for t in trials if t.block]
    assert sorted(main) == sorted(
        (block, label, purpose)
        for block in (1, 2)
        for label, purpose in (("naive", "main"), ("naive", "control"), ("mine", "main"))
    )
    assert feedbench.left_in_scratch() == []
    # It was not traced.
    assert run.diagnosis is None
    assert not (feedbench.folder / "R" / "traces").exists()
    refused = feedbench.run("tensorboard", "R")
    assert refused.returncode == 2
    assert "R has no traces: it was run with --no-trace" in refused.stderr


def test_a_loader_that_cannot_be_imported_is_a_wrong_request(
    feedbench: Feedbench, photos: Path
) -> None:
    spec = feedbench.loader("raise RuntimeError('no such card')\n")
    done = feedbench.run("run", photos, "-p", spec, "--blocks", "1", "--out", "R")
    assert done.returncode == 2
    assert "cannot be imported: RuntimeError: no such card" in done.stderr
    assert len(done.stderr.splitlines()) == 2  # with the hint
    assert done.stdout == ""
    assert not (feedbench.folder / "R").exists()
    assert feedbench.left_in_scratch() == []


def test_a_pipeline_that_fails_leaves_the_others_to_go_on(
    feedbench: Feedbench, photos: Path
) -> None:
    """It is the baseline here, so that there is nothing to compare with."""
    done = feedbench.run(
        *("run", photos, *SMALL, "--blocks", "1", "--out", "R"),
        *("-p", feedbench.loader(loaders.NOTHING), "-p", "tfdata_naive"),
    )
    assert done.returncode == 1
    assert "loader.py:photos returned None; expected an iterable" in done.stdout
    rows = {row.label: row for row in read_run(feedbench.folder / "R").rows}
    assert rows["tfdata_naive"].rate is not None
    assert rows["tfdata_naive"].ratio is None


def test_a_measured_process_that_is_killed_costs_its_trial_only(
    feedbench: Feedbench, photos: Path
) -> None:
    process = feedbench.start(
        *("run", photos, *SMALL, "--blocks", "2", "--out", "R"),
        *("-p", "tfdata_naive", "-p", "tuned=tfdata_tuned"),
    )
    trials = trials_until(feedbench, process, lambda lines: any(t["block"] for t in lines))
    assert trials[-1]["ended"] == "measured"
    trial_process(process).kill()
    out, err = process.communicate(timeout=300)
    assert process.returncode == 1
    assert "it was killed by SIGKILL" in out
    assert "it was killed by SIGKILL" in err
    ended = [t.ended for t in read_trials(feedbench.folder / "R") if t.block]
    assert sorted(ended) == ["failed", *["measured"] * 5]


def test_ctrl_c_keeps_what_was_measured(feedbench: Feedbench, photos: Path) -> None:
    specs = ("-p", "tfdata_naive", "-p", "tuned=tfdata_tuned", "--one-at-a-time")
    process = feedbench.start("run", photos, *SMALL, *specs, "--blocks", "9", "--out", "R")
    trials_until(feedbench, process, lambda lines: any(t["block"] for t in lines))
    trial_process(process)  # the second one is under way
    family = [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert gone(family)
    assert "images/s" in out
    run, trials = read_run(feedbench.folder / "R"), read_trials(feedbench.folder / "R")
    assert run.status == "interrupted"
    assert any(row.rate is not None for row in run.rows)
    assert [t.ended for t in trials if t.block] == ["measured", "interrupted"]
    assert feedbench.left_in_scratch() == []


def test_ctrl_c_among_turns_keeps_the_completed_blocks_and_records_each_trial_once(
    feedbench: Feedbench, photos: Path
) -> None:
    specs = ("-p", "tfdata_naive", "-p", "tuned=tfdata_tuned")
    process = feedbench.start("run", photos, *SMALL, *specs, "--blocks", "9", "--out", "R")

    def is_second_block_due(lines: list[Any]) -> bool:
        return len([line for line in lines if line["block"] == 1]) == 3

    trials_until(feedbench, process, is_second_block_due)
    trial_process(process)
    family = [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert gone(family)
    run, trials = read_run(feedbench.folder / "R"), read_trials(feedbench.folder / "R")
    assert (run.status, run.blocks) == ("interrupted", 1)
    assert [t.ended for t in trials if t.block == 1] == ["measured"] * 3
    second = [(t.label, t.purpose) for t in trials if t.block == 2]
    assert len(second) == len(set(second))
    assert {t.ended for t in trials if t.block == 2} == {"interrupted"}
    assert feedbench.left_in_scratch() == []


def test_ctrl_c_before_anything_was_measured_leaves_nothing(
    feedbench: Feedbench, photos: Path
) -> None:
    process = feedbench.start("run", photos, *SMALL, "--blocks", "9", "--out", "a/R")

    def begun() -> list[str]:
        assert process.poll() is None, process.communicate()
        return feedbench.left_in_scratch()

    until(begun)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err == "feedbench: interrupted before anything was measured; no run was kept\n"
    assert not (feedbench.folder / "a").exists()
    assert feedbench.left_in_scratch() == []


def test_a_time_that_is_too_short_for_a_block_says_what_is_needed(
    feedbench: Feedbench, photos: Path
) -> None:
    done = feedbench.run("run", photos, "--time", "5s", "--out", "R")
    assert done.returncode == 2
    assert done.stderr.startswith("feedbench: --time 5s is too short for one block of tfdata_tuned")
    assert not (feedbench.folder / "R").exists()


def test_on_a_machine_that_is_never_calm_a_run_ends_within_its_time_and_says_so(
    feedbench: Feedbench, photos: Path
) -> None:
    """Each trial is waited for, and taken again, only as long as there is time for the others."""
    feedbench.machine = "restless"
    done = feedbench.run(
        *("run", photos, *SMALL, "--time", "35s", "--out", "R", "--one-at-a-time"),
        *("-p", "tfdata_naive", "-p", "tuned=tfdata_tuned"),
    )
    assert done.returncode == 0, done.stderr
    run = read_run(feedbench.folder / "R")
    assert (run.status, run.stopped_because) == ("complete", Stopped.TIME)
    assert 0 < run.seconds <= 35
    assert {row.verdict for row in run.rows} <= {None, "withheld"}
    assert run.best == []
    assert run.calm is not None
    assert 0 < run.calm.disturbed == run.calm.attempts
    page = (feedbench.folder / "R" / "report.html").read_text()
    for row in run.rows:
        if row.attempts:  # on a busy machine there may be no time for each
            said = (
                f"Every trial of {row.label} was disturbed, so its rate comes from disturbed trials"
            )
            assert said in " ".join(done.stdout.split())
            assert said in " ".join(page.split())


def test_in_turns_a_machine_that_is_never_calm_is_reported_and_no_trial_is_left_out(
    feedbench: Feedbench, photos: Path
) -> None:
    feedbench.machine = "restless"
    done = feedbench.run(
        *("run", photos, *SMALL, "--blocks", "1", "--no-trace", "--out", "R"),
        *("-p", "tfdata_naive", "-p", "tuned=tfdata_tuned"),
    )
    assert done.returncode == 0, done.stderr
    run = read_run(feedbench.folder / "R")
    assert run.calm is not None
    assert (run.calm.disturbed, run.calm.noisy) == (0, run.calm.attempts)
    said = "The machine was not calm: 3 of 3 trials were disturbed. The pipelines took turns"
    assert said in " ".join(done.stdout.split())


def test_a_pipeline_that_hangs_while_it_is_compared_takes_no_time_from_the_others(
    feedbench: Feedbench, photos: Path
) -> None:
    mine = feedbench.loader(loaders.HANGS_AGAIN.replace("0, 3", "0, 2"))
    done = feedbench.run(
        *("run", photos, *SMALL, "--blocks", "1", "--out", "R"),
        *("-p", "tfdata_naive", "-p", f"mine={mine}"),
    )
    run = read_run(feedbench.folder / "R")
    rows = {row.label: row for row in run.rows}
    assert rows["tfdata_naive"].rate is not None, done.stderr
    assert rows["mine"].failures[0].startswith("it exceeded its limit of ")
    assert done.returncode == 1


def test_a_pipeline_that_hangs_in_its_blocks_is_ended_and_the_others_have_their_rates(
    feedbench: Feedbench, photos: Path
) -> None:
    done = feedbench.run(
        *("run", photos, *SMALL, "--time", "60s", "--out", "R"),
        *("-p", "tfdata_naive", "-p", f"mine={feedbench.loader(loaders.HANGS_AGAIN)}"),
    )
    run, trials = read_run(feedbench.folder / "R"), read_trials(feedbench.folder / "R")
    assert run.status == "complete", done.stderr
    assert 0 < run.seconds <= 60
    assert {row.label: row.rate is not None for row in run.rows} == {
        "tfdata_naive": True,
        "mine": False,
    }
    pilot, verified, *hung = [t for t in trials if t.label == "mine"]
    assert (pilot.purpose, pilot.ended) == ("pilot", "measured")
    assert (verified.purpose, verified.ended) == ("verify", "verified")
    assert hung
    assert all(t.ended == "time up" or "exceeded its limit of" in (t.why or "") for t in hung)
    assert feedbench.left_in_scratch() == []


def test_photos_that_shrink_in_mid_run_are_named_and_no_pipeline_is_accused(
    feedbench: Feedbench, photos: Path
) -> None:
    folder = shutil.copytree(photos, feedbench.folder / "photos")
    spec = feedbench.loader(loaders.SHRINKS_PHOTOS)
    done = feedbench.run(
        *("run", folder, *SMALL, "--blocks", "5", "--out", "R"),
        *("-p", "naive=tfdata_naive", "-p", f"mine={spec}"),
    )
    assert done.returncode == 2, done.stderr
    run = read_run(feedbench.folder / "R")
    assert (run.status, run.stopped_because) == ("complete", Stopped.SOURCES)
    assert (run.blocks, run.best) == (1, [])
    assert run.changed is not None
    assert (run.changed.files, run.changed.first_block, run.changed.last_block) == (39, 2, 2)
    head = "No verdicts: the photos cats/00.jpg and 38 others changed during block 2, after equal"
    assert head in " ".join(done.stdout.split())
    assert head in (feedbench.folder / "R" / "report.html").read_text()
    assert [(row.blocks, row.failures) for row in run.rows] == [(1, []), (1, [])]
    again = feedbench.run("run", "--resume", "R", "--blocks", "+1")
    assert again.returncode == 2
    assert "cannot add to R: the files that it measured changed" in again.stderr
