"""A cluster that the user started, outside of Feedbench, and a worker that is killed in a run."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from feedbench.bench.records.storage import read_run, read_trials
from feedbench.pipelines.images.sample_photos import write_photos
from tests.support.programs.command import SMALL, Feedbench
from tests.support.programs.service_servers import Cluster, cluster
from tests.support.waiting import until

pytestmark = [pytest.mark.tensorflow, pytest.mark.faults]


def test_a_worker_that_is_killed_ends_the_trial_with_its_name_and_the_run_goes_on(
    feedbench: Feedbench, tmp_path: Path
) -> None:
    with cluster(tmp_path, workers=2) as servers:
        process = run_that_reads(feedbench, servers)
        servers.processes[servers.workers[0]].send_signal(signal.SIGKILL)
        out, err = process.communicate(timeout=120)
    run = read_run(feedbench.folder / "R")
    assert run.status == "complete", err
    assert run.blocks == 2
    (row,) = (row for row in run.rows if row.label == "service")
    (first, *_) = row.failures
    assert first == (
        "it lost a process that it needs before it had finished: the worker"
        f" localhost:{servers.workers[0]} of tf.data service refused a connection (Connection"
        " refused); its images are lost"
    ), (out, err)
    assert next(row.rate for row in run.rows if row.label != "service")


def test_a_worker_that_is_back_in_time_is_noted_and_the_run_goes_on(
    feedbench: Feedbench, tmp_path: Path
) -> None:
    with cluster(tmp_path, workers=2) as servers:
        process = run_that_reads(feedbench, servers)
        port = servers.workers[0]
        servers.processes[port].send_signal(signal.SIGKILL)
        servers.start(port)
        _, err = process.communicate(timeout=120)
    run = read_run(feedbench.folder / "R")
    assert (run.status, run.blocks) == ("complete", 2), err
    (row,) = (row for row in run.rows if row.label == "service")
    noted = f"the worker localhost:{port} of tf.data service refused a connection"
    counted = f"tf.data service lost the worker localhost:{port}"  # in the first epoch of a trial
    assert any(noted in each for each in row.remarks) or counted in "".join(row.failures), row
    assert row.rate


def run_that_reads(feedbench: Feedbench, servers: Cluster) -> subprocess.Popen[str]:
    """A run of two blocks, in whose first one the servers are read."""
    write_photos(feedbench.folder / "photos", 40)
    pipelines = ["-p", "tfdata_tuned:cache=none"]
    pipelines += ["-p", f"service=tfdata_service:address={servers.address}"]
    process = feedbench.start("run", "photos", *pipelines, *SMALL, "--blocks", "2", "--out", "R")
    until(lambda: is_read_in_a_block(feedbench.folder / "R", process.pid, servers))
    return process


def is_read_in_a_block(folder: Path, pid: int, servers: Cluster) -> bool:
    """Whether a process of the run has a connection to the first worker, after the pilots."""
    if not (folder / "trials.jsonl").exists():
        return False
    if not any(trial.purpose == "main" for trial in read_trials(folder)):
        return False
    return any(
        connection.raddr and connection.raddr.port == servers.workers[0]
        for child in psutil.Process(pid).children(recursive=True)
        for connection in child.net_connections()
    )
