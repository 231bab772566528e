"""Resuming a run that was killed: what is kept of it, and when it is refused."""

from __future__ import annotations

import dataclasses
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from feedbench.bench.machine.speed_probe import Level
from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.processes.progress import Quiet
from feedbench.bench.processes.run_folder import RunFolder
from feedbench.bench.processes.workload_file import read_workload, workload_of, write_workload
from feedbench.bench.records.conditions.calm import Around, Counters, Share, Speed
from feedbench.bench.records.diagnosis import Diagnosis
from feedbench.bench.records.run import Stopped
from feedbench.bench.records.storage import (
    append_trial,
    read_run,
    read_trials,
    write_trials,
)
from feedbench.bench.run.before_blocks import begin_again
from feedbench.bench.run.keeper import Keeper
from feedbench.bench.run.measuring.schedule import block_order
from feedbench.bench.run.resuming import basis
from feedbench.bench.run.resuming import past as resumption
from feedbench.bench.run.run import machine_of, resume
from feedbench.bench.verdicts.block_counts.stopping import exact_blocks
from feedbench.bench.verdicts.calm import calm_of
from feedbench.pipelines.catalog import parse
from feedbench.pipelines.contract import Records
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.index import index_folder
from tests.support.builders import a_proof, a_row
from tests.support.pipelines import loaders
from tests.support.programs.command import SMALL, Feedbench, trials_until
from tests.support.runs.killed import Killed, a_trial
from tests.support.waiting import gone

LOW = Share(0.8, 0.5)


def test_whole_blocks_and_what_came_before_are_kept_and_the_rest_is_measured_anew(
    killed: Killed,
) -> None:
    past = resumption.read(killed.folder)
    assert [trial.block for trial in past.kept] == [0, 1, 2]
    assert [trial.block for trial in past.left_out] == [3]
    past.cut()
    assert [trial.block for trial in read_trials(killed.folder)] == [0, 1, 2]
    left_out = (killed.folder / "left-out.jsonl").read_bytes()
    assert [json.loads(line)["block"] for line in left_out.splitlines()] == [3]
    append_trial(killed.folder, a_trial(3))  # no half a line is in its way
    assert [trial.block for trial in read_trials(killed.folder)] == [0, 1, 2, 3]


def test_what_was_asked_for_is_asked_for_again(killed: Killed) -> None:
    past = resumption.read(killed.folder)
    assert dataclasses.replace(past.options, begun=killed.options.begun) == killed.options
    assert list(past.images.paths) == sorted(map(str, killed.photos.rglob("*.jpg")))
    assert past.specs.keys() == {"mine"}


def test_the_time_that_was_used_is_gone(killed: Killed) -> None:
    used = time.monotonic() - resumption.read(killed.folder).options.begun
    assert used == pytest.approx(62, abs=1)  # its last trial began after 60 s, and took 2
    killed.change_run(seconds=100.0)
    used = time.monotonic() - resumption.read(killed.folder).options.begun
    assert used == pytest.approx(100, abs=1)


def test_the_record_says_that_the_run_was_resumed(killed: Killed) -> None:
    record = resumption.read(killed.folder).record
    assert record.status == "running"
    assert [(it.blocks, it.left_out) for it in record.resumed] == [(2, 1)]
    assert resumption.sentence(resumption.read(killed.folder)) == (
        "Resuming after 2 completed blocks; repeating 1 trial of the unfinished one."
    )


def test_a_run_that_is_begun_again_goes_on_after_its_whole_blocks(killed: Killed) -> None:
    begun = begin_again(resumption.read(killed.folder))
    assert begun.record.blocks == 2
    assert [trial.block for trial in begun.records] == [0, 1, 2]
    assert list(begun.records) == read_trials(killed.folder)
    assert begun.lineup.labels == ("mine",)
    assert begun.workload.exists()


def test_a_pipeline_that_failed_before_runs_no_more(killed: Killed) -> None:
    failed = a_trial(2, ended="failed", why="it raised OSError: gone")
    write_trials(killed.folder / "trials.jsonl", [a_trial(0), a_trial(1), failed])
    assert begin_again(resumption.read(killed.folder)).lineup.labels == ()


