"""A pipeline in a Python of its own, in the same blocks as TensorFlow's, without TensorFlow."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedbench.bench.records.storage import read_run, read_trials
from tests.support.programs.command import SMALL, Feedbench
from tests.support.programs.thin_python import CORE, thin_python

pytestmark = [pytest.mark.tensorflow, pytest.mark.end_to_end, pytest.mark.thorough]

WITH_MAPS = """
from pathlib import Path

class Feed:
    def __init__(self, workload):
        self.workload = workload

    def __iter__(self):
        yield from batches(self.workload)
        maps = Path("/proc/self/maps").read_text()
        Path(__file__).with_name("maps").write_text(maps + sys.executable)

def photos(workload):
    return Feed(workload)
"""


def test_it_is_measured_in_the_same_blocks_and_its_process_has_no_tensorflow(
    feedbench: Feedbench, photos: Path
) -> None:
    projects = (*CORE, "simplejpeg", "opencv-python-headless")
    python = thin_python(feedbench.folder / "thin", *projects)
    loader = feedbench.loader(WITH_MAPS)
    specs = ("tfdata_naive", f"mine={loader}@thin/bin/python", f"fast=threads@{python}")
    words = [word for spec in specs for word in ("-p", spec)]
    done = feedbench.run("run", photos, *SMALL, *words, "--blocks", "1", "--out", "R")
    assert done.returncode == 0, done.stderr
    run, trials = read_run(feedbench.folder / "R"), read_trials(feedbench.folder / "R")
    assert {t.label for t in trials if t.block == 1} == {"tfdata_naive", "mine", "fast"}
    assert all(row.rate is not None for row in run.rows)
    assert [row.proof and row.proof.work for row in run.rows] == ["same", "near", "same"]
    maps = (feedbench.folder / "maps").read_text()
    assert maps.endswith(str(python))
    assert "numpy" in maps
    assert "tensorflow" not in maps
    (own,) = run.interpreters
    assert (own.python, own.name) == (str(python), "thin")
    assert "tensorflow" not in own.environment.packages
    assert [each.python for each in run.pipelines] == ["", str(python), str(python)]
    page = (feedbench.folder / "R" / "report.html").read_text()
    assert "Software of mine and fast" in page
    assert feedbench.left_in_scratch() == []
