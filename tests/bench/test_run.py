"""`feedbench run` from end to end, as a person calls it: real processes, real TensorFlow."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from feedbench.bench.results import read_run, read_trials
from feedbench.pipelines.catalog import DEFAULT_SPECS
from tests import loaders
from tests.bench.conftest import gone, until
from tests.odd import write_odd_files

pytestmark = pytest.mark.tensorflow

SMALL = ["--image-size", "32", "--batch-size", "8"]


class Feedbench:
    """The command, in a folder of its own with a scratch folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.scratch = folder / "tmp"
        self.scratch.mkdir()
        self._command = Path(sys.executable).with_name("feedbench")

    def start(self, *words: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self._command, *map(str, words)],
            cwd=self.folder,
            env=os.environ | {"TMPDIR": str(self.scratch)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: object) -> subprocess.CompletedProcess[str]:
        with self.start(*words) as process:
            out, err = process.communicate(timeout=300)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def left_in_scratch(self) -> list[str]:
        return [file.name for file in self.scratch.iterdir()]

    def loader(self, text: str, name: str = "loader.py") -> str:
        return f"{loaders.write_loader(self.folder, text, name).name}:photos"


@pytest.fixture
def feedbench(tmp_path: Path) -> Feedbench:
    return Feedbench(tmp_path)


