"""Much of everything: a million files, fifty pipelines, two hundred blocks, an hour of trials.

Figures to read: memory, open files and threads of the command's own process, and the page's bytes.
Of long runs also how much these grow in 100 trials, and the time between two trials. Trials that
take turns overlap, so that this time is of runs with one trial at a time only.
FEEDBENCH_LOAD_SECONDS is how long the last study runs; an hour takes an hour.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from feedbench.bench.records.storage import read_run, read_trials
from tests.support.pipelines import loaders
from tests.support.programs.command import SMALL, Feedbench

pytestmark = [pytest.mark.study, pytest.mark.tensorflow]

CLASSES, FILES_A_CLASS = 1000, 1000
_SECONDS = float(os.environ.get("FEEDBENCH_LOAD_SECONDS", "3600"))
_PAUSE_SECONDS = 0.5


@dataclass(frozen=True)
class Sample:
    """The state of the command's own process at a moment."""

    at: float  # seconds since its start
    clock: float  # seconds since 1970
    bytes: int  # resident
    files: int  # open
    threads: int
    others: int  # processes below it
    their_bytes: int  # resident, of all of them; shared pages are counted for each


def followed(process: subprocess.Popen[str], every: float = _PAUSE_SECONDS) -> list[Sample]:
    """Sample a command until it has ended."""
    samples, begun, parent = [], time.monotonic(), psutil.Process(process.pid)
    while process.poll() is None:
        with suppress(psutil.Error):
            children = parent.children(recursive=True)
            samples.append(
                Sample(
                    at=time.monotonic() - begun,
                    clock=time.time(),
                    bytes=parent.memory_info().rss,
                    files=parent.num_fds(),
                    threads=parent.num_threads(),
                    others=len(children),
                    their_bytes=sum(_resident(child) for child in children),
                )
            )
        time.sleep(every)
    return samples


def _resident(process: psutil.Process) -> int:
    with suppress(psutil.Error):
        return int(process.memory_info().rss)
    return 0


def described(samples: list[Sample], folder: Path) -> str:
    page = folder / "report.html"
    return (
        f"{samples[-1].at:.0f} s; own process at most {max(s.bytes for s in samples) / 1e6:.0f} MB,"
        f" {max(s.files for s in samples)} files, {max(s.threads for s in samples)} threads;"
        f" others at most {max(s.others for s in samples)} processes and"
        f" {max(s.their_bytes for s in samples) / 1e6:,.0f} MB; page"
        f" {page.stat().st_size / 1e6 if page.exists() else 0:.2f} MB"
    )


def print_growth(samples: list[Sample], folder: Path) -> None:
    """Print a line for each tenth of a run, and its growth in 100 trials after the first fifth."""
    for place in range(10):
        part = samples[len(samples) * place // 10 : len(samples) * (place + 1) // 10]
        print(
            f"from {part[0].at:6.0f} s: {max(s.bytes for s in part) / 1e6:7.2f} MB,"
            f" {max(s.files for s in part):3} files, {max(s.threads for s in part):2} threads"
        )
    trials = [trial for trial in read_trials(folder) if trial.block]
    begun = [datetime.fromisoformat(trial.started_at).timestamp() for trial in trials]
    late = [s for s in samples if begun[len(begun) // 5] <= s.clock <= begun[-1]]
    trials_a_second = len(trials) / (begun[-1] - begun[0])
    slopes = [
        100 / trials_a_second * float(np.polyfit([s.at for s in late], values, 1)[0])
        for values in (
            [s.bytes / 1e6 for s in late],
            [float(s.files) for s in late],
            [float(s.threads) for s in late],
        )
    ]
    print(
        f"{len(trials):,} trials in blocks, {trials_a_second:.2f} a second; in 100 trials:"
        f" {slopes[0]:+.3f} MB, {slopes[1]:+.3f} files, {slopes[2]:+.3f} threads"
    )
    between = np.diff(begun) - [trial.seconds for trial in trials[:-1]]
    tenth = max(len(between) // 10, 1)
    first, last = np.median(between[:tenth]), np.median(between[-tenth:])
    print(f"between two trials: {first:.2f} s in the first tenth and {last:.2f} s in the last")


@pytest.fixture(scope="module")
def million(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A million JPEGs in a thousand classes: a file in each class, and hard links to it."""
    folder = tmp_path_factory.mktemp("million")
    for number in range(CLASSES):
        place = folder / f"class-{number:04d}"
        place.mkdir()
        first = place / "0000.jpg"
        Image.new("RGB", (16, 16), (number % 256, number // 4 % 256, 90)).save(first)
        for link in range(1, FILES_A_CLASS):
            os.link(first, place / f"{link:04d}.jpg")
    yield folder
    subprocess.run(["rm", "-rf", folder], check=True)


@pytest.mark.parametrize("limit", ["2000", "100000"])
def test_a_run_over_a_part_of_a_million_files(
    million: Path, feedbench: Feedbench, limit: str
) -> None:
    process = feedbench.start(
        *("run", million, *SMALL, "--limit", limit, "--blocks", "1", "--quiet", "--out", "R"),
        *("-p", "tfdata_naive", "-p", "tuned=tfdata_tuned"),
    )
    samples = followed(process)
    out, err = process.communicate()
    folder = feedbench.folder / "R"
    print(f"\n{limit} of {CLASSES * FILES_A_CLASS:,} files: {described(samples, folder)}")
    assert process.returncode == 0, out + err


def test_fifty_pipelines(feedbench: Feedbench, photos: Path) -> None:
    loaders.write_loader(feedbench.folder, loaders.FEED)
    pipelines = [word for n in range(50) for word in ("-p", f"p{n:02d}=loader.py:photos")]
    process = feedbench.start(
        "run", photos, *SMALL, "--quiet", "--blocks", "1", "--out", "R", *pipelines
    )
    samples = followed(process)
    out, err = process.communicate()
    print(f"\n50 pipelines, 1 block: {described(samples, feedbench.folder / 'R')}")
    assert process.returncode == 0, out + err
    assert len(read_run(feedbench.folder / "R").rows) == 50


def test_two_hundred_blocks(feedbench: Feedbench, photos: Path) -> None:
    loaders.write_loader(feedbench.folder, loaders.FEED)
    pipelines = ("-p", "mine=loader.py:photos", "-p", "other=loader.py:photos")
    process = feedbench.start(
        "run", photos, *SMALL, "--quiet", "--blocks", "200", "--out", "R", *pipelines
    )
    samples = followed(process)
    out, err = process.communicate()
    print(f"\n2 pipelines, 200 blocks: {described(samples, feedbench.folder / 'R')}")
    print_growth(samples, feedbench.folder / "R")
    assert process.returncode == 0, out + err
    assert read_run(feedbench.folder / "R").blocks == 200


def test_an_hour_with_about_a_trial_a_second(feedbench: Feedbench, photos: Path) -> None:
    """Memory, open files and threads of the command's own process, a line for each tenth."""
    loaders.write_loader(feedbench.folder, loaders.FEED)
    process = feedbench.start(
        *("run", photos, *SMALL, "--one-at-a-time", "--quiet", "--blocks", "9000", "--out", "R"),
        *("--time", f"{_SECONDS:.0f}s", "-p", "mine=loader.py:photos"),
    )
    samples = followed(process)
    out, err = process.communicate()
    trials = len(read_trials(feedbench.folder / "R"))
    print(f"\n{trials:,} trials: {described(samples, feedbench.folder / 'R')}")
    print_growth(samples, feedbench.folder / "R")
    assert process.returncode == 0, out + err