def _change_photo(killed: Killed) -> None:
    (killed.photos / "cats" / "00.jpg").write_bytes(b"another")


def _remove_photo(killed: Killed) -> None:
    (killed.photos / "cats" / "00.jpg").unlink()


def _change_all_photos(killed: Killed) -> None:
    for file in killed.photos.rglob("*.jpg"):
        os.utime(file, (0, 0))


def _change_loader(killed: Killed) -> None:
    killed.loader.write_text(killed.loader.read_text() + "\n")


def _change_tensorflow(killed: Killed) -> None:
    killed.change_software(tensorflow="1.15")


def _change_python(killed: Killed) -> None:
    killed.change_software(python="2.7")


def _change_own_code(killed: Killed) -> None:
    killed.change_software(feedbench="0" * 64)


def _name_a_pipeline_like_a_package(killed: Killed) -> None:
    killed.write(dataclasses.replace(killed.options, specs=(f"tensorflow={killed.loader}:photos",)))
    killed.change_software(tensorflow="1.15")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_change_photo, "cats/00.jpg has changed\nhint: start a new run"),
        (_remove_photo, "cats/00.jpg is gone\nhint: start a new run"),
        (_change_all_photos, "00.jpg has changed\nhint: start a new run"),
        (_change_loader, ": mine has changed"),
        (_change_tensorflow, ": tensorflow was 1.15 and is now 2."),
        (_name_a_pipeline_like_a_package, ": tensorflow was 1.15 and is now 2."),
        (_change_python, ": python was 2.7 and is now 3."),
        (_change_own_code, ": feedbench has changed"),
    ],
)
def test_a_run_whose_images_or_software_changed_is_refused_by_what_changed(
    killed: Killed, change: Callable[[Killed], None], words: str
) -> None:
    change(killed)
    with pytest.raises(RequestError, match=r"^cannot resume .*R: ") as refused:
        resumption.read(killed.folder)
    assert words in str(refused.value)


def test_a_run_over_record_files_has_them_again_and_is_refused_if_one_changed(
    killed: Killed,
) -> None:
    record_file = killed.photos.parent / "a.tfrecord"
    record_file.write_bytes(b"12345")
    work = read_workload(killed.folder / "images.json")
    records = Records(
        files=(str(record_file),),
        compressions=("",),
        counts=(work.images,),
        image_key="image",
        label_key="label",
        label_values=(0, 1),
        places=tuple((0, place) for place in range(work.images)),
    )
    write_workload(dataclasses.replace(work, records=records), killed.folder / "images.json")
    killed.write(dataclasses.replace(killed.options, records=str(record_file)))
    past = resumption.read(killed.folder)
    assert past.images.records == records
    assert past.options.records == str(record_file)
    record_file.write_bytes(b"123456")
    with pytest.raises(RequestError, match=r"a\.tfrecord has changed"):
        resumption.read(killed.folder)