def test_a_run_measures_every_pipeline_in_every_block_and_says_what_came_of_it(
    feedbench: Feedbench, photos: Path
) -> None:
    done = feedbench.run(
        *("run", photos, *SMALL, "--blocks", "2", "--out", "R"),
        *("-p", "naive=tfdata_naive", "-p", f"mine={feedbench.loader(loaders.GOOD)}"),
        *("-p", f"short={feedbench.loader(loaders.TOO_FEW, 'short.py')}"),
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("Takes 39 of the 39 images in 3 classes of")
    assert "Rates only: 2 whole blocks measured, and verdicts need 4" in done.stdout
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
        assert is_metered == (trial.usage is not None) == (trial.latency is not None)
    main = [(t.block, t.label, t.purpose) for t in trials if t.block]
    assert sorted(main) == sorted(
        (block, label, purpose)
        for block in (1, 2)
        for label, purpose in (("naive", "main"), ("naive", "control"), ("mine", "main"))
    )
    assert feedbench.left_in_scratch() == []


def test_grey_uint8_images_with_categorical_labels_are_measured_in_whoever_delivers_them(
    feedbench: Feedbench, photos: Path
) -> None:
    done = feedbench.run(
        *("run", photos, *SMALL, "--blocks", "1", "--limit", "20", "--out", "R", "--prepared", "P"),
        *("--channels", "1", "--dtype", "uint8", "--label-mode", "categorical"),
        *(word for spec in DEFAULT_SPECS for word in ("-p", spec)),
        *("-p", f"colours={feedbench.loader(loaders.GOOD)}"),
        *("-p", f"mine={feedbench.loader(loaders.GREY_UINT8_CATEGORICAL, 'mine.py')}"),
    )
    assert done.returncode == 1, done.stderr
    found = "images of float32 [8, 32, 32, 3]; expected uint8 [B, 32, 32, 1]"
    assert f"colours failed: it delivered {found}" in " ".join(done.stdout.split())
    run = read_run(feedbench.folder / "R")
    assert [row.label for row in run.rows if row.rate is not None] == [*DEFAULT_SPECS, "mine"]
    work = run.workload
    assert (work.channels, work.dtype, work.value_range) == (1, "uint8", (0, 255))
    assert work.label_mode == "categorical"
    page = (feedbench.folder / "R" / "report.html").read_text()
    assert "32x32x1 uint8 in [0, 255]" in page


def test_the_run_as_json_is_all_that_standard_output_holds(
    feedbench: Feedbench, photos: Path
) -> None:
    done = feedbench.run(
        *("run", photos, *SMALL, "--blocks", "1", "--json", "--quiet", "--out", "R"),
        *("-p", "tfdata_naive", "--limit", "20"),
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    run = json.loads(done.stdout)
    assert run == json.loads((feedbench.folder / "R" / "run.json").read_bytes())
    assert (run["workload"]["images"], run["workload"]["folder_images"]) == (20, 39)
    assert run["workload"]["classes"] == {"cats": 7, "dogs": 7, "owls": 6}


@pytest.fixture
def messy(photos: Path, tmp_path: Path) -> Path:
    """The tests' photos, and a class of odd files of which 13 are bad."""
    shutil.copytree(photos, tmp_path / "messy")
    write_odd_files(tmp_path / "messy" / "odd")
    return tmp_path / "messy"


def test_bad_images_are_refused_with_the_list_and_how_to_leave_them_out(
    feedbench: Feedbench, messy: Path
) -> None:
    words = ("run", messy, *SMALL, "--blocks", "1", "--out", "R", "-p", "tfdata_naive")
    done = feedbench.run(*words)
    assert done.returncode == 2
    first, *listed = done.stderr.splitlines()
    assert "are bad; expected images that TensorFlow and Pillow decode alike" in first
    assert first.endswith("or leave them out by --bad-images skip:")
    assert "  odd/empty.jpg: an empty file" in listed
    assert done.stdout == ""
    assert not (feedbench.folder / "R").exists()
    assert feedbench.left_in_scratch() == []


def test_bad_images_are_left_out_of_every_pipeline_and_named(
    feedbench: Feedbench, messy: Path
) -> None:
    done = feedbench.run(
        *("run", messy, *SMALL, "--blocks", "1", "--out", "R", "--bad-images", "skip"),
        *("-p", "tfdata_tuned:cache=none", "-p", "image_data_generator", "-p", "tfrecord_sharded"),
    )
    assert done.returncode == 0, done.stderr
    work = read_run(feedbench.folder / "R").workload
    bad = {left.file: left.reason for left in work.left_out}
    assert bad["odd/page.jpg"] == "HTML or XML text and no image"
    assert f"Leaves out {len(bad)} bad images: odd/cut.jpg (Pillow: image file" in done.stderr
    assert work.classes == {"cats": 13, "dogs": 13, "odd": 11, "owls": 13}
    assert work.images == work.folder_images == 50
    listed = json.loads((feedbench.folder / "R" / "images.json").read_bytes())["files"]
    assert not set(bad) & {os.path.relpath(file, messy) for file in listed}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("raise RuntimeError('no such card')\n", "cannot be imported: RuntimeError: no such card"),
        ("def pictures(workload):\n    pass\n", "has no function 'photos': it has read, batches"),
        ("import no_such_module\n", "cannot be imported: ModuleNotFoundError"),
    ],
)
def test_a_loader_that_cannot_be_imported_is_a_wrong_request(
    feedbench: Feedbench, photos: Path, text: str, sentence: str
) -> None:
    spec = feedbench.loader(text)
    done = feedbench.run("run", photos, "-p", spec, "--blocks", "1", "--out", "R")
    assert done.returncode == 2
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1
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
    trials = _trials_until(feedbench, process, lambda lines: any(t["block"] for t in lines))
    assert trials[-1]["ended"] == "measured"
    _trial_process(process).kill()
    out, err = process.communicate(timeout=300)
    assert process.returncode == 1
    assert "it was killed by SIGKILL" in out
    assert "it was killed by SIGKILL" in err
    ended = [t.ended for t in read_trials(feedbench.folder / "R") if t.block]
    assert sorted(ended) == ["failed", *["measured"] * 5]


def test_ctrl_c_keeps_what_was_measured(feedbench: Feedbench, photos: Path) -> None:
    process = feedbench.start("run", photos, *SMALL, "--blocks", "9", "--out", "R")
    _trials_until(feedbench, process, lambda lines: any(t["block"] for t in lines))
    _trial_process(process)  # the second one is under way
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
    assert err == "feedbench: interrupted before anything was measured; no run is left of it\n"
    assert not (feedbench.folder / "a").exists()
    assert feedbench.left_in_scratch() == []


