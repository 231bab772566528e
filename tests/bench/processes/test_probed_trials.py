"""Trials of real processes on a machine that is probed around them."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from feedbench.bench.machine.monitor import Monitor
from feedbench.bench.machine.speed_probe import Probe
from feedbench.bench.processes.client import Processes
from feedbench.bench.processes.limit import Limit
from feedbench.bench.processes.run_folder import RunFolder
from feedbench.bench.processes.trials import Trials
from feedbench.bench.records.conditions.calm import Speed
from feedbench.bench.records.storage import read_trials
from feedbench.pipelines.catalog import parse
from tests.support.builders import measured_in
from tests.support.pace import CALM
from tests.support.pipelines import loaders

pytestmark = pytest.mark.tensorflow


@pytest.mark.thorough
def test_nothing_of_a_trial_is_alive_while_a_probe_runs_and_what_it_read_is_on_disk(
    processes: Processes, workload_file: Path, tmp_path: Path
) -> None:
    alive: list[list[int]] = []
    probe = Probe()

    def watched() -> Speed:
        assert processes.forkserver is not None
        before = psutil.Process(processes.forkserver).children(recursive=True)
        speed = probe()
        after = psutil.Process(processes.forkserver).children(recursive=True)
        alive.append([child.pid for child in (*before, *after)])
        return speed

    folder = RunFolder(tmp_path / "R")
    folder.create()
    (tmp_path / "scratch").mkdir()
    machine = Monitor(watched, pace=CALM)
    trials = Trials(
        processes,
        folder,
        tmp_path / "scratch",
        ("naive", "mine"),
        fresh_interpreter=False,
        machine=machine,
        pace=CALM,
    )
    loader = loaders.write_loader(tmp_path, loaders.GOOD)
    for spec in (parse("naive=tfdata_naive"), parse(f"mine={loader}:photos")):
        record = trials.run(spec, "main", workload_file, Limit(60.0), 1)
        assert record.ended == "measured", record.why
        assert record.around is not None
        assert measured_in(record).run_delay_seconds is not None
    assert len(alive) >= 15 + 3
    assert not any(alive)
    assert [trial.around is not None for trial in read_trials(folder.path)] == [True, True]
    assert 0 < machine.probe_seconds < 60


def test_a_pilot_and_a_proof_are_not_probed(
    processes: Processes, workload_file: Path, tmp_path: Path
) -> None:
    def never() -> Speed:
        raise AssertionError

    folder = RunFolder(tmp_path / "R")
    folder.create()
    (tmp_path / "scratch").mkdir()
    trials = Trials(
        processes,
        folder,
        tmp_path / "scratch",
        ("naive",),
        fresh_interpreter=False,
        machine=Monitor(never),
    )
    record = trials.run(parse("naive=tfdata_naive"), "pilot", workload_file, Limit(60.0))
    assert (record.ended, record.around) == ("measured", None)
