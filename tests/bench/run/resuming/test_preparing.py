"""A run that was killed before its first record: what its folder says, and how it starts anew."""

from __future__ import annotations

import dataclasses
import json
import signal
from pathlib import Path

import pytest

from feedbench.bench.options.addition import Addition
from feedbench.bench.processes.run_folder import RunFolder
from feedbench.bench.records.storage import is_preparing, read_run
from feedbench.bench.run.resuming import basis
from feedbench.bench.run.resuming.preparing import asked_before, begin_preparing
from feedbench.pipelines.errors import RequestError
from tests.support.pipelines import loaders
from tests.support.programs.command import SMALL, Feedbench
from tests.support.runs.killed import Killed
from tests.support.waiting import until


@pytest.fixture
def preparing(killed: Killed) -> Killed:
    """A run that was killed during its pilots."""
    begin_preparing(killed.folder, killed.options, None)
    (killed.folder / "logs").mkdir()
    (killed.folder / "logs" / "001.log").write_text("a pilot")
    return killed


def test_its_folder_says_in_a_sentence_what_it_is(preparing: Killed) -> None:
    assert is_preparing(preparing.folder)
    with pytest.raises(RequestError) as refused:
        read_run(preparing.folder)
    assert str(refused.value) == (
        f"{preparing.folder} has no result: the run is being prepared, or ended before its first"
        f" block\nhint: if it has ended, feedbench run --resume {preparing.folder} starts it anew"
    )


def test_the_command_that_reports_it_says_so(feedbench: Feedbench, preparing: Killed) -> None:
    done = feedbench.run("report", preparing.folder)
    assert done.returncode == 2
    assert "has no result: the run is being prepared" in done.stderr


def test_it_is_asked_for_what_it_was_asked_for_before(preparing: Killed) -> None:
    asked = asked_before(preparing.folder)
    assert asked.begun > preparing.options.begun
    assert dataclasses.replace(asked, begun=preparing.options.begun) == preparing.options


def test_it_takes_no_addition_and_no_other_folder(
    preparing: Killed, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RequestError, match=r"cannot add to .*ended before its first block\nhint: "):
        asked_before(preparing.folder, addition=Addition(blocks=4))
    monkeypatch.chdir("/")
    with pytest.raises(RequestError, match=r"it was started in /.*\nhint: cd "):
        asked_before(preparing.folder)


def test_one_that_another_process_prepares_is_left_to_it(preparing: Killed) -> None:
    with (
        basis.locked(preparing.folder),
        pytest.raises(RequestError, match="another process is measuring this run"),
    ):
        asked_before(preparing.folder)


def test_one_of_another_user_runs_no_loader(
    preparing: Killed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another"))
    with pytest.raises(RequestError, match="it was not made by you on this machine"):
        asked_before(preparing.folder)
    assert asked_before(preparing.folder, trust=True).specs == preparing.options.specs


def test_its_folder_keeps_the_request_alone_and_keeps_it_if_it_fails_again(
    preparing: Killed,
) -> None:
    folder = RunFolder(preparing.folder, is_begun_again=True)
    folder.create()
    assert {each.name for each in preparing.folder.iterdir()} == {
        "run.json",
        "resume.json",
        "logs",
    }
    assert [*folder.logs.iterdir()] == []
    folder.discard()
    assert is_preparing(preparing.folder)
    assert asked_before(preparing.folder).specs == preparing.options.specs


@pytest.mark.tensorflow
@pytest.mark.end_to_end
def test_a_run_that_is_killed_before_its_first_block_starts_anew(
    feedbench: Feedbench, photos: Path
) -> None:
    words = ("-p", f"mine={feedbench.loader(loaders.GOOD)}", "--blocks", "2", "--out", "R")
    process = feedbench.start("run", photos, *SMALL, *words)
    folder = feedbench.folder / "R"
    until((folder / "run.json").exists)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert json.loads((folder / "run.json").read_text())["status"] == "preparing"

    done = feedbench.run("run", "--resume", "R")
    assert done.returncode == 0, done.stderr
    run = read_run(folder)
    assert (run.status, run.blocks, run.resumed) == ("complete", 2, [])
    assert (folder / "report.html").is_file()
