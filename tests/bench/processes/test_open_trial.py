"""Trials that take turns, in real processes: none works while it is stopped, and none is lost."""

from __future__ import annotations

import os
import signal
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from feedbench.bench.processes.client import Processes
from feedbench.bench.processes.limit import Limit
from feedbench.bench.processes.open_trial import OpenTrial
from feedbench.bench.processes.run_folder import RunFolder
from feedbench.bench.processes.trials import Trials
from feedbench.bench.records.trial import Fault
from feedbench.bench.records.turns import Turn
from feedbench.pipelines.catalog import parse
from tests.support.pace import CALM
from tests.support.pipelines import loaders

pytestmark = pytest.mark.tensorflow

PERIOD, BUFFERED = 0.02, 64  # seconds a batch; batches that a producer works ahead
RATE = 8 / PERIOD  # images/s, of batches of 8
LIMIT = Limit(60.0)
KNOWN = f"""
import itertools, multiprocessing, queue, threading

def produced(workload):
    known = list(batches(workload))
    for batch in itertools.cycle(known):
        time.sleep({PERIOD})
        yield batch

class Feed:
    def __init__(self, workload):
        self.workload = workload
    def __iter__(self):
        return batches(self.workload)
    def repeat(self):
        return self.ahead(produced(self.workload))
    def ahead(self, batches):
        return batches

class Threaded(Feed):
    def ahead(self, batches):
        ready = queue.Queue({BUFFERED})
        def work():
            for batch in batches:
                ready.put(batch)
        threading.Thread(target=work, daemon=True).start()
        return iter(ready.get, None)

class Worked(Feed):
    def ahead(self, batches):
        ready = multiprocessing.get_context("fork").Queue({BUFFERED})
        def work():
            os.setsid()
            for batch in batches:
                ready.put(batch)
        worker = multiprocessing.get_context("fork").Process(target=work, daemon=True)
        worker.start()
        return iter(ready.get, None)

class Timed(Feed):
    def ahead(self, batches):
        known = list(itertools.islice(batches, self.workload.images // 8 + 1))
        begun = time.monotonic()
        for number in itertools.count(1):
            time.sleep(max(begun + number * {PERIOD} - time.monotonic(), 0))
            yield known[(number - 1) % len(known)]

class Dies(Feed):
    def ahead(self, batches):
        begun = time.monotonic()
        for batch in batches:
            if time.monotonic() - begun > 2.5:
                os._exit(3)
            yield batch

plain, threaded, worked, timed, dies = Feed, Threaded, Worked, Timed, Dies
"""


@contextmanager
def opened(
    names: tuple[str, ...], processes: Processes, workload: Path, folder: Path
) -> Iterator[tuple[Trials, list[OpenTrial]]]:
    """Open a trial of each of the known pipelines, one after the other; all are stopped."""
    file = loaders.write_loader(folder, KNOWN)
    run, scratch = RunFolder(folder / "R"), folder / "scratch"
    run.create()
    scratch.mkdir()
    trials = Trials(processes, run, scratch, names, fresh_interpreter=False, pace=CALM)
    specs = [parse(f"{name}={file}:{name}") for name in names]
    yield trials, [trials.open(spec, "main", workload, LIMIT, 1) for spec in specs]


def taken(trial: OpenTrial, number: int) -> Turn:
    turn = trial.take(number, 20.0, 0.4)
    assert turn is not None
    return turn


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("plain", marks=pytest.mark.thorough),
        "threaded",
        pytest.param("worked", marks=pytest.mark.thorough),
        pytest.param("timed", marks=pytest.mark.thorough),
    ],
)
def test_a_known_rate_is_read_in_turns_although_batches_are_ready_after_a_pause(
    name: str, processes: Processes, workload_file: Path, tmp_path: Path
) -> None:
    with opened((name,), processes, workload_file, tmp_path) as (trials, (trial,)):
        assert trial.is_ready
        turns = []
        for number in range(1, 5):
            time.sleep(0.5)  # in which 25 batches would become ready, if it were not stopped
            turns.append(taken(trial, number))
        record = trials.close(trial, LIMIT)
    assert _is_known(statistics.median(turn.rate for turn in turns))
    assert all(turn.is_settled for turn in turns)
    assert record.ended == "measured"
    assert record.turns == turns
    assert record.seconds < 30 - 4 * 0.5


@pytest.mark.thorough
def test_a_worker_that_has_left_the_group_is_stopped_as_well(
    processes: Processes, workload_file: Path, tmp_path: Path
) -> None:
    with opened(("worked",), processes, workload_file, tmp_path) as (trials, (trial,)):
        assert trial.pid is not None
        workers = psutil.Process(trial.pid).children(recursive=True)
        assert [os.getpgid(worker.pid) == trial.pid for worker in workers] == [False]
        trial.stop_outside(workers[0].pid)
        assert _is_stopped(workers[0])
        taken(trial, 1)
        assert _is_stopped(workers[0])
        trials.close(trial, LIMIT)
        assert not workers[0].is_running()


@pytest.mark.thorough
def test_a_trial_that_dies_in_its_turn_fails_and_the_other_goes_on(
    processes: Processes, workload_file: Path, tmp_path: Path
) -> None:
    with opened(("dies", "plain"), processes, workload_file, tmp_path) as (trials, both):
        dying, other = both
        for number in range(1, 20):
            if not dying.is_ready or dying.take(number, 20.0, 0.4) is None:
                break
        taken(other, 20)
        records = [trials.close(trial, LIMIT) for trial in both]
    assert [record.ended for record in records] == ["failed", "measured"]
    assert records[0].fault is Fault.EXITED


@pytest.mark.thorough
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_trial_that_is_killed_while_it_is_stopped_fails_and_the_other_goes_on(
    number: signal.Signals, processes: Processes, workload_file: Path, tmp_path: Path
) -> None:
    with opened(("threaded", "plain"), processes, workload_file, tmp_path) as (trials, both):
        killed, other = both
        assert killed.pid is not None
        os.kill(killed.pid, number)
        assert _is_known(taken(other, 1).rate)
        assert killed.take(2, 20.0) is None
        records = [trials.close(trial, LIMIT) for trial in both]
    assert [record.ended for record in records] == ["failed", "measured"]
    assert records[0].fault is Fault.KILLED


@pytest.mark.thorough
def test_a_trial_whose_turn_takes_too_long_is_ended(
    processes: Processes, workload_file: Path, tmp_path: Path
) -> None:
    with opened(("plain",), processes, workload_file, tmp_path) as (trials, (trial,)):
        assert trial.take(1, 0.5, 30.0) is None
        record = trials.close(trial, LIMIT)
    assert record.fault is Fault.OVER_LIMIT


def _is_known(rate: float) -> bool:
    """Return whether a rate may be the known one. A busy machine sleeps longer, never less.

    Batches that were ready after a pause would make it several times as high.
    """
    return 0.4 * RATE < rate < 1.1 * RATE


def _is_stopped(process: psutil.Process) -> bool:
    deadline = time.monotonic() + 2.0
    while process.status() != psutil.STATUS_STOPPED and time.monotonic() < deadline:
        time.sleep(0.01)
    return bool(process.status() == psutil.STATUS_STOPPED)
