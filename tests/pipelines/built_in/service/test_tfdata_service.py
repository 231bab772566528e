"""tf.data service, with servers that a trial starts on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from feedbench.bench.processes.client import what_went_wrong
from feedbench.bench.processes.underway import Outcome
from feedbench.bench.records.messages import Ended
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.run.measuring.schedule import Lineup
from feedbench.pipelines import catalog
from feedbench.pipelines.augmentation.ranges import Augmentation
from feedbench.pipelines.built_in.service.served_records import ServedRecords
from feedbench.pipelines.built_in.service.tfdata_service import TfdataService
from feedbench.pipelines.built_in.tfrecord.tfrecord_sharded import TfrecordSharded
from feedbench.pipelines.contract import Preparing, Workload
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.forms import Fit
from feedbench.pipelines.system.signals import LOST_EXIT_CODE

PHOTOS = Workload(
    folder="/photos",
    files=("/photos/a.jpg",),
    labels=(0,),
    class_names=("cats",),
    folder_images=1,
    height=32,
    width=32,
)
SCRIPT = """
import json, multiprocessing, os, signal, socket, sys, time
from pathlib import Path

import tensorflow as tf

import psutil
from feedbench.bench.machine.process_tree import TreeMeter
from feedbench.pipelines.built_in.service import servers
from feedbench.pipelines.augmentation.ranges import Augmentation
from feedbench.pipelines.built_in.service.served_records import ServedRecords
from feedbench.pipelines.built_in.service.tfdata_service import TfdataService
from tests.support.builders import natural_photos
from tests.support.pipelines.feeds import proof_of

folder = Path(sys.argv[1])
workload = natural_photos(folder / "photos", 40, side=64, batch_size=16)

def opened(**knobs):
    return TfdataService(**knobs).open(workload, folder, folder)

core = min(os.sched_getaffinity(0))
dynamic = opened(cores=str(core), compression="none")
found = {"batches": [sorted(len(labels) for _, labels in dynamic) for _ in range(2)]}
this = psutil.Process()
children = {server.name: psutil.Process(server.process.pid) for server in servers.RUNNING}
found["pinned"] = [child.cpu_affinity() == [core] for child in children.values()]
found["groups"] = [os.getpgid(child.pid) == os.getpgid(0) for child in children.values()]
found["metered"] = {child.pid for child in children.values()} <= set(
    TreeMeter(lambda: this.pid).read().processes)
found["work"] = proof_of(folder, dynamic, workload).work
prepared = folder / "records"
prepared.mkdir()
records = ServedRecords(compression="none")
records.prepare(workload, prepared)
found["files"] = len([*prepared.iterdir()])
served = records.open(workload, prepared, folder)
found["records"] = [sorted(len(labels) for _, labels in served) for _ in range(2)]
found["work of records"] = proof_of(folder, served, workload).work
try:
    list(opened(sharding="off"))
except Exception as error:
    found["off"] = str(error)
print(json.dumps(found), flush=True)
os.kill(children["worker 2 of 2"].pid, signal.SIGKILL)
for _ in dynamic.repeat():
    time.sleep(0.01)
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """A process that opens the pipeline and loses a worker; it prints what it found before."""
    folder = tmp_path_factory.mktemp("service")
    command = [sys.executable, "-c", SCRIPT, str(folder)]
    environment = os.environ | {"PYTHONPATH": str(Path.cwd())}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, env=environment, check=False
    )


