"""Trials during which the run's own folders are removed: none is blamed, and none is lost."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from feedbench.bench.processes.folders.trial_folders import repeated_if_lost
from feedbench.bench.processes.limit import Limit
from feedbench.bench.processes.run_folder import RunFolder
from feedbench.bench.processes.trials import Trials
from feedbench.bench.processes.underway import Outcome
from feedbench.bench.records.messages import Collected, Failed, Result, Start
from feedbench.bench.records.storage import read_trials
from feedbench.bench.records.trial import Fault, TrialRecord
from feedbench.bench.run.measuring.schedule import Lineup
from feedbench.pipelines.catalog import parse
from feedbench.pipelines.errors import FeedbenchError
from tests.support.builders import a_record

SPEC = parse("a=tfdata_naive")
RAISED = Failed(sentence="it raised FileNotFoundError: images.json")
WRONG = Failed(sentence="it delivered 36 images", is_wrong_work=True)


class Scripted:
    """Processes whose trials end with these results, after something was done to the folders."""

    forkserver = None

    def __init__(self, *results: Result) -> None:
        self._results = iter(results)
        self.during: Callable[[], object] = lambda: None

    def run(self, start: Start, *_: object) -> Outcome:
        assert Path(start.request.scratch).is_dir()
        self.during()
        self.during = lambda: None
        return Outcome(result=next(self._results))


class Running:
    """A run in R, with a scratch folder."""

    def __init__(self, folder: Path, *results: Result) -> None:
        self.run, self.scratch = folder / "R", folder / "scratch"
        run_folder = RunFolder(self.run)
        run_folder.create()
        self.scratch.mkdir()
        (self.run / "images.json").write_text("{}")
        self.processes = Scripted(*results)
        self.notes: list[str] = []
        self.trials = Trials(
            self.processes,  # type: ignore[arg-type]
            run_folder,
            self.scratch,
            ("a",),
            fresh_interpreter=False,
            note=self.notes.append,
        )

    def trial(self, block: int = 1) -> TrialRecord:
        return self.trials.run(SPEC, "pilot", self.run / "images.json", Limit(1.0), block)


@pytest.mark.parametrize("folder", ["R", "scratch"])
def test_a_trial_that_fails_as_a_folder_of_the_run_disappears_is_interrupted_not_blamed(
    folder: str, tmp_path: Path
) -> None:
    running = Running(tmp_path, RAISED)
    running.processes.during = lambda: shutil.rmtree(tmp_path / folder)
    record = running.trial()
    name = {"R": "the run's folder", "scratch": "the scratch folder"}[folder]
    assert (record.ended, record.fault) == ("interrupted", None)
    assert record.why == f"{name} {tmp_path / folder} disappeared during it"
    assert not record.is_failure
    assert Lineup({"a": SPEC}, {"a": 1.0}).after([record, record]).labels == ("a",)
    assert read_trials(running.run) == [record]
    assert len(running.notes) == 1


def test_a_trial_that_delivers_other_work_is_blamed_whatever_happens_to_the_folders(
    tmp_path: Path,
) -> None:
    running = Running(tmp_path, WRONG)
    running.processes.during = lambda: shutil.rmtree(running.scratch)
    assert running.trial().fault is Fault.WRONG_WORK


def test_a_trial_that_fails_while_the_folders_stay_is_blamed(tmp_path: Path) -> None:
    running = Running(tmp_path, RAISED, RAISED)
    shutil.rmtree(running.scratch)  # before it
    assert [running.trial().fault, running.trial(2).fault] == [Fault.RAISED] * 2
    assert len(running.notes) == 1


def test_a_loader_that_removes_the_scratch_folder_and_goes_on_is_measured(tmp_path: Path) -> None:
    running = Running(tmp_path, Collected(images=1), Collected(images=1))
    running.processes.during = lambda: shutil.rmtree(running.scratch)
    assert [running.trial().ended, running.trial(2).ended] == ["collected"] * 2
    assert running.scratch.is_dir()


def test_all_trials_so_far_are_written_anew_and_the_list_of_images_too(tmp_path: Path) -> None:
    running = Running(tmp_path, *[Collected(images=1)] * 3)
    records = [running.trial()]
    shutil.rmtree(running.run)
    records.append(running.trial(2))
    assert read_trials(running.run) == records
    assert (running.run / "images.json").read_text() == "{}"
    running.run.rename(tmp_path / "elsewhere")
    running.trials.restore()
    assert read_trials(running.run) == records
    records.append(running.trial(3))
    assert read_trials(running.run) == records


def test_a_trials_folder_for_which_there_is_no_room_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = Running(tmp_path)
    make = Path.mkdir

    def full(path: Path, *given: bool, **named: bool) -> None:
        if path.parent == running.scratch:
            raise OSError(28, "No space left on device", str(path))
        make(path, *given, **named)

    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(FeedbenchError, match="scratch/001-pilot-a: No space left on device"):
        running.trial()


@pytest.mark.parametrize(("ends", "calls"), [("i", 2), ("ii", 2), ("m", 1)])
def test_a_trial_is_repeated_once_if_a_folder_of_the_run_was_removed(ends: str, calls: int) -> None:
    scripted: Iterator[str] = iter(ends + "m")
    performed: list[TrialRecord] = []

    def perform() -> TrialRecord:
        ended = {"i": "interrupted", "m": "measured"}[next(scripted)]
        performed.append(a_record(ended=ended))
        return performed[-1]

    assert repeated_if_lost(perform) is performed[-1]
    assert len(performed) == calls
