"""Adding blocks or time to a run: what it keeps, what it may take then, and what is refused."""

from __future__ import annotations

import dataclasses
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from feedbench.bench.options.addition import Addition
from feedbench.bench.records.diagnosis import Diagnosis
from feedbench.bench.records.run import Extension, Stopped
from feedbench.bench.records.storage import (
    append_trial,
    read_run,
    read_trials,
    write_run,
    write_trials,
)
from feedbench.bench.run.before_blocks import rule_of
from feedbench.bench.run.budget import budget_of
from feedbench.bench.run.resuming import past as resumption
from feedbench.bench.run.resuming.extension import old
from feedbench.bench.verdicts.rows import summarise
from feedbench.pipelines.errors import RequestError
from tests.support.pipelines import loaders
from tests.support.programs.command import SMALL, Feedbench, trials_until
from tests.support.runs.killed import Killed, a_trial
from tests.support.runs.summaries import blocks

PAUSING = """
import time


def photos(workload):
    for batch in batches(workload):
        time.sleep(0.05)
        yield batch
"""


@pytest.fixture
def complete(killed: Killed) -> Killed:
    """A run that measured two blocks as requested, and why they are as they are."""
    killed.write(dataclasses.replace(killed.options, blocks=2))
    write_trials(killed.folder / "trials.jsonl", [a_trial(0), a_trial(1), a_trial(2)])
    append_trial(killed.folder, a_trial(7, purpose="trace"))
    killed.change_run(
        status="complete", stopped_because=Stopped.BLOCKS, diagnosis=Diagnosis(), seconds=70.0
    )
    return killed


def test_blocks_are_added_to_the_completed_ones(complete: Killed) -> None:
    past = resumption.read(complete.folder, addition=Addition(blocks=4))
    assert (past.options.blocks, past.options.seconds) == (6, None)
    assert past.record.status == "running"
    assert [(it.blocks, it.extended_to) for it in past.record.resumed] == [(2, Extension(blocks=6))]
    assert resumption.why_complete(past) is None
    assert resumption.sentence(past) == "Adding 4 blocks to a run of 2 completed blocks."


def test_time_is_added_to_what_was_used_whatever_the_run_had(complete: Killed) -> None:
    past = resumption.read(complete.folder, addition=Addition(seconds=300.0))
    assert (past.options.blocks, past.options.seconds) == (None, 370.0)
    assert past.options.begun + 370.0 - time.monotonic() == pytest.approx(300.0, abs=1)
    assert past.record.time_seconds == 370.0
    assert resumption.sentence(past) == "Adding 5 min 0 s to a run of 2 completed blocks."


def test_with_both_the_first_that_is_reached_ends_the_run(complete: Killed) -> None:
    past = resumption.read(complete.folder, addition=Addition(blocks=1, seconds=300.0))
    assert (past.options.blocks, past.options.seconds) == (3, 370.0)
    assert resumption.sentence(past).startswith("Adding at most 1 block, in 5 min 0 s, to a run")


def test_an_interrupted_run_takes_them_too_and_repeats_its_unfinished_block(killed: Killed) -> None:
    killed.change_run(status="interrupted", stopped_because=Stopped.INTERRUPTED)
    past = resumption.read(killed.folder, addition=Addition(blocks=1))
    assert past.options.blocks == 3
    assert [trial.block for trial in past.left_out] == [3]


def test_a_run_that_is_killed_while_it_is_extended_resumes_what_was_added(complete: Killed) -> None:
    past = resumption.read(complete.folder, addition=Addition(blocks=4))
    past.cut()
    write_run(complete.folder, replace(past.record, blocks=3))
    append_trial(complete.folder, a_trial(3))
    append_trial(complete.folder, a_trial(4))
    again = resumption.read(complete.folder)
    assert again.options.blocks == 6
    assert [trial.block for trial in again.kept] == [0, 1, 2, 7, 3]
    assert [trial.block for trial in again.left_out] == [4]
    assert [it.extended_to for it in again.record.resumed] == [Extension(blocks=6), None]