def test_a_killed_run_keeps_its_trials_and_leaves_no_process(
    feedbench: Feedbench, photos: Path
) -> None:
    process = feedbench.start("run", photos, *SMALL, "--blocks", "9", "--out", "R")
    _trials_until(feedbench, process, lambda lines: any(t["block"] for t in lines))
    family = [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
    process.kill()
    process.communicate()
    assert gone(family)
    assert read_run(feedbench.folder / "R").status == "running"
    assert read_trials(feedbench.folder / "R")[-1].ended == "measured"
    assert feedbench.left_in_scratch() == []


def test_the_parent_of_a_run_loads_no_tensorflow(feedbench: Feedbench, photos: Path) -> None:
    process = feedbench.start("run", photos, *SMALL, "--blocks", "9", "--out", "R")
    _trials_until(feedbench, process, lambda lines: any(t["block"] for t in lines))
    child = _trial_process(process)
    assert "tensorflow" in _mapped(child.pid)  # what is looked for would be seen
    assert "tensorflow" not in _mapped(process.pid)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)


def test_a_time_that_is_too_short_for_a_block_says_what_is_needed(
    feedbench: Feedbench, photos: Path
) -> None:
    done = feedbench.run("run", photos, "--time", "5s", "--out", "R")
    assert done.returncode == 2
    assert done.stderr.startswith("feedbench: --time 5s is too short for one block of 6 pipelines")
    assert not (feedbench.folder / "R").exists()


def test_a_run_ends_within_its_time(feedbench: Feedbench, photos: Path) -> None:
    """What it was given covers everything, from the command to the report."""
    begun = time.monotonic()
    done = feedbench.run(
        *("run", photos, *SMALL, "--time", "50s", "--out", "R"),
        *("-p", "tfdata_naive", "-p", "tuned=tfdata_tuned"),
    )
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - begun < 60
    run = read_run(feedbench.folder / "R")
    assert run.stopped_because == "its time was up"
    assert run.blocks >= 1


def test_a_pipeline_that_hangs_in_its_blocks_is_ended_and_the_others_have_their_rates(
    feedbench: Feedbench, photos: Path
) -> None:
    begun = time.monotonic()
    done = feedbench.run(
        *("run", photos, *SMALL, "--time", "60s", "--out", "R"),
        *("-p", "tfdata_naive", "-p", f"mine={feedbench.loader(loaders.HANGS_AGAIN)}"),
    )
    assert time.monotonic() - begun < 70
    run, trials = read_run(feedbench.folder / "R"), read_trials(feedbench.folder / "R")
    assert run.status == "complete", done.stderr
    assert {row.label: row.rate is not None for row in run.rows} == {
        "tfdata_naive": True,
        "mine": False,
    }
    pilot, *hung = [t for t in trials if t.label == "mine"]
    assert (pilot.purpose, pilot.ended) == ("pilot", "measured")
    assert hung
    assert all(t.ended == "time up" or "after its limit of" in (t.why or "") for t in hung)
    assert feedbench.left_in_scratch() == []


RECORDS = ["-p", "tfrecord_sharded", "-p", "tfrecord_gzip"]


def test_records_are_written_once_found_again_and_told_with_what_they_cost(
    feedbench: Feedbench, photos: Path
) -> None:
    words = ["run", photos, *SMALL, "--blocks", "1", "--prepared", "P", *RECORDS]
    done = feedbench.run(*words, "-p", "tfdata_naive", "--out", "R")
    assert done.returncode == 0, done.stderr
    assert "tfrecord_gzip: wrote" in done.stderr
    rows = {row.label: row for row in read_run(feedbench.folder / "R").rows}
    made = rows["tfrecord_gzip"].preparation
    assert made is not None
    assert (made.images, made.files, made.was_found) == (39, 1, False)
    assert made.bytes == sum(file.stat().st_size for file in Path(made.folder).glob("*.gz"))
    assert made.source_bytes == sum(file.stat().st_size for file in photos.rglob("*.jpg"))
    assert rows["tfdata_naive"].preparation is None

    again = feedbench.run(*words, "--out", "again")
    assert again.returncode == 0, again.stderr
    assert "tfrecord_gzip: found" in again.stderr
    found = {row.label: row.preparation for row in read_run(feedbench.folder / "again").rows}
    assert found["tfrecord_gzip"] == msgspec.structs.replace(made, was_found=True)
    listed = feedbench.run("prepared", "--prepared", "P").stdout.splitlines()
    assert [line.partition(":")[0] for line in listed[:-1]] == ["tfrecord_sharded", "tfrecord_gzip"]
    assert feedbench.run("prepared", "--prepared", "P", "--clear").returncode == 0
    assert list((feedbench.folder / "P").glob("[!.]*")) == []


