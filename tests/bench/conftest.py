"""A forkserver for the tests that need TensorFlow, and what they look at."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import psutil
import pytest

from feedbench.bench.processes.client import Processes
from feedbench.bench.processes.workload_file import write_workload
from tests.builders import workload_over

if TYPE_CHECKING:
    from tests.bench.command import Feedbench

T = TypeVar("T")


@pytest.fixture(scope="session")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """A forkserver that has TensorFlow imported."""
    scratch = tmp_path_factory.mktemp("scratch")
    with Processes(scratch, scratch / "forkserver.log") as running:
        running.ready()
        yield running


@pytest.fixture
def pids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file into which loaders write the processes that are theirs. Set before a forkserver."""
    file = tmp_path / "pids"
    monkeypatch.setenv("PIDS", str(file))
    return file


@pytest.fixture
def workload_file(photos: Path, tmp_path: Path) -> Path:
    """The workload of the tests' own photos: 39 images to 32x32 in batches of 8."""
    file = tmp_path / "workload.json"
    write_workload(workload_over(photos), file)
    return file


@pytest.fixture
def feedbench(tmp_path: Path) -> Feedbench:
    """The command, in a folder of its own."""
    from tests.bench.command import Feedbench  # which waits by what stands below

    return Feedbench(tmp_path)


def alive(pids: Iterable[int]) -> list[int]:
    """Return those of the processes that are there and are no zombies."""
    found = []
    for pid in pids:
        try:
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                found.append(pid)
        except psutil.NoSuchProcess:
            continue
    return found


def gone(pids: Iterable[int], seconds: float = 10.0) -> bool:
    """Wait until none of the processes is left."""
    deadline = time.monotonic() + seconds
    while alive(pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def until(condition: Callable[[], T], seconds: float = 120.0) -> T:
    """Wait until something holds, and return what it is. Fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain"
        time.sleep(0.005)
    return found


def written(file: Path) -> list[int]:
    """Return the processes that loaders have written down."""
    return [int(line) for line in file.read_text().split()] if file.exists() else []
