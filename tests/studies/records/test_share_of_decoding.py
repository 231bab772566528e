"""How fast records are written, as a share of decoding the same photos once on all cores.

Figures to read, recorded and never asserted upon. A round is a process that has imported
TensorFlow, as one that writes records has. It writes them twice. The first time, TensorFlow's
runtime starts and builds the graph; the second time, it is there. Between these, the photos are
decoded by tf.data, at full size. That is the limit. All files are in the page cache.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from feedbench.bench.processes.workload_file import read_workload, workload_of, write_workload
from feedbench.pipelines import catalog
from feedbench.pipelines.built_in.autotune import untuned
from feedbench.pipelines.contract import Preparing, Workload
from feedbench.pipelines.images.index import index_folder
from feedbench.pipelines.images.sample_photos import write_photos

pytestmark = [pytest.mark.study, pytest.mark.tensorflow]

SPECS = ("tfrecord_sharded:store=raw", "tfrecord_sharded:store=resized", "tfrecord_sharded")
ROUNDS = 5
LARGE = 200  # photos of 2272x1704, as of a camera; FEEDBENCH_LARGE_PHOTOS names a folder of them


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if folder := os.environ.get("FEEDBENCH_LARGE_PHOTOS"):
        return Path(folder)
    photos = tmp_path_factory.mktemp("large") / "photos"
    write_photos(photos, LARGE, size=(2272, 1704))
    return photos


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("photos", ["flowers", "large"])
def test_writing_beside_decoding(
    spec: str, photos: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    index = index_folder(request.getfixturevalue(photos))
    count = len(index.files)
    workload = workload_of(index, folder_images=count, image_size=(224, 224), batch_size=32, seed=0)
    file = tmp_path / "workload.json"
    write_workload(workload, file)
    rounds = [_in_own_process(spec, file) for _ in range(ROUNDS)]
    assert len({each["sha256"] for each in rounds}) == 1
    rates = {
        what: statistics.median(count / float(each[what]) for each in rounds)
        for what in ("first", "second", "decoding")
    }
    shares = {
        what: [float(each["decoding"]) / float(each[what]) for each in rounds]
        for what in ("first", "second")
    }
    print(f"\n{spec}, {count:,} {photos}, {len(os.sched_getaffinity(0))} cores:")
    print(f"  decoding {rates['decoding']:,.0f} images/s")
    for what, name in (("first", "with its start"), ("second", "without it")):
        print(f"  writing {name}: {rates[what]:,.0f} images/s, {_shown(shares[what])} of decoding")
    print(f"  SHA-256 of all record files: {rounds[0]['sha256']}")


def measured(spec: str, workload: Workload, folder: Path) -> dict[str, float | str]:
    """Return the seconds of the first writing, the second, and of decoding; and a checksum."""
    import tensorflow as tf

    pipeline = catalog.load(catalog.parse(spec))
    assert isinstance(pipeline, Preparing)
    for file in workload.files:
        Path(file).read_bytes()

    def write(name: str) -> float:
        (folder / name).mkdir()
        begun = time.perf_counter()
        pipeline.prepare(workload, folder / name)
        return time.perf_counter() - begun

    def decode() -> float:
        def load(path: tf.Tensor) -> tf.Tensor:
            encoded = tf.io.read_file(path)
            return tf.io.decode_jpeg(encoded, 3, dct_method="INTEGER_ACCURATE")[0, 0]

        paths = tf.data.Dataset.from_tensor_slices(list(workload.files))
        dataset = paths.map(load, len(os.sched_getaffinity(0))).batch(workload.batch_size)
        dataset = untuned(dataset)
        begun = time.perf_counter()
        for _ in dataset:
            pass
        return time.perf_counter() - begun

    first = write("first")
    decode()  # its own start
    decoding = [decode()]
    second = write("second")
    decoding.append(decode())
    digest = hashlib.sha256()
    for written in sorted((folder / "second").iterdir()):
        assert written.read_bytes() == (folder / "first" / written.name).read_bytes()
        digest.update(written.read_bytes())
    return {
        "first": first,
        "second": second,
        "decoding": statistics.fmean(decoding),
        "sha256": digest.hexdigest(),
    }


def _in_own_process(spec: str, file: Path) -> dict[str, float | str]:
    words = [sys.executable, "-m", __name__, spec, str(file)]
    root = Path(__file__).parents[3]
    done = subprocess.run(words, cwd=root, capture_output=True, check=True)
    result: dict[str, float | str] = json.loads(done.stdout)
    for name in ("first", "second"):
        shutil.rmtree(file.parent / name)
    return result


def _shown(shares: list[float]) -> str:
    return f"{statistics.median(shares):.2f} ({min(shares):.2f} to {max(shares):.2f})"


if __name__ == "__main__":
    import tensorflow  # noqa: F401, ICN001 - a process that writes records has imported it

    place = Path(sys.argv[2])
    print(json.dumps(measured(sys.argv[1], read_workload(place), place.parent)))
