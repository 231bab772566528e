"""How long it takes to write records of a gigabyte of photos, beside copying the same files."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import time
from pathlib import Path

import pytest

from feedbench.bench.prepared import preparation_task
from feedbench.bench.prepared.store import Store
from feedbench.bench.processes.workload_file import workload_of
from feedbench.pipelines.built_in.tfrecord.tfrecord_gzip import TfrecordGzip
from feedbench.pipelines.built_in.tfrecord.tfrecord_sharded import TfrecordSharded
from feedbench.pipelines.catalog import parse
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.images.index import index_folder
from feedbench.pipelines.images.sample_photos import write_photos

pytestmark = pytest.mark.study

PHOTOS, BYTES = 512, 1_000_000_000


@pytest.fixture(scope="module")
def gigabyte(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1 GB of photos, of which many are copies of each other: no file system here shares them."""
    folder = tmp_path_factory.mktemp("gigabyte")
    write_photos(folder / "first", PHOTOS)
    photos = list((folder / "first").rglob("*.jpg"))
    copies = -(-BYTES // sum(photo.stat().st_size for photo in photos))
    for photo in photos:
        for number in range(copies):
            copy = folder / "photos" / photo.parent.name / f"{photo.stem}-{number:03d}.jpg"
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(photo, copy)
    shutil.rmtree(folder / "first")
    return folder / "photos"


def copied(source: Path, to: Path) -> float:
    """Return the seconds that `cp -r` takes until everything is on the disk."""
    begun = time.monotonic()
    subprocess.run(["cp", "-r", source, to], check=True)
    subprocess.run(["sync", "-f", to], check=True)
    seconds = time.monotonic() - begun
    shutil.rmtree(to)
    return seconds


def prepared(workload: Workload, name: str, to: Path) -> float:
    """Return the seconds from wanting the records to having them checked, on the disk."""
    pipeline = {"tfrecord_gzip": TfrecordGzip(), "tfrecord_sharded": TfrecordSharded()}[name]
    to.mkdir()
    begun = time.monotonic()
    preparation_task.obtain(pipeline, parse(name), workload, workload, Store(to), lambda _: None)
    seconds = time.monotonic() - begun
    shutil.rmtree(to)
    return seconds


@pytest.mark.parametrize(("name", "pairs"), [("tfrecord_sharded", 5), ("tfrecord_gzip", 2)])
def test_writing_records_beside_cp(gigabyte: Path, tmp_path: Path, name: str, pairs: int) -> None:
    """The target for the shards is twice the time of `cp -r`, both synced."""
    index = index_folder(gigabyte)
    workload = workload_of(
        index, folder_images=len(index.files), image_size=(224, 224), batch_size=32, seed=0
    )
    total = sum(Path(file).stat().st_size for file in workload.files)
    prepared(workload, name, tmp_path / "first")  # TensorFlow's import, and the page cache
    ratios = []
    for pair in range(pairs):
        subprocess.run(["sync"], check=True)
        both = {}
        for what in ("cp", "records") if pair % 2 else ("records", "cp"):
            to = tmp_path / f"{pair}-{what}"
            both[what] = copied(gigabyte, to) if what == "cp" else prepared(workload, name, to)
        ratios.append(both["records"] / both["cp"])
        print(f"\n{name}: {both['records']:.2f} s, cp -r {both['cp']:.2f} s, {ratios[-1]:.2f}")
    print(
        f"{name}, {len(workload.files):,} photos, {total / 1e9:.2f} GB:"
        f" {statistics.median(ratios):.2f} times cp -r"
        f" (median of {pairs}; {min(ratios):.2f} to {max(ratios):.2f})"
    )
