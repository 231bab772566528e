"""Shared memory that a trial left is removed, however the trial ends. Real processes."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from feedbench.bench.processes.client import Processes, what_went_wrong
from feedbench.bench.processes.folders.trial_log import last_line
from tests.support.pace import CALM
from tests.support.programs.processes import Runner, measured_of
from tests.support.waiting import alive, written

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="there is no /dev/shm"),
]

# As Grain's workers leave batches that nobody has taken yet. A worker that lives keeps the tracker
# from ending.
LEAVES = """
from multiprocessing import shared_memory

def photos(workload):
    left = shared_memory.SharedMemory(name={name!r}, create=True, size=1 << 20)
    left.buf[:] = bytes(1 << 20)
    if os.fork() == 0:
        time.sleep(600)
    {then}
"""


@pytest.fixture
def name() -> Iterator[str]:
    """The name of shared memory that is not there, and is removed if a test leaves it."""
    name = f"feedbench-test-{secrets.token_hex(8)}"
    yield name
    left_in_memory(name).unlink(missing_ok=True)


@pytest.fixture
def runner(processes: Processes, workload_file: Path, tmp_path: Path) -> Runner:
    return Runner(processes, workload_file, tmp_path, CALM)


def left_in_memory(name: str) -> Path:
    return Path("/dev/shm") / name


def test_what_a_trial_left_in_shared_memory_is_removed(runner: Runner, name: str) -> None:
    measured_of(runner.run_loader(LEAVES.format(name=name, then="return batches(workload)")))
    assert not left_in_memory(name).exists()


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("then", "wrong"),
    [
        ("os._exit(3)", "it exited with code 3"),
        ("os.kill(os.getpid(), 9)", "it was killed by SIGKILL"),
        ("time.sleep(600)", "it exceeded its limit of 2 s"),
        ("os.kill(0, 19)", "it exceeded its limit of 2 s"),  # the tracker is stopped as well
    ],
    ids=["exits", "killed", "hangs", "stopped"],
)
def test_it_is_removed_after_a_bad_end_too_and_the_trials_own_last_words_count(
    runner: Runner, name: str, tmp_path: Path, then: str, wrong: str
) -> None:
    then = f'print("the last words", flush=True); {then}'
    outcome = runner.run_loader(LEAVES.format(name=name, then=then), limit=2.0)
    assert (what_went_wrong(outcome) or "").startswith(wrong)
    assert not left_in_memory(name).exists()
    assert "resource_tracker" in (tmp_path / "log").read_text()
    assert last_line(tmp_path / "log") == "the last words"


@pytest.mark.thorough
def test_a_tracker_that_does_not_end_is_killed(pids: Path, runner: Runner) -> None:
    loader = f"""
import subprocess

def photos(workload):
    sleeping = "import time; time.sleep(600)"
    words = [sys.executable, "-c", sleeping, "multiprocessing.resource_tracker"]
    with open({str(pids)!r}, "w") as file:
        print(subprocess.Popen(words).pid, file=file)
    return batches(workload)
"""
    measured_of(runner.run_loader(loader))
    assert len(written(pids)) == 1
    assert alive(written(pids)) == []
