"""What a run reads and writes disappears or is replaced in its midst: no pipeline is blamed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from feedbench.bench.records.run import Stopped
from feedbench.bench.records.storage import read_run, read_trials
from tests.support.programs.command import SMALL, Feedbench, trials_until

pytestmark = [pytest.mark.tensorflow, pytest.mark.end_to_end]


def test_a_run_outlives_its_own_folders_and_ends_when_its_photos_change(
    feedbench: Feedbench, photos: Path
) -> None:
    copy = shutil.copytree(photos, feedbench.folder / "photos")
    process = feedbench.start(
        *("run", copy, *SMALL, "--blocks", "5", "--out", "R"),
        *("-p", "tfdata_naive", "-p", "tfrecord_sharded"),
    )
    trials_until(feedbench, process, lambda lines: any(t["block"] for t in lines))
    shutil.rmtree(feedbench.folder / "R")
    for scratch in feedbench.scratch.iterdir():
        shutil.rmtree(scratch, ignore_errors=True)
    trials_until(feedbench, process, lambda lines: {1, 2} <= {t["block"] for t in lines})
    (copy / "dogs" / "03.jpg").unlink()
    shutil.copy(copy / "cats" / "01.jpg", copy / "new.jpg")
    os.replace(copy / "new.jpg", copy / "cats" / "00.jpg")  # noqa: PTH105 - as editors do
    out, err = process.communicate(timeout=300)
    assert process.returncode == 2, err
    assert "The run's folder R disappeared, or a part of it." in err
    assert "The scratch folder " in err
    assert "no pipeline is blamed" in err
    assert "the photos cats/00.jpg and 1 other changed during block" in " ".join(out.split())
    run = read_run(feedbench.folder / "R")
    assert run.stopped_because is Stopped.SOURCES
    assert run.blocks >= 1
    assert run.changed is not None
    assert (run.changed.files, run.changed.gone) == (2, 1)
    assert [row.failures for row in run.rows] == [[], []]
    assert {trial.purpose for trial in read_trials(feedbench.folder / "R")} >= {"pilot", "main"}
    assert (feedbench.folder / "R" / "report.html").is_file()
    assert (feedbench.folder / "R" / "resume.json").is_file()
    assert feedbench.left_in_scratch() == []
