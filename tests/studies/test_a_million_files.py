"""What an index of a million small files takes, compared with `find`; and a view of some."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from feedbench.bench.processes.folder_views import Views
from feedbench.bench.processes.workload_file import workload_of, write_workload
from feedbench.pipelines.images.index import take
from feedbench.pipelines.images.layouts import Layout, index_images

pytestmark = pytest.mark.study

FILES, CLASSES = 1_000_000, 1000

_INDEX = """
import resource, sys, time
from pathlib import Path
from feedbench.pipelines.images.layouts import Layout, index_images
begun = time.monotonic()
index = index_images(Path(sys.argv[1]), Layout())
seconds = time.monotonic() - begun
print(len(index.files), seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


@pytest.fixture(scope="module")
def million(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A million empty files in 1,000 classes: the index reads names, not photos."""
    folder = tmp_path_factory.mktemp("million")
    for label in range(CLASSES):
        inside = folder / f"class_{label:04d}"
        inside.mkdir()
        for number in range(FILES // CLASSES):
            (inside / f"image_{number:07d}.jpg").touch()
    return folder


def found(folder: Path) -> float:
    """Return the seconds that `find` takes to list all files, into nothing."""
    begun = time.monotonic()
    subprocess.run(["find", folder, "-type", "f"], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - begun


def indexed(folder: Path) -> tuple[float, float]:
    """Return the seconds and the peak memory in bytes of an index, in a process of its own."""
    words = [sys.executable, "-c", _INDEX, str(folder)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    _, seconds, memory = done.stdout.split()
    return float(seconds), float(memory)


def test_an_index_of_a_million_files_beside_find(million: Path) -> None:
    """The target is three times the time of `find`, and 300 MB."""
    found(million)
    for _ in range(3):
        listing = found(million)
        seconds, memory = indexed(million)
        print(
            f"\n{FILES:,} files: index {seconds:.2f} s, find {listing:.2f} s,"
            f" {seconds / listing:.2f} times, {memory / 1e6:.0f} MB"
        )


def test_a_view_of_600_and_of_100_000_of_them(million: Path, tmp_path: Path) -> None:
    """The target is 0.1 s for 600, which is what a loader costs a run of so many."""
    index = index_images(million, Layout())
    for images in (600, 100_000):
        folder = tmp_path / str(images)
        folder.mkdir()
        file = folder / "images.json"
        workload = workload_of(
            take(index, images, seed=0),
            folder_images=len(index.files),
            image_size=(8, 8),
            batch_size=8,
            seed=0,
        )
        write_workload(workload, file)
        begun = time.monotonic()
        view = Views(folder).folder(file)
        print(f"\n{images:,} links: {time.monotonic() - begun:.3f} s, in {view}")
