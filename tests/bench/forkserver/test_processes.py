"""A fresh process per trial: how it ends, and that nothing of it is left. Real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from feedbench.bench.processes.client import Processes, fault_of, what_went_wrong
from feedbench.bench.processes.underway import Outcome
from feedbench.bench.records.messages import Edge, Event, Purpose, Started
from feedbench.bench.records.trial import Fault
from tests.support.pace import CALM
from tests.support.pipelines import loaders
from tests.support.programs.processes import Runner, measured_of
from tests.support.waiting import gone, until, written

pytestmark = pytest.mark.tensorflow


@pytest.fixture
def runner(processes: Processes, workload_file: Path, tmp_path: Path) -> Runner:
    return Runner(processes, workload_file, tmp_path, CALM)


@pytest.fixture
def own_runner(pids: Path, workload_file: Path, tmp_path: Path) -> Iterator[Runner]:
    """A runner with a forkserver of its own, whose children know where to write their pids."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with Processes(scratch, tmp_path / "forkserver.log") as processes:
        yield Runner(processes, workload_file, tmp_path, CALM)


def test_a_trial_goes_through_all_phases_and_says_each_edge(runner: Runner) -> None:
    outcome = runner.run("tfdata_naive", "main")
    measured = measured_of(outcome)
    assert measured.continuous
    assert measured.first_epoch_images == 39
    assert len(measured.epoch_seconds) == len(measured.turnover_seconds) >= 1
    assert all(0 < t < e for t, e in zip(*_turnovers_and_epochs(outcome), strict=True))
    edges = [event.at for event in runner.events if isinstance(event, Edge)]
    assert len(edges) == len(measured.windows) + 1
    assert edges[-1] - edges[0] == pytest.approx(sum(w.seconds for w in measured.windows))
    assert measured.knobs["graph_rewrites"] == "default"


def test_every_trial_has_a_process_of_its_own(runner: Runner) -> None:
    for _ in range(2):
        runner.run("tfdata_naive")
    started = [event.pid for event in runner.events if isinstance(event, Started)]
    assert len(set(started)) == 2
    assert gone(started)


def test_a_fresh_interpreter_speaks_the_same(runner: Runner) -> None:
    outcome = runner.run("tfdata_naive", fresh_interpreter=True)
    assert measured_of(outcome).first_epoch_images == 39


def test_a_generator_can_only_be_restarted(runner: Runner) -> None:
    outcome = runner.run_loader(loaders.GOOD, "main")
    assert not measured_of(outcome).continuous


@pytest.mark.thorough
def test_the_workers_of_a_py_dataset_read_its_batches_and_are_gone_in_the_end(
    own_runner: Runner, pids: Path
) -> None:
    outcome = own_runner.run_loader(loaders.PY_DATASET, "main")
    measured = measured_of(outcome)
    assert not measured.continuous  # fit, too, starts the workers anew for each epoch
    assert measured.remarks == [
        "its PyDataset is read as fit() does, by 2 processes (max_queue_size=10)"
    ]
    (trial,) = [event.pid for event in own_runner.events if isinstance(event, Started)]
    workers = set(written(pids)) - {trial}
    assert len(workers) >= 2 * 2  # of several epochs
    assert len(written(pids)) > 5 * 2  # batches; the trial itself has read two, for their shapes
    assert written(pids).count(trial) == 2
    assert gone([trial, *workers])


def test_the_last_iterator_is_not_torn_down(runner: Runner) -> None:
    """With AUTOTUNE that may take seconds, and a trial would be over its limit for it."""
    outcome = runner.run_loader(loaders.SLOW_TO_TEAR_DOWN, "main", limit=40.0)
    measured_of(outcome)
    assert outcome.over_limit is None


def test_what_a_loader_warns_of_is_a_remark(runner: Runner) -> None:
    text = (
        'import warnings\ndef photos(w):\n    warnings.warn("mind the gap")\n    return batches(w)'
    )
    outcome = runner.run_loader(text)
    assert measured_of(outcome).remarks == ["mind the gap"]


@pytest.mark.parametrize(
    ("text", "fault", "expected"),
    [
        *(
            pytest.param(*case, marks=pytest.mark.thorough)
            for case in (
                (loaders.NOTHING, Fault.WRONG_WORK, "returned None; expected an iterable of"),
                (loaders.EMPTY, Fault.WRONG_WORK, "it delivered 0 images in an epoch; expected 39"),
                (loaders.TOO_MANY, Fault.WRONG_WORK, "expected 39, every image once, and then"),
                (loaders.ENDLESS, Fault.WRONG_WORK, "expected 39, every image once, and then"),
                (loaders.KILLED, Fault.KILLED, "it was killed by SIGKILL"),
            )
        ),
        (loaders.TOO_FEW, Fault.WRONG_WORK, "it delivered 36 images in an epoch; expected 39"),
        (loaders.RAISES, Fault.RAISED, "it raised RuntimeError: the disk is on fire"),
        (loaders.EXITS, Fault.EXITED, "it exited with code 3 before it had finished"),
        (loaders.SEGFAULTS, Fault.KILLED, "it was killed by SIGSEGV"),
    ],
)
def test_a_bad_loader_costs_its_trial_only(
    runner: Runner, text: str, fault: Fault, expected: str
) -> None:
    outcome = runner.run_loader(text)
    assert fault_of(outcome) is fault
    assert expected in (what_went_wrong(outcome) or "")
    measured_of(runner.run("tfdata_naive"))


