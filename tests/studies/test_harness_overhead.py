"""Does the harness cost what it measures? Figures to read, recorded and never asserted upon."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from feedbench.bench.process import Processes, what_went_wrong
from feedbench.bench.protocol import Request, Start
from feedbench.bench.windows import counted
from feedbench.bench.workload import read_workload, workload_of, write_workload
from feedbench.pipelines import catalog
from feedbench.pipelines.folder import index_folder

pytestmark = [pytest.mark.study, pytest.mark.tensorflow]

SPECS = ("tfdata_tuned:cache=none,parallel_calls=2", "tfdata_tuned:parallel_calls=2")
PAIRS = 10
SECONDS = 5.0  # timed on either side of a pair
FIRST_BATCHES = 10


@pytest.fixture
def workload_file(flowers: Path, tmp_path: Path) -> Path:
    index = index_folder(flowers)
    size = (224, 224)
    workload = workload_of(
        index, folder_images=len(index.files), image_size=size, batch_size=32, seed=0
    )
    file = tmp_path / "workload.json"
    write_workload(workload, file)
    return file


@pytest.mark.parametrize("spec", SPECS)
def test_the_rate_of_the_harness_beside_that_of_a_bare_loop(
    spec: str, workload_file: Path, tmp_path: Path
) -> None:
    """In turn, ten times, each in a process of its own: harness / bare, and how it varied."""
    ratios = []
    with Processes(tmp_path, tmp_path / "log") as processes:
        for _ in range(PAIRS):
            words = [sys.executable, __file__, spec, str(workload_file), str(tmp_path)]
            bare = json.loads(subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout)
            ratios.append(harness_rate(processes, spec, workload_file, tmp_path) / bare)
            print(f"{spec}: bare {bare:,.0f}/s, harness / bare {ratios[-1]:.4f}")
    print(
        f"{spec}: harness / bare over {PAIRS} pairs: median {statistics.median(ratios):.4f},"
        f" mean {statistics.fmean(ratios):.4f}, deviation {statistics.stdev(ratios):.4f},"
        f" {min(ratios):.4f} to {max(ratios):.4f}"
    )
    assert len(ratios) == PAIRS


@pytest.mark.parametrize("spec", ["image_data_generator", "tfdata_naive", "tfdata_tuned"])
def test_the_first_batch_of_a_fresh_process(spec: str, workload_file: Path, tmp_path: Path) -> None:
    """Seconds from asking for a process until its first batch, the forkserver being up."""
    seconds = []
    with Processes(tmp_path, tmp_path / "log") as processes:
        processes.ready()
        for _ in range(FIRST_BATCHES):
            request = _request(spec, workload_file, tmp_path, pilot_seconds=0.0)
            outcome = processes.run(Start(request=request, log=str(tmp_path / "trial.log")), 60.0)
            assert outcome.measured is not None, what_went_wrong(outcome)
            seconds.append(outcome.measured.first_batch_at - outcome.asked_at)
    print(
        f"{spec}: first batch after {statistics.median(seconds):.3f} s (median of"
        f" {FIRST_BATCHES}; {min(seconds):.3f} to {max(seconds):.3f})"
    )


def harness_rate(processes: Processes, spec: str, workload: Path, scratch: Path) -> float:
    request = _request(spec, workload, scratch, steady_seconds=SECONDS)
    outcome = processes.run(Start(request=request, log=str(scratch / "trial.log")), 120.0)
    assert outcome.measured is not None, what_went_wrong(outcome)
    windows = counted(outcome.measured.windows)
    return sum(w.images for w in windows) / sum(w.seconds for w in windows)


def bare_rate(spec: str, workload_file: Path, scratch: Path) -> float:
    """Return images/s of a loop as anyone would write it, over the very same dataset."""
    import numpy as np

    workload = read_workload(workload_file)
    dataset: Any = catalog.load(catalog.parse(spec)).open(workload, scratch, scratch)
    for images, _ in dataset:  # caches fill, as they have in the harness by then
        np.asarray(images)
    batches = iter(dataset.repeat())
    _timed(batches, 2.0)  # AUTOTUNE settles
    return _timed(batches, SECONDS)


def _timed(batches: Any, seconds: float) -> float:
    import numpy as np

    begun, count = time.perf_counter(), 0
    for images, _ in batches:
        count += len(np.asarray(images))
        if time.perf_counter() - begun > seconds:
            break
    return count / (time.perf_counter() - begun)


def _request(spec: str, workload: Path, scratch: Path, **limits: Any) -> Request:
    purpose: Any = "pilot" if "pilot_seconds" in limits else "main"
    return Request(
        label=spec,
        spec=spec,
        purpose=purpose,
        workload=str(workload),
        prepared=str(scratch),
        scratch=str(scratch),
        **limits,
    )


if __name__ == "__main__":
    given, file, folder = sys.argv[1:]
    print(json.dumps(bare_rate(given, Path(file), Path(folder))))