def test_reasons_that_are_known_are_kept_and_others_are_still_to_be_found(complete: Killed) -> None:
    past = resumption.read(complete.folder, addition=Addition(blocks=4))
    assert not past.options.trace
    assert [trial.purpose for trial in past.kept][-1] == "trace"
    assert past.left_out == []
    assert past.record.diagnosis == Diagnosis()
    complete.change_run(diagnosis=None)
    past = resumption.read(complete.folder, addition=Addition(blocks=4))
    assert past.options.trace
    assert [trial.purpose for trial in past.left_out] == ["trace"]


def test_nothing_is_written_before_the_run_goes_on(complete: Killed) -> None:
    before = {file.name: file.read_bytes() for file in complete.folder.iterdir() if file.is_file()}
    _ = resumption.read(complete.folder, addition=Addition(blocks=4)).record
    assert before == {
        file.name: file.read_bytes() for file in complete.folder.iterdir() if file.is_file()
    }


@pytest.mark.parametrize(
    ("ended", "addition", "words"),
    [
        (Stopped.FAILED, {"blocks": 4}, "every pipeline failed\nhint: start a new run"),
        (Stopped.PRECISE, {"seconds": 300.0}, "every interval was narrow enough before its time"),
        (Stopped.DECIDED, {"seconds": 300.0}, "every verdict was decided before its time was up"),
        (Stopped.SOURCES, {"blocks": 4}, "the files that it measured changed\nhint: start a new"),
        (Stopped.TIME, {"seconds": 10.0}, "--time +10s: expected at least +26s, which a start"),
    ],
)
def test_what_would_add_nothing_is_refused(
    complete: Killed, ended: Stopped, addition: dict[str, Any], words: str
) -> None:
    complete.change_run(stopped_because=ended)
    with pytest.raises(RequestError) as refused:
        resumption.read(complete.folder, addition=Addition(**addition))
    assert words in str(refused.value)


def test_of_time_that_is_added_a_model_has_its_share_and_the_blocks_the_rest(
    complete: Killed,
) -> None:
    complete.write(dataclasses.replace(complete.options, blocks=2, step=0.03))
    complete.change_run(seconds=1000.0, stopped_because=Stopped.TIME)
    past = resumption.read(complete.folder, addition=Addition(seconds=100.0))
    assert resumption.why_complete(past) is None  # though 35 % of 1,100 s are more than 100 s
    budget = budget_of(past.options, used=past.used_seconds)
    assert budget.feeding_seconds == pytest.approx(35.0)
    with pytest.raises(RequestError, match=r"--time \+30s: expected at least \+\d+s") as refused:
        resumption.read(complete.folder, addition=Addition(seconds=30.0))
    least = float(str(refused.value).split("at least +")[1].split("s,")[0])
    assert resumption.read(complete.folder, addition=Addition(seconds=least + 1))


def test_blocks_may_be_added_to_a_run_whose_intervals_were_narrow(complete: Killed) -> None:
    complete.change_run(stopped_because=Stopped.PRECISE)
    assert resumption.read(complete.folder, addition=Addition(blocks=4)).options.blocks == 6


def test_nothing_is_added_where_the_software_has_changed(complete: Killed) -> None:
    complete.change_software(tensorflow="1.15")
    with pytest.raises(RequestError, match=r"tensorflow was 1\.15 and is now 2"):
        resumption.read(complete.folder, addition=Addition(blocks=4))
    assert read_run(complete.folder).status == "complete"


def test_a_warning_says_that_a_run_measured_days_ago(complete: Killed) -> None:
    ended = datetime(2026, 1, 1, 0, 1, 2, tzinfo=UTC)
    trials = [a_trial(1), a_trial(2)]
    assert old(trials, ended + timedelta(hours=23)) is None
    assert (old(trials, ended + timedelta(hours=49)) or "").startswith("Its last trial was 2 days")
    assert old([], ended) is None
    past = resumption.read(complete.folder, addition=Addition(blocks=4))
    assert "the machine may have changed since" in (resumption.warning(past) or "")


