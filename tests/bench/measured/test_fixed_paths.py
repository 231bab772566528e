"""What a pipeline keeps at a fixed path, where its next process finds it, is noticed."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from feedbench.bench.measured import fixed_paths
from feedbench.bench.measured.fixed_paths import Writes, earlier_caches
from feedbench.bench.processes.client import Processes
from feedbench.bench.records.messages import Failed
from tests.support.programs.processes import Runner, measured_of


class Place:
    """A fixed folder, a trial's own folder, and what is written to both."""

    def __init__(self, folder: Path) -> None:
        self.fixed, self.own = folder / "fixed", folder / "own"
        self.fixed.mkdir()
        self.own.mkdir()
        self.writes = Writes([str(self.own)])

    def left(self, least_bytes: int = 1) -> list[str]:
        return [Path(path).name for path in self.writes.left(least_bytes)]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.left()


def test_a_file_that_python_wrote_outside_of_the_trials_own_folders_is_left(place: Place) -> None:
    (place.fixed / "images.npy").write_bytes(bytes(100))
    (place.own / "images.npy").write_bytes(bytes(100))
    assert place.left() == ["images.npy"]


def test_a_file_that_was_read_that_is_gone_or_that_is_small_is_not_left(place: Place) -> None:
    for name in ("gone", "small"):
        (place.fixed / name).write_bytes(bytes(100))
    (place.fixed / "gone").unlink()
    Path(__file__).read_bytes()
    assert place.left(least_bytes=101) == []


def test_a_file_that_is_open_to_write_is_left_however_it_was_opened(place: Place) -> None:
    path = place.fixed / "database"
    opened = ctypes.CDLL(None).open(os.fsencode(path), os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.write(opened, bytes(100))
        place.writes.look()
        assert place.left() == ["database"]
    finally:
        os.close(opened)


def test_a_file_that_was_open_before_the_pilot_is_not_left(tmp_path: Path) -> None:
    with (tmp_path / "output.log").open("wb") as file:
        file.write(bytes(100))
        file.flush()
        place = Place(tmp_path)
        place.writes.look()
        assert place.left() == []


def test_what_is_written_after_the_pilot_is_not_noted(place: Place) -> None:
    place.left()
    (place.fixed / "images.npy").write_bytes(bytes(100))
    assert place.left() == []


def test_what_is_no_dataset_has_no_cache() -> None:
    assert earlier_caches([], [], time.time()) == []


SAVED = """
def photos(workload):
    file = {path!r}
    if not os.path.exists(file):
        np.save(file, np.concatenate([images for images, _ in batches(workload)]))
    images = np.load(file)
    for start in range(0, len(images), workload.batch_size):
        part = slice(start, start + workload.batch_size)
        yield images[part], np.asarray(workload.labels[part], np.int32)
"""
CACHED = """
import tensorflow as tf
def photos(workload):
    spec = (tf.TensorSpec((None, 32, 32, 3)), tf.TensorSpec((None,), tf.int32))
    whole = lambda: batches(workload, missing={missing})
    dataset = tf.data.Dataset.from_generator(whole, output_signature=spec)
    return dataset.cache({path}).prefetch(2)
"""


def age(folder: Path) -> None:
    """Make a cache older than the next trial's first tenth of a second, which counts as its own."""
    for file in folder.glob("cache*"):
        os.utime(file, (1, 1))


@pytest.mark.tensorflow
@pytest.mark.thorough
class TestInTrials:
    @pytest.fixture
    def runner(self, processes: Processes, workload_file: Path, tmp_path: Path) -> Runner:
        return Runner(processes, workload_file, tmp_path)

    def test_a_pilot_names_the_file_that_its_loader_left(
        self, runner: Runner, tmp_path: Path
    ) -> None:
        text = SAVED.format(path=str(tmp_path / "images.npy"))
        (remark,) = measured_of(runner.run_loader(text)).remarks
        assert remark == fixed_paths.leaves(str(tmp_path / "images.npy"))
        assert measured_of(runner.run_loader(text)).remarks == []  # it only reads

    def test_a_cache_at_a_fixed_path_is_named_where_another_process_wrote_it(
        self, runner: Runner, tmp_path: Path
    ) -> None:
        path = str(tmp_path / "cache")
        text = CACHED.format(path=repr(path), missing=0)
        assert measured_of(runner.run_loader(text)).remarks == []
        age(tmp_path)
        assert measured_of(runner.run_loader(text)).remarks == [fixed_paths.reads(path)]

    def test_a_cache_below_the_scratch_of_each_process_is_its_own(self, runner: Runner) -> None:
        text = CACHED.format(path="workload.scratch + '/cache'", missing=0)
        remarks = [measured_of(runner.run_loader(text)).remarks for _ in range(2)]
        assert remarks == [[], []]

    def test_a_failure_with_such_a_cache_says_so_and_what_to_do(
        self, runner: Runner, tmp_path: Path
    ) -> None:
        path = str(tmp_path / "cache")
        for text in (
            CACHED.format(path=repr(path), missing=3),
            CACHED.format(path=repr(path), missing=0),
        ):
            failed: Any = runner.run_loader(text).result
            assert isinstance(failed, Failed)
            assert failed.is_wrong_work
            assert "it delivered 36 images in an epoch; expected 39" in failed.sentence
            age(tmp_path)
        assert failed.hint == fixed_paths.explained([path])
        assert failed.traceback == ""

    def test_a_lock_that_a_killed_process_left_is_explained_too(
        self, runner: Runner, tmp_path: Path
    ) -> None:
        path = str(tmp_path / "cache")
        Path(f"{path}_0.lockfile").write_text("Created at: 1")
        age(tmp_path)
        failed: Any = runner.run_loader(CACHED.format(path=repr(path), missing=0)).result
        assert isinstance(failed, Failed)
        assert failed.sentence.startswith("it raised AlreadyExistsError: ")
        assert failed.hint == fixed_paths.explained([path])
        assert "AlreadyExistsError" in failed.traceback
