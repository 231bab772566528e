"""What turns cost and gain: figures to read, recorded and never asserted upon.

Two processes of one pipeline are open. One has a turn after the other's, so after a long pause, and
at once another turn, after a pause of a few milliseconds. Both figures come from one process, half
a second apart, and their ratio is what a pause changes.
"""

from __future__ import annotations

import itertools
import math
import os
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from feedbench.bench.prepared.store import Store
from feedbench.bench.processes.client import Processes
from feedbench.bench.processes.limit import Limit
from feedbench.bench.processes.open_trial import OpenTrial
from feedbench.bench.processes.run_folder import RunFolder
from feedbench.bench.processes.trials import Trials
from feedbench.bench.processes.workload_file import workload_of, write_workload
from feedbench.bench.verdicts.turns.block_rates import trimmed_mean
from feedbench.pipelines.catalog import Spec, parse
from feedbench.pipelines.contract import Dtype
from feedbench.pipelines.images.index import index_folder

pytestmark = [pytest.mark.study, pytest.mark.tensorflow]

REPEATS = int(os.environ.get("FEEDBENCH_STUDY_REPEATS", "40"))
PAUSE_SECONDS = 1.0  # that the other one's turn takes
SPECS = (
    "image_data_generator",
    "tfdata_naive",
    "tfdata_tuned:cache=none",
    "tfdata_tuned",
    "tfrecord_gzip",
    "tfrecord_sharded",
)
LIMIT = Limit(240.0)


@contextmanager
def two_open(
    spec: str, dtype: Dtype, photos: Path, folder: Path
) -> Iterator[tuple[OpenTrial, OpenTrial]]:
    """Open two trials of one pipeline; both are stopped."""
    index = index_folder(photos)
    file = folder / "images.json"
    workload = workload_of(
        index,
        folder_images=len(index.files),
        image_size=(224, 224),
        batch_size=32,
        seed=0,
        dtype=dtype,
        value_range=(0, 255),
    )
    write_workload(workload, file)
    run, scratch = RunFolder(folder / "R"), folder / "scratch"
    run.create()
    scratch.mkdir()
    specs = [parse(f"{name}={spec}") for name in "ab"]
    with Processes(scratch, folder / "log") as processes:
        trials = Trials(processes, run, scratch, ("a", "b"), fresh_interpreter=False)
        _prepare(trials, specs, file, folder)
        opened = [trials.open(each, "main", file, LIMIT, 1) for each in specs]
        assert all(trial.is_ready for trial in opened), [r.why for r in trials.records]
        yield opened[0], opened[1]
        for trial in opened:
            trials.close(trial, LIMIT)


def _prepare(trials: Trials, specs: list[Spec], file: Path, folder: Path) -> None:
    if specs[0].name.startswith("tfrecord"):
        with Store(folder / "store").in_use():
            for spec in specs:
                trials.prepare(spec, file, folder / "store", LIMIT)


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
@pytest.mark.parametrize("spec", SPECS)
def test_the_rate_after_a_pause_compared_with_the_rate_right_after_that(
    spec: str, dtype: Dtype, flowers: Path, tmp_path: Path
) -> None:
    """The mean ratio, its standard error, the same of inner values, and what is dropped."""
    logs, dropped, rounds = list[float](), list[float](), itertools.count(1)
    with two_open(spec, dtype, flowers, tmp_path) as (one, other):
        for _ in range(REPEATS):
            other.take(next(rounds), 60.0, PAUSE_SECONDS)
            paused, at_once = one.take(next(rounds), 60.0), one.take(next(rounds), 60.0)
            assert paused is not None
            assert at_once is not None
            logs.append(math.log(paused.rate / at_once.rate))
            dropped.append(paused.dropped_seconds)
    error = statistics.stdev(logs) / math.sqrt(len(logs))
    print(
        f"{spec} {dtype}: after a pause / right after {math.exp(statistics.fmean(logs)):.4f},"
        f" standard error {error:.2%}, trimmed mean {math.exp(trimmed_mean(logs)):.4f}; dropped"
        f" {statistics.fmean(dropped):.3f} s a turn"
    )


@pytest.mark.parametrize("spec", ["tfdata_tuned:cache=none", "tfdata_tuned"])
@pytest.mark.parametrize("seconds", [0.1, 0.25, 0.5, 1.0, 2.0, 5.0])
def test_the_spread_of_ratios_by_the_length_of_a_window(
    spec: str, seconds: float, flowers: Path, tmp_path: Path
) -> None:
    """Two processes of one pipeline, 30 s of windows: the standard error of their ratio."""
    logs, rounds = [], itertools.count(1)
    with two_open(spec, "float32", flowers, tmp_path) as pair:
        for place in range(round(15 / seconds)):
            rates = {}
            for index in (0, 1) if place % 2 else (1, 0):
                turn = pair[index].take(next(rounds), 60.0, seconds)
                assert turn is not None
                rates[index] = turn.rate
            logs.append(math.log(rates[1] / rates[0]))
    error = statistics.stdev(logs) / math.sqrt(len(logs)) if len(logs) > 1 else math.nan
    print(
        f"{spec}: windows of {seconds:g} s: ratio {math.exp(statistics.fmean(logs)):.4f}, spread"
        f" {statistics.stdev(logs):.2%}, standard error {error:.2%} of {len(logs)} pairs"
    )