def test_records_that_were_damaged_or_whose_photos_changed_are_written_anew(
    feedbench: Feedbench, photos: Path
) -> None:
    copy = shutil.copytree(photos, feedbench.folder / "photos")
    words = ["run", copy, *SMALL, "--blocks", "1", "--prepared", "P", "-p", "tfrecord_sharded"]
    assert feedbench.run(*words, "--out", "R").returncode == 0
    [record_file, *_] = (feedbench.folder / "P").glob("*/files/*.tfrecord")
    os.truncate(record_file, record_file.stat().st_size - 1)
    damaged = feedbench.run(*words, "--out", "damaged")
    assert damaged.returncode == 0, damaged.stderr
    assert "what was prepared before is damaged" in damaged.stderr
    assert "tfrecord_sharded: wrote" in damaged.stderr
    shutil.copy(copy / "cats" / "00.jpg", copy / "cats" / "01.jpg")
    changed = feedbench.run(*words, "--out", "changed")
    assert "is damaged" not in changed.stderr
    assert "tfrecord_sharded: wrote" in changed.stderr


def test_a_disk_with_no_room_for_records_fails_their_pipeline_and_the_others_go_on(
    feedbench: Feedbench, photos: Path
) -> None:
    disk = feedbench.folder / "P"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("no small disk can be mounted here: it takes root")
    try:
        done = feedbench.run(
            *("run", photos, *SMALL, "--blocks", "1", "--prepared", "P", "--out", "R"),
            *("-p", "tfdata_naive", "-p", "tfrecord_sharded"),
        )
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    assert done.returncode == 1
    assert "tfrecord_sharded failed: its records need about 0.0" in done.stdout
    rows = {row.label: row for row in read_run(feedbench.folder / "R").rows}
    assert rows["tfdata_naive"].rate is not None
    assert rows["tfrecord_sharded"].rate is None


def test_a_folder_for_prepared_files_that_cannot_be_written_is_a_wrong_request(
    feedbench: Feedbench, photos: Path
) -> None:
    (feedbench.folder / "file").write_text("no folder")
    done = feedbench.run(
        *("run", photos, *SMALL, "--blocks", "1", "--prepared", "file/P", "--out", "R", *RECORDS)
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "feedbench: the folder for prepared files, file/P, cannot be written: Not a directory;"
        " name another by --prepared"
    )
    assert not (feedbench.folder / "R").exists()


def _trials_until(feedbench: Feedbench, process: subprocess.Popen[str], enough: Any) -> list[Any]:
    """Wait until trials.jsonl holds enough, and return its lines."""
    file = feedbench.folder / "R" / "trials.jsonl"

    def found() -> list[Any]:
        assert process.poll() is None, process.communicate()
        text = file.read_text() if file.exists() else ""
        lines = [json.loads(line) for line in text.split("\n")[:-1]]
        return lines if enough(lines) else []

    return until(found)


def _trial_process(parent: subprocess.Popen[str]) -> psutil.Process:
    """Return the measured process: the forkserver's child."""
    [forkserver] = psutil.Process(parent.pid).children()
    return until(forkserver.children)[0]


def _mapped(pid: int) -> str:
    return Path(f"/proc/{pid}/maps").read_text()