@pytest.fixture(scope="module")
def found(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.stdout, done.stderr
    printed: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return printed


@pytest.mark.tensorflow
@pytest.mark.thorough
class TestServersOfThisMachine:
    def test_an_epoch_has_each_image_once_and_one_short_batch_a_worker_at_most(
        self, found: dict[str, Any]
    ) -> None:
        for sizes in found["batches"]:
            assert sum(sizes) == 40
            assert len([size for size in sizes if size < 16]) <= 2

    def test_the_work_is_proven_to_be_the_same(self, found: dict[str, Any]) -> None:
        assert found["work"] == "same"

    def test_workers_read_record_files_too_and_share_them(self, found: dict[str, Any]) -> None:
        assert found["files"] == 40
        for sizes in found["records"]:
            assert sum(sizes) == 40
        assert found["work of records"] == "same"

    def test_its_servers_are_stopped_and_metered_with_the_trial(
        self, found: dict[str, Any]
    ) -> None:
        assert found["groups"] == [True] * 3
        assert found["metered"]

    def test_only_workers_are_pinned(self, found: dict[str, Any]) -> None:
        assert sorted(found["pinned"][1:]) == [True, True]

    def test_without_sharding_images_are_counted_and_named_as_doubled(
        self, found: dict[str, Any]
    ) -> None:
        assert found["off"] == (
            "images are repeated: sharding=off gives each of the 2 workers all 40 images, and an"
            " epoch had 80, each 2 times\nhint: use sharding=dynamic, or workers=1"
        )

    def test_a_worker_that_is_killed_ends_the_trial_with_its_name(
        self, done: subprocess.CompletedProcess[str]
    ) -> None:
        assert done.returncode == LOST_EXIT_CODE
        assert done.stderr.rstrip().endswith(
            "the worker 2 of 2 of tf.data service was killed by SIGKILL; its images are lost"
        )


def test_a_lost_process_is_an_accident_and_the_pipeline_runs_in_the_next_block() -> None:
    ended = Ended(trial=1, exit_code=LOST_EXIT_CODE, signal=None)
    outcome = Outcome(result=None, ended=ended, over_limit=None, seconds=1.0, asked_at=0.0)
    assert what_went_wrong(outcome) == "it lost a process that it needs before it had finished"
    spec = catalog.parse("tfdata_service")
    record = TrialRecord(
        label=spec.label,
        spec=spec.text,
        purpose="main",
        block=1,
        attempt=1,
        started_at="",
        seconds=1.0,
        ended="failed",
        exit_code=LOST_EXIT_CODE,
    )
    lineup = Lineup({spec.label: spec}, {spec.label: 1.0})
    assert lineup.after([record]).labels == (spec.label,)
    assert lineup.after([record, record]).labels == ()


@pytest.mark.parametrize(
    ("knobs", "sentence"),
    [
        ("address=host", "address expects none or grpc://HOST:PORT; found 'host'"),
        ("cores=a", "cores expects all, or cores such as 0-3 or 0+2; found 'a'"),
        ("cache=memory", "cache expects none; found 'memory'"),
        ("workers=0", "workers expects a whole number from 1 to 256; found '0'"),
    ],
)
def test_a_bad_value_is_named_with_what_is_accepted(knobs: str, sentence: str) -> None:
    with pytest.raises(RequestError) as refused:
        catalog.load(catalog.parse(f"tfdata_service:{knobs}"))
    assert refused.value.sentence == f"tfdata_service: {sentence}"


def test_the_knobs_of_record_files_come_with_their_pipeline() -> None:
    spec = catalog.parse(
        "tfdata_service:of=tfrecord_sharded,store=resized,workers=3,compression=none"
    )
    pipeline = catalog.load(spec)
    assert isinstance(pipeline, ServedRecords)
    assert isinstance(pipeline, Preparing)
    assert not isinstance(TfdataService(), Preparing)
    workload = replace(PHOTOS, files=("a",) * 1000, labels=(0,) * 1000)
    run = pipeline.in_workers(workload)
    assert run == TfrecordSharded(store="resized", shards=96, prefetch="none")
    with pytest.raises(RequestError, match="tfdata_service has no knob 'store'"):
        catalog.load(catalog.parse("tfdata_service:store=raw"))
    with pytest.raises(RequestError, match="of expects tfdata_tuned or tfrecord_sharded"):
        catalog.load(catalog.parse("tfdata_service:of=threads"))
    with pytest.raises(RequestError, match="stored_size=8: expected at least 32"):
        ServedRecords(store="resized", stored_size=8).refuse(Fit(), (32, 32))


def test_workers_share_the_cores_that_are_named_in_turn() -> None:
    assert TfdataService(workers=3, cores="4+0-1").worker_cores == (4, 0, 1)
    assert TfdataService(workers=3, cores="0-1").worker_cores == (0, 1, 0)
    with pytest.raises(RequestError, match="cores=3-1: expected the lower core first"):
        TfdataService(cores="3-1").refuse(Fit(), (32, 32))
    with pytest.raises(RequestError, match=r"cores: expected some of .*; found 4095"):
        TfdataService(cores="4095").refuse(Fit(), (32, 32))


def test_augmentation_in_the_workers_is_refused_because_it_would_be_frozen() -> None:
    flip = Augmentation(flip=True)
    with pytest.raises(RequestError, match="would augment every epoch alike"):
        TfdataService().refuse(Fit(), (32, 32), flip)
    TfdataService(augment_in="model").refuse(Fit(), (32, 32), flip)


def test_only_a_cluster_that_is_there_already_makes_trials_run_one_at_a_time() -> None:
    assert not catalog.is_elsewhere(catalog.parse("tfdata_service:workers=4"))
    assert catalog.is_elsewhere(catalog.parse("tfdata_service:address=grpc://host:5050"))
