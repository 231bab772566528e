"""`feedbench run` from end to end: which images are taken, in what form, and out of records."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from feedbench.bench.records.storage import read_run
from feedbench.pipelines.catalog import DEFAULT_SPECS
from tests.support.images.odd import write_odd_files
from tests.support.pipelines import loaders
from tests.support.programs.command import SMALL, Feedbench

pytestmark = [pytest.mark.tensorflow, pytest.mark.end_to_end]


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
    assert (work.images, work.folder_images) == (20, 39)
    assert work.classes == {"cats": 7, "dogs": 7, "owls": 6}
    page = (feedbench.folder / "R" / "report.html").read_text()
    assert "32x32x1 uint8 in [0, 255]" in page


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
    assert "cannot be measured; expected images that TensorFlow and Pillow decode alike" in first
    assert listed[-1].endswith("or leave them out with --bad-images skip")
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
    assert bad["odd/page.jpg"] == "HTML or XML text, not an image"
    assert f"Leaving out {len(bad)} bad images: odd/cut.jpg (Pillow: image file" in done.stderr
    assert work.classes == {"cats": 13, "dogs": 13, "odd": 11, "owls": 13}
    assert work.images == work.folder_images == 50
    listed = json.loads((feedbench.folder / "R" / "images.json").read_bytes())["files"]
    assert not set(bad) & {os.path.relpath(file, messy) for file in listed}


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
    assert "tfrecord_gzip: reused" in again.stderr
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
    words = [copy, *SMALL, "--prepared", "P", "-p", "tfrecord_sharded"]
    assert feedbench.run("verify", *words).returncode == 0
    [record_file, *_] = (feedbench.folder / "P").glob("*/files/*.tfrecord")
    os.truncate(record_file, record_file.stat().st_size - 1)
    damaged = feedbench.run("run", *words, "--blocks", "1", "--out", "damaged")
    assert damaged.returncode == 0, damaged.stderr
    assert "earlier prepared files are damaged" in damaged.stderr
    assert "tfrecord_sharded: wrote" in damaged.stderr
    shutil.copy(copy / "cats" / "00.jpg", copy / "cats" / "01.jpg")
    changed = feedbench.run("verify", *words)
    assert "are damaged" not in changed.stderr
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
    assert done.stderr.splitlines()[-2:] == [
        "feedbench: cannot write to the folder for prepared files, file/P: Not a directory",
        "hint: name another folder with --prepared",
    ]
    assert not (feedbench.folder / "R").exists()


def test_a_cold_run_reads_its_first_epochs_from_the_device(
    feedbench: Feedbench, photos: Path
) -> None:
    """A warm one is the smoke test's."""
    words = ("run", photos, *SMALL, "--blocks", "1", "--prepared", "P", "--json", "-q")
    specs = ("-p", "tfdata_naive", "-p", "tfrecord_sharded")
    done = feedbench.run(*words, *specs, "--page-cache", "cold", "--out", "R")
    assert done.returncode == 0, done.stderr
    assert (done.stderr, json.loads(done.stdout)["status"]) == ("", "complete")
    run = read_run(feedbench.folder / "R")
    assert run.page_cache == "cold"
    for row in run.rows:
        cold = row.page_cache
        assert cold is not None
        if cold.why_not is None:  # else this file system keeps its files in memory
            assert cold.resident == 0
            assert (cold.read_bytes or 0) > 0.8 * cold.bytes
