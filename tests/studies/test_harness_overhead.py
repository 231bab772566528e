"""Does the harness cost what it measures? Figures to read, recorded and never asserted upon.

The harness and a bare loop are compared twice: each in a process of its own, as a person would,
where two processes of the same loop differ by some per cent here; and in turn over one iterator in
one process, where only the harness's own work differs.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from feedbench.bench.measured.trial import Trial
from feedbench.bench.processes.client import Processes
from feedbench.bench.processes.workload_file import read_workload, workload_of, write_workload
from feedbench.bench.records.messages import Request, Start, encode
from feedbench.bench.records.windows import Window, Windows, counted
from feedbench.pipelines import catalog
from feedbench.pipelines.images.index import index_folder
from tests.support.programs.processes import measured_of

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
            bare = _in_own_process("bare", spec, workload_file, tmp_path)
            ratios.append(harness_rate(processes, spec, workload_file, tmp_path) / bare)
            print(f"{spec}: bare {bare:,.0f}/s, harness / bare {ratios[-1]:.4f}")
    _print_ratios(f"{spec}, a process each", ratios)


@pytest.mark.parametrize("spec", SPECS)
def test_the_rate_of_the_harness_beside_that_of_a_bare_loop_in_one_process(
    spec: str, workload_file: Path, tmp_path: Path
) -> None:
    """In turn, ten times, over one and the same iterator."""
    ratios = _in_own_process("in turn", spec, workload_file, tmp_path)
    _print_ratios(f"{spec}, one process", ratios)


@pytest.mark.parametrize("spec", ["image_data_generator", "tfdata_naive", "tfdata_tuned"])
def test_the_first_batch_of_a_fresh_process(spec: str, workload_file: Path, tmp_path: Path) -> None:
    """Seconds from asking for a process until its first batch, the forkserver being up."""
    seconds = []
    with Processes(tmp_path, tmp_path / "log") as processes:
        processes.ready()
        for _ in range(FIRST_BATCHES):
            request = _request(spec, workload_file, tmp_path, pilot_seconds=0.0)
            outcome = processes.run(Start(request=request, log=str(tmp_path / "trial.log")), 60.0)
            first_batch_at = measured_of(outcome).first_batch_at
            assert first_batch_at is not None
            seconds.append(first_batch_at - outcome.asked_at)
    print(
        f"{spec}: first batch after {statistics.median(seconds):.3f} s (median of"
        f" {FIRST_BATCHES}; {min(seconds):.3f} to {max(seconds):.3f})"
    )


def harness_rate(processes: Processes, spec: str, workload: Path, scratch: Path) -> float:
    request = _request(spec, workload, scratch, steady_seconds=SECONDS)
    outcome = processes.run(Start(request=request, log=str(scratch / "trial.log")), 120.0)
    return _rate(counted(measured_of(outcome).windows))


def ratios_in_turn(spec: str, workload_file: Path, scratch: Path) -> list[float]:
    """Return harness / bare, ten times, each side over whole epochs of one iterator."""
    workload = read_workload(workload_file)
    pipeline = catalog.load(catalog.parse(spec))
    epochs = _Epochs(pipeline.open(workload, scratch, scratch), workload.images)
    _timed(epochs.repeat(), 3.0)
    ratios = []
    with (scratch / "events").open("wb", buffering=0) as events:
        trial = Trial(pipeline, workload, lambda event: events.write(encode(event) + b"\n"))
        for _ in range(PAIRS):
            epochs.finish()
            bare = _timed(epochs.repeat(), SECONDS)
            epochs.finish()
            windows = Windows(SECONDS)
            trial._continuous_windows(epochs, windows)
            ratios.append(_rate(counted(windows.windows)) / bare)
    return ratios


class _Epochs:
    """A feed whose repeat() goes on where it was left, which `finish` makes an epoch's end."""

    def __init__(self, dataset: Any, images: int) -> None:
        self._batches = iter(dataset.repeat())
        self._images = images
        self._taken = 0

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError

    def repeat(self) -> Iterator[Any]:
        for batch in self._batches:
            self._taken += len(batch[1])
            yield batch

    def finish(self) -> None:
        batches = self.repeat()
        while self._taken % self._images:
            next(batches)


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


def _rate(windows: list[Window]) -> float:
    return sum(window.images for window in windows) / sum(window.seconds for window in windows)


def _in_own_process(what: str, spec: str, workload_file: Path, scratch: Path) -> Any:
    words = [sys.executable, __file__, what, spec, str(workload_file), str(scratch)]
    # What TensorFlow says on standard error when it starts is no result.
    done = subprocess.run(words, capture_output=True, check=True)
    return json.loads(done.stdout)


def _print_ratios(what: str, ratios: list[float]) -> None:
    print(
        f"{what}: harness / bare over {len(ratios)} pairs: median {statistics.median(ratios):.4f},"
        f" mean {statistics.fmean(ratios):.4f}, deviation {statistics.stdev(ratios):.4f},"
        f" {min(ratios):.4f} to {max(ratios):.4f}"
    )


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
    what, given, file, folder = sys.argv[1:]
    measure = {"bare": bare_rate, "in turn": ratios_in_turn}[what]
    print(json.dumps(measure(given, Path(file), Path(folder))))