def test_a_run_until_it_is_told_is_extended_as_one(complete: Killed) -> None:
    options = dataclasses.replace(complete.options, specs=(*complete.options.specs, "tfdata_naive"))
    complete.write(dataclasses.replace(options, until_told=True))
    complete.change_run(sequential=True, stopped_because=Stopped.TIME)
    past = resumption.read(complete.folder, addition=Addition(seconds=300.0))
    assert past.options.until_told
    assert past.record.sequential


def test_blocks_that_are_added_are_measured_though_every_verdict_is_decided(
    complete: Killed,
) -> None:
    options = dataclasses.replace(complete.options, specs=("a=tfdata_naive", "b=tfdata_naive"))
    options = dataclasses.replace(options, until_told=True, blocks=None)
    decided = summarise(
        blocks({"a": [1000] * 4, "b": [500] * 4}),
        {"a": "a", "b": "b"},
        margin=options.margin,
        folder_images=1000,
    )
    assert rule_of(options, None)(decided, ("a", "b")) is Stopped.DECIDED
    assert rule_of(options, Extension(seconds=600.0))(decided, ("a", "b")) is Stopped.DECIDED
    assert rule_of(options, Extension(blocks=8))(decided, ("a", "b")) is None


@pytest.mark.tensorflow
@pytest.mark.end_to_end
def test_a_run_until_it_is_told_stops_at_its_first_verdicts(
    feedbench: Feedbench, photos: Path
) -> None:
    fast, slow = feedbench.loader(loaders.GOOD), feedbench.loader(PAUSING, "pausing.py")
    words = ("-p", f"fast={fast}", "-p", f"slow={slow}", "--until-told", "--out", "R")
    done = feedbench.run("run", photos, *SMALL, *words)
    assert done.returncode == 0, done.stderr
    run = read_run(feedbench.folder / "R")
    assert (run.sequential, run.stopped_because) == (True, Stopped.DECIDED)
    assert [row.verdict for row in run.rows] == [None, "slower"]
    assert "could stop after any block" in (feedbench.folder / "R" / "report.html").read_text()


@pytest.mark.tensorflow
@pytest.mark.end_to_end
def test_a_complete_run_takes_more_blocks_and_keeps_all_it_had_when_it_is_killed_among_them(
    feedbench: Feedbench, photos: Path
) -> None:
    words = ("-p", f"mine={feedbench.loader(loaders.GOOD)}", "--blocks", "2", "--out", "R")
    folder = feedbench.folder / "R"
    assert feedbench.run("run", photos, *SMALL, *words).returncode == 0
    first, before = read_run(folder), read_trials(folder)

    process = feedbench.start("run", "--resume", "R", "--blocks", "+2")
    trials_until(feedbench, process, lambda lines: any(t["block"] == 4 for t in lines))
    process.kill()
    process.communicate()
    assert read_trials(folder)[: len(before)] == before
    assert (read_run(folder).status, read_run(folder).blocks) == ("running", 3)

    done = feedbench.run("run", "--resume", "R")
    assert done.returncode == 0, done.stderr
    assert "Resuming after 3 completed blocks" in done.stderr
    run, trials = read_run(folder), read_trials(folder)
    assert (run.status, run.blocks, run.stopped_because) == ("complete", 4, Stopped.BLOCKS)
    assert trials[: len(before)] == before
    assert {trial.block for trial in trials} >= {1, 2, 3, 4}
    assert len({t.around.good for t in trials if t.around is not None}) == 1
    assert run.workload.images_digest == first.workload.images_digest
    assert (first.control, run.control is not None) == (None, True)
    assert "was extended after 2 blocks" in (folder / "report.html").read_text()

    refused = feedbench.run("run", "--resume", "R")
    assert refused.returncode == 2
    assert "it is complete (4 blocks were requested)" in refused.stderr
    assert "--blocks +4" in refused.stderr