def _use_a_module(killed: Killed, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the run measure a module of the current folder in place of its loader's file."""
    here = killed.loader.parent / "here"
    (here / "their_package").mkdir(parents=True)
    module = here / "their_package" / "loading.py"
    module.write_text("raise AssertionError\n")
    monkeypatch.chdir(here)
    killed.write(dataclasses.replace(killed.options, specs=("mine=their_package.loading:photos",)))
    return module


def test_a_run_of_a_module_can_be_resumed_unless_its_code_changed(
    killed: Killed, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = _use_a_module(killed, monkeypatch)
    assert resumption.read(killed.folder.absolute()).options.specs[0].endswith("loading:photos")
    module.write_text("raise AssertionError()\n")
    with pytest.raises(RequestError, match=": mine has changed"):
        resumption.read(killed.folder.absolute())


def test_a_run_of_a_module_of_one_folder_is_not_resumed_in_another(
    killed: Killed, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = _use_a_module(killed, monkeypatch)
    monkeypatch.chdir(module.parent)
    with pytest.raises(RequestError, match="its pipelines' files are relative to") as refused:
        resumption.read(killed.folder.absolute())
    assert f"hint: cd {module.parent.parent} and resume it there" in str(refused.value)


def test_a_resumed_run_shows_tracebacks_if_it_is_asked_for_now(killed: Killed) -> None:
    killed.write(dataclasses.replace(killed.options, debug=True))
    assert not resumption.read(killed.folder).options.debug
    assert resumption.read(killed.folder, debug=True).options.debug


def test_a_run_that_is_complete_is_refused(killed: Killed) -> None:
    killed.change_run(status="complete", stopped_because=Stopped.TIME)
    with pytest.raises(RequestError, match=r"it is complete \(its time was up\)\nhint: "):
        resumption.read(killed.folder)


def test_a_run_of_which_nobody_wrote_down_what_it_needs_is_refused(killed: Killed) -> None:
    (killed.folder / "resume.json").unlink()
    with pytest.raises(RequestError, match=r"resume.json cannot be read \(No such file"):
        resumption.read(killed.folder)


@pytest.mark.parametrize("text", ["{", "[]", '{"schema": 1}', '{"schema": 1, "options": {}}'])
def test_a_broken_file_is_refused_by_its_name(killed: Killed, text: str) -> None:
    (killed.folder / "resume.json").write_text(text)
    with pytest.raises(RequestError, match=r"resume.json (is broken|has schema)"):
        resumption.read(killed.folder)


def test_two_processes_do_not_go_on_with_one_run(killed: Killed) -> None:
    with basis.locked(killed.folder):
        other = pytest.raises(RequestError, match="another process is measuring this run")
        with other, basis.locked(killed.folder):
            pass
    with basis.locked(killed.folder):
        pass


def test_names_that_are_not_valid_utf_8_are_found_again(tmp_path: Path, own_photos: Path) -> None:
    renamed = own_photos / os.fsdecode(b"caf\xe9")
    (own_photos / "cats").rename(renamed)
    killed = Killed(tmp_path, own_photos)
    assert str(renamed / "00.jpg") in resumption.read(killed.folder).images.paths
    (renamed / "00.jpg").unlink()
    with pytest.raises(RequestError, match=r"caf\\xe9/00.jpg is gone"):
        resumption.read(killed.folder)


def test_a_folder_that_is_discarded_leaves_nothing_of_what_a_resumption_needs(
    tmp_path: Path, own_photos: Path
) -> None:
    folder = RunFolder(tmp_path / "new")
    folder.create()
    index = index_folder(own_photos)
    options = RunOptions(
        folder=own_photos, specs=("tfdata_naive",), out=folder.path, prepared=tmp_path
    )
    workload = workload_of(index, folder_images=1, image_size=(8, 8), batch_size=8, seed=0)
    basis.write(folder.path, options, workload, None)
    folder.discard()
    assert not folder.path.exists()


def test_a_run_whose_time_is_up_ends_as_it_is(killed: Killed) -> None:
    killed.write(dataclasses.replace(killed.options, seconds=300.0, blocks=None))
    assert resumption.why_complete(resumption.read(killed.folder)) is None  # 62 s of 300 were used
    killed.change_run(seconds=295.0)
    assert resumption.why_complete(resumption.read(killed.folder)) is Stopped.TIME
    run = resume(killed.folder, Quiet())
    assert (run.status, run.stopped_because) == ("complete", Stopped.TIME)
    assert read_run(killed.folder) == run
    assert len(read_trials(killed.folder)) == 4


def test_a_run_that_has_its_blocks_and_its_reasons_ends_as_it_is(killed: Killed) -> None:
    killed.change_run(blocks=5)
    assert (
        resumption.why_complete(resumption.read(killed.folder)) is None
    )  # its reasons are not known yet
    killed.change_run(diagnosis=Diagnosis())
    assert resumption.why_complete(resumption.read(killed.folder)) is Stopped.BLOCKS


def test_proofs_are_kept_so_that_no_verdict_is_given_without(killed: Killed) -> None:
    killed.change_run(rows=[a_row("mine", proof=a_proof("different"))])
    past = resumption.read(killed.folder)
    trials: Any = SimpleNamespace(records=[], probe_seconds=0.0, restore=lambda: None)
    specs = {"mine": parse("mine=tfdata_naive")}
    keeper = Keeper(
        past.record,
        specs,
        RunFolder(killed.folder),
        trials,
        rule=exact_blocks,
        begun=0.0,
        sources=past.sources,
    )
    (row,) = read_run(killed.folder).rows
    assert row.proof is not None
    assert row.proof.work == "different"
    assert keeper.proofs.keys() == {"mine"}


def test_the_good_level_is_that_of_before_the_first_block(killed: Killed) -> None:
    def around(hashed: float) -> Around:
        share, good = Share(1.0, 1.0), Speed(hashed, 1.0)
        return Around(
            before=share, after=share, low=LOW, waited_seconds=0.0, counters=Counters(), good=good
        )

    write_trials(
        killed.folder / "trials.jsonl",
        [a_trial(1, around=around(5e9)), a_trial(2), a_trial(3, around=around(1.0))],
    )
    killed.change_run(calm=calm_of(resumption.read(killed.folder).kept, 7.5))
    machine = machine_of(resumption.read(killed.folder))
    assert machine.level == Level(good=Speed(5e9, 1.0), low=LOW)
    assert machine.probe_seconds == 7.5


def test_where_no_whole_block_has_one_it_is_calibrated_anew(killed: Killed) -> None:
    machine = machine_of(resumption.read(killed.folder))
    assert machine.level.good.hashed > 1
    assert machine.probe_seconds > 0


def test_a_loader_that_is_named_from_another_folder_is_refused_here(
    killed: Killed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    relative = dataclasses.replace(killed.options, specs=("mine=loader.py:photos",))
    killed.write(relative)
    assert resumption.read(killed.folder).options.specs == ("mine=loader.py:photos",)
    monkeypatch.chdir("/")
    with pytest.raises(RequestError, match=f"files are relative to {tmp_path}\nhint: "):
        resumption.read(killed.folder)


@pytest.mark.tensorflow
@pytest.mark.end_to_end
def test_a_run_that_is_killed_leaves_no_process_and_has_every_block_once_when_resumed(
    feedbench: Feedbench, photos: Path
) -> None:
    words = ("-p", f"mine={feedbench.loader(loaders.GOOD)}", "--blocks", "3", "--out", "R")
    process = feedbench.start("run", photos, *SMALL, *words)
    trials_until(feedbench, process, lambda lines: any(t["block"] == 3 for t in lines))
    family = [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
    process.kill()
    process.communicate()
    assert gone(family)
    assert feedbench.left_in_scratch() == []
    assert read_run(feedbench.folder / "R").status == "running"
    before = read_trials(feedbench.folder / "R")
    assert before[-1].ended == "measured"

    done = feedbench.run("run", "--resume", "R")
    assert done.returncode == 0, done.stderr
    assert "Resuming after 2 completed blocks" in done.stderr
    run, trials = read_run(feedbench.folder / "R"), read_trials(feedbench.folder / "R")
    assert (run.status, run.blocks, len(run.resumed)) == ("complete", 3, 1)
    turns = [(t.block, (t.label, t.purpose)) for t in trials if t.block and t.attempt == 1]
    labels = ("mine",)
    assert turns == [(block, turn) for block in (1, 2, 3) for turn in block_order(labels, 0, block)]
    kept = [trial for trial in before if trial.block < 3]
    assert trials[: len(kept)] == kept
    assert len({t.around.good for t in trials if t.around is not None}) == 1
    assert "was resumed after 2 blocks" in (feedbench.folder / "R" / "report.html").read_text()
    assert feedbench.left_in_scratch() == []

    again = feedbench.run("run", "--resume", "R")
    assert again.returncode == 2
    assert "cannot resume R: it is complete (3 blocks were requested)" in again.stderr


def test_a_resumption_takes_no_other_option(feedbench: Feedbench, photos: Path) -> None:
    for words, named in (((photos,), "FOLDER"), (("--seed", "3"), "--seed")):
        refused = feedbench.run("run", "--resume", "R", *words)
        assert refused.returncode == 2
        assert f"leave out {named}, or start a new run" in refused.stderr
    assert "R is not a run folder" in feedbench.run("run", "--resume", "R").stderr