def test_values_out_of_range_are_named(runner: Runner) -> None:
    text = "def photos(w):\n    return [(i * 255, l) for i, l in batches(w)]\n"
    wrong = what_went_wrong(runner.run_loader(text)) or ""
    assert wrong.startswith("it delivered values from")
    assert wrong.endswith("expected 0 to 1; use --range 0..255 for these values")


def test_a_trial_that_hangs_is_ended_at_its_limit(own_runner: Runner, pids: Path) -> None:
    def wait_until_it_hangs(event: Event) -> None:
        if isinstance(event, Started):
            until(lambda: written(pids))

    own_runner.events = _Calling(wait_until_it_hangs)
    outcome = own_runner.run_loader(loaders.HANGS, limit=2.0)
    assert what_went_wrong(outcome) == "it exceeded its limit of 2 s and was ended"
    assert len(written(pids)) == 1
    assert gone(written(pids))


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("spec", "purpose"),
    [("tfdata_naive", "pilot"), ("tfrecord_sharded", "prepare"), ("", "references")],
)
def test_a_process_that_is_stopped_is_ended_at_its_limit(
    spec: str, purpose: Purpose, runner: Runner
) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, Started):
            os.kill(event.pid, signal.SIGSTOP)

    runner.events = _Calling(stop)
    outcome = runner.run(spec, purpose, limit=1.0)
    assert what_went_wrong(outcome) == "it exceeded its limit of 1 s and was ended"
    assert gone(event.pid for event in runner.events if isinstance(event, Started))


def test_an_error_of_many_characters_is_a_sentence_and_the_next_trial_works(
    runner: Runner,
) -> None:
    text = 'def photos(workload):\n    raise RuntimeError("too long\\n" * 25_000)\n'
    wrong = what_went_wrong(runner.run_loader(text)) or ""
    assert wrong.startswith("it raised RuntimeError: too long too long")
    assert len(wrong.splitlines()) == 1
    assert len(wrong) < 600
    measured_of(runner.run("tfdata_naive"))


def test_a_trials_workers_go_with_it(own_runner: Runner, pids: Path) -> None:
    outcome = own_runner.run_loader(loaders.WITH_WORKERS)
    measured_of(outcome)
    assert len(written(pids)) == 2
    assert gone(written(pids))


def test_a_killed_forkserver_costs_its_trial_only(own_runner: Runner, pids: Path) -> None:
    def kill_server(event: Event) -> None:
        if isinstance(event, Started):
            until(lambda: written(pids))
            psutil.Process(event.pid).parent().kill()  # type: ignore[union-attr]

    own_runner.events = _Calling(kill_server)
    outcome = own_runner.run_loader(loaders.HANGS, limit=60.0)
    assert what_went_wrong(outcome) == "the forkserver died during it"
    assert gone(written(pids))
    own_runner.events = []
    measured_of(own_runner.run("tfdata_naive"))


def test_nothing_outlives_a_killed_parent(pids: Path, workload_file: Path, tmp_path: Path) -> None:
    loader = loaders.write_loader(tmp_path, loaders.HANGS_WITH_WORKERS)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    parent = subprocess.Popen(
        [sys.executable, __file__, str(loader), str(workload_file), str(scratch)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
    )

    def both_workers() -> bool:
        assert parent.poll() is None
        return len(written(pids)) == 2

    until(both_workers)
    family = [child.pid for child in psutil.Process(parent.pid).children(recursive=True)]
    assert len({*family, *written(pids)}) == 4  # forkserver, trial, two workers
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert gone({*family, *written(pids)})
    assert not scratch.exists()


class _Calling(list[Event]):
    """A list that hands on what is appended."""

    def __init__(self, call: object) -> None:
        super().__init__()
        self._call = call

    def append(self, event: Event) -> None:
        super().append(event)
        self._call(event)  # type: ignore[operator]


def _turnovers_and_epochs(outcome: Outcome) -> tuple[list[float], list[float]]:
    measured = measured_of(outcome)
    return measured.turnover_seconds, measured.epoch_seconds


if __name__ == "__main__":
    loader_file, workload, scratch_folder = sys.argv[1:]
    with Processes(Path(scratch_folder), Path(scratch_folder) / "log") as running:
        Runner(running, Path(workload), Path(scratch_folder)).run(f"{loader_file}:photos")
