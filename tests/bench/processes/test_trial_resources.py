"""What real trials take beside time, workers included, beside what the workers say themselves."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from feedbench.bench.machine.gpu import GpuMeter
from feedbench.bench.machine.meters import Meters, Recorder
from feedbench.bench.machine.process_tree import TreeMeter
from feedbench.bench.processes.client import Processes
from feedbench.bench.processes.limit import Limit
from feedbench.bench.processes.run_folder import RunFolder
from feedbench.bench.processes.trials import Trials
from feedbench.bench.records.conditions.usage import Usage
from feedbench.bench.records.messages import Edge, Event
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.records.windows import counted, counted_from
from feedbench.pipelines.catalog import parse
from tests.support.builders import measured_in
from tests.support.pipelines import loaders
from tests.support.programs.nvml import Nvml
from tests.support.programs.processes import Runner, measured_of

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.alone,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc here"),
]

BURN = 0.1  # seconds of CPU time, of each of two workers in each epoch
HELD = 50_000_000  # bytes
LOG_STEP = 0.01  # seconds of CPU time, after which a busy worker writes down what it has used

ONCE = """
known = []
def once(workload):  # reads the images in the first epoch only
    known.extend([] if known else batches(workload))
    return known
"""
IDLE_EACH_EPOCH = f"""{ONCE}
def photos(workload):
    *first, last = once(workload)
    yield from first
    time.sleep({BURN})
    yield last
"""
WORKERS_EACH_EPOCH = f"""{ONCE}
import subprocess
BURN = "import time\\nwhile time.process_time() < {BURN}: pass"

def photos(workload):
    workers = [subprocess.Popen([sys.executable, "-S", "-c", BURN]) for _ in range(2)]
    *first, last = once(workload)
    yield from first
    for worker in workers:
        worker.wait()
    yield last
"""
BUSY_WORKERS = f"""
def work(log):
    held = b"x" * {HELD}
    step = 0.0
    while True:
        if time.process_time() >= step:
            step = time.process_time() + {LOG_STEP}
            os.pwrite(log, f"{{time.process_time():020.9f}}".encode(), 0)

def start(name):
    log = os.open(f"LOGS/{{name}}", os.O_CREAT | os.O_WRONLY)
    if os.fork() == 0:
        work(log)

class Feed:
    def __init__(self, batches):
        self.batches = batches
    def __iter__(self):
        return iter(self.batches)
    def repeat(self):
        while True:
            for batch in self.batches:
                time.sleep(0.01)
                yield batch

def photos(workload):
    start("child")
    orphan = os.fork()
    if orphan == 0:
        os.setsid()
        start("orphan")
        os._exit(0)
    os.waitpid(orphan, 0)
    while any(os.stat(f"LOGS/{{name}}").st_size == 0 for name in ("child", "orphan")):
        time.sleep(0.01)
    return Feed(list(batches(workload)))
"""
Measure = Callable[[str], TrialRecord]


@pytest.fixture
def measure(processes: Processes, workload_file: Path, tmp_path: Path) -> Measure:
    """What measures a loader in a trial that is recorded."""
    folder, scratch = RunFolder(tmp_path / "R"), tmp_path / "scratch"
    folder.create()
    scratch.mkdir()

    def measured(text: str) -> TrialRecord:
        spec = f"{loaders.write_loader(tmp_path, text)}:photos"
        with Meters(GpuMeter(Nvml())) as meters:
            trials = Trials(
                *(processes, folder, scratch, ("a",)), fresh_interpreter=False, meters=meters
            )
            record = trials.run(parse(f"a={spec}"), "main", workload_file, Limit(100.0), 1)
        assert record.ended == "measured", record.why
        return record

    return measured


def used(record: TrialRecord) -> tuple[Usage, float, int]:
    """What a trial used, its CPU-seconds, and the epochs of its windows that count."""
    assert record.usage is not None
    assert record.usage.cpu_seconds is not None
    images = sum(window.images for window in counted(measured_in(record).windows))
    return record.usage, record.usage.cpu_seconds, images // 39


@pytest.mark.thorough
def test_workers_that_were_started_and_ended_in_each_epoch_are_counted(measure: Measure) -> None:
    usage, cpu_seconds, epochs = used(measure(WORKERS_EACH_EPOCH))
    assert epochs >= 3
    # A reading comes a little after its edge, so that an epoch may lie across it.
    assert 2 * BURN * (epochs - 1) <= cpu_seconds <= usage.seconds * (os.cpu_count() or 1) + 0.5


def test_waiting_is_no_cpu_time_and_a_trial_has_figures_of_each_kind(measure: Measure) -> None:
    record = measure(IDLE_EACH_EPOCH)
    usage, cpu_seconds, epochs = used(record)
    assert cpu_seconds < BURN * epochs  # half of what two workers would have burned
    measured = measured_in(record)
    seconds = sum(window.seconds for window in counted(measured.windows))
    assert usage.seconds == pytest.approx(seconds, abs=0.5)
    assert len(usage.gpus) == 2
    assert measured.latency is not None
    assert measured.latency.batches == 5 * epochs
    assert measured.latency.longest >= BURN
    assert measured.latency.p50 < BURN


class Beside(list[Event]):
    """Takes the readings of a trial, and beside each what its workers have written down."""

    def __init__(self, recorder: Recorder, logs: Path) -> None:
        super().__init__()
        self._recorder = recorder
        self._logs = logs
        self.before: list[float] = []  # CPU-seconds of all workers, before and after each reading
        self.after: list[float] = []

    def append(self, event: Event) -> None:
        if isinstance(event, Edge):
            self.before.append(self._written())
        self._recorder.take(event)
        if isinstance(event, Edge):
            self.after.append(self._written())

    def _written(self) -> float:
        return sum(float(file.read_text()) for file in self._logs.iterdir())


def test_workers_that_are_busy_all_the_time_are_counted_orphans_too(
    processes: Processes, workload_file: Path, tmp_path: Path
) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    runner = Runner(processes, workload_file, tmp_path)
    recorder = Recorder(TreeMeter(lambda: processes.forkserver), GpuMeter(Nvml()))
    runner.events = beside = Beside(recorder, logs)
    outcome = runner.run_loader(BUSY_WORKERS.replace("LOGS", str(logs)), "main")
    measured = measured_of(outcome)
    usage = recorder.usage(measured.windows)
    assert usage is not None
    assert usage.cpu_seconds is not None
    assert len(list(logs.iterdir())) == 2
    # What each had used at the first reading it may not have written down by then.
    burned = beside.before[-1] - beside.after[counted_from(measured.windows)] - 4 * LOG_STEP
    assert burned > 0
    assert usage.cpu_seconds >= burned
    assert usage.cpu_seconds <= usage.seconds * (os.cpu_count() or 1) + 0.5


@pytest.mark.thorough
def test_what_workers_hold_is_in_the_peak_of_the_memory(measure: Measure, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    text = BUSY_WORKERS.replace("LOGS", str(tmp_path / "logs"))
    alone = measured_in(measure(IDLE_EACH_EPOCH)).peak_memory_bytes
    with_workers = measured_in(measure(text)).peak_memory_bytes
    assert alone is not None
    assert with_workers is not None
    assert with_workers - alone == pytest.approx(2 * HELD, abs=HELD / 2)
