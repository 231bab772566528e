"""Calls in several processes: what happens if one of them dies, or memory is short."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from feedbench.pipelines.errors import FeedbenchError, PreparationError
from feedbench.pipelines.system.pool import in_processes
from tests.support.waiting import until

# Enough for a fork, and not for a thread, whose stack takes 8 MB of addresses. Threads that a
# library begins in such a process are missing without a word.
SHORT = """
import resource, sys, time
import psutil
from feedbench.pipelines.system.pool import in_processes

def work(number):
    time.sleep(0.01)
    if sys.argv[2:]:
        bytes(1 << 33)

most = psutil.Process().memory_info().vms + int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_AS, (most, most))
done = []
in_processes(work, [(number,) for number in range(16)], 2, done.append)
print(len(done))
"""


def touch(folder: Path, number: int) -> None:
    (folder / str(number)).touch()


def test_all_calls_are_made_in_other_processes_and_counted(tmp_path: Path) -> None:
    done: list[int] = []
    in_processes(touch, [(tmp_path, number) for number in range(20)], 3, done.append)
    assert {file.name for file in tmp_path.iterdir()} == {str(number) for number in range(20)}
    assert done == list(range(1, 21))


@pytest.mark.parametrize("spare", [1 << 17, 1 << 22, 9_000_000])
def test_where_memory_is_too_short_for_a_thread_the_work_is_done(spare: int) -> None:
    command = [sys.executable, "-c", SHORT, str(spare)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=20)
    assert ended.stdout == "16\n", ended.stderr


def test_where_memory_runs_out_in_a_process_a_sentence_says_so() -> None:
    command = [sys.executable, "-c", SHORT, "1000000", "allocate"]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=20)
    *_, sentence, hint = ended.stderr.splitlines()
    assert sentence.endswith("FeedbenchError: there was no memory left to write files")
    assert hint.startswith("hint: free some memory")


def test_where_no_process_can_be_started_for_want_of_memory_a_sentence_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse() -> int:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    monkeypatch.setattr(os, "fork", refuse)
    with pytest.raises(FeedbenchError, match="no memory left"):
        in_processes(touch, [(tmp_path, 1)], 2)


def kill_itself_at(folder: Path, number: int) -> None:
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.1)
    touch(folder, number)


def test_a_process_that_is_killed_ends_the_work_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(FeedbenchError, match=r"was killed \(out of memory\?\)"):
        in_processes(kill_itself_at, [(tmp_path, number) for number in range(50)], 2)
    assert len([*tmp_path.iterdir()]) < 10


def raise_at(folder: Path, number: int) -> None:
    if number == 0:
        until((folder / "begun").exists)
        raise PreparationError("no room", hint="free some")
    (folder / "begun").touch()
    time.sleep(0.2)
    touch(folder, number)


def test_after_an_error_calls_that_were_begun_are_completed_and_no_others(tmp_path: Path) -> None:
    with pytest.raises(PreparationError, match="no room") as error:
        in_processes(raise_at, [(tmp_path, number) for number in range(50)], 2)
    assert error.value.hint == "free some"
    assert "raise_at" in error.value.__notes__[0]  # where, for the log
    assert {file.name for file in tmp_path.iterdir()} == {"begun", "1"}


class Unpicklable(Exception):  # noqa: N818
    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} and {second}")


def raise_unpicklable() -> None:
    raise Unpicklable("this", "that")


def test_an_exception_that_no_other_process_can_read_is_reported_by_its_text() -> None:
    with pytest.raises(RuntimeError, match="Unpicklable: this and that"):
        in_processes(raise_unpicklable, [()], 1)
