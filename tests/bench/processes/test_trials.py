"""What is recorded of a trial, without a process: outcomes that are told beforehand."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from feedbench.bench.machine.gpu import GpuMeter
from feedbench.bench.machine.meters import Meters
from feedbench.bench.machine.monitor import Monitor
from feedbench.bench.machine.speed_probe import CALIBRATION_PROBES
from feedbench.bench.processes.client import OnEvent
from feedbench.bench.processes.limit import Limit
from feedbench.bench.processes.run_folder import RunFolder
from feedbench.bench.processes.trials import Trials
from feedbench.bench.processes.underway import Outcome
from feedbench.bench.records.conditions.calm import Speed
from feedbench.bench.records.conditions.usage import Latency
from feedbench.bench.records.measurement import Measurement
from feedbench.bench.records.messages import Edge, Ended, Failed, Measured, Purpose, Start
from feedbench.bench.records.storage import read_trials
from feedbench.bench.records.trial import Fault, TrialRecord
from feedbench.bench.records.windows import Window
from feedbench.pipelines.catalog import parse
from feedbench.pipelines.errors import RequestError
from tests.support.pace import CALM
from tests.support.programs.nvml import Nvml

MEASURED = Measurement(
    prepare_seconds=3.0,
    open_seconds=0.5,
    first_batch_seconds=0.25,
    first_epoch_seconds=2.0,
    first_epoch_images=39,
    first_batch_at=110.0,
    windows=[Window(100, 1.0)] * 3,
    latency=Latency(batches=30, p50=0.1, p95=0.1, p99=0.1, longest=0.2),
    peak_memory_bytes=10**9,
)


class ToldProcesses:
    """Has a trial of three windows go as told."""

    forkserver = None
    seconds_of_a_window = 1.0

    def __init__(self, outcome: Outcome | BaseException) -> None:
        self._outcome = outcome
        self.start: Start | None = None
        self.limit_seconds = 0.0
        self.now = 0.0

    def run(self, start: Start, limit_seconds: float, on_event: OnEvent, *_: object) -> Outcome:
        self.start, self.limit_seconds = start, limit_seconds
        for number in range(4):
            self.now = self.seconds_of_a_window * number  # by the parent's clock
            on_event(Edge(at=float(number)))
        for folder in (start.request.prepared, start.request.scratch):
            assert Path(folder).is_dir()
        if isinstance(self._outcome, BaseException):
            raise self._outcome
        return self._outcome


def trials_of(folder: Path, processes: Any, meters: Meters | None = None, **given: Any) -> Trials:
    run, scratch = RunFolder(folder / "R"), folder / "scratch"
    run.create()
    scratch.mkdir()
    if isinstance(processes, ToldProcesses):
        given = {"clock": lambda: processes.now} | given
    return Trials(processes, run, scratch, ("a",), fresh_interpreter=False, meters=meters, **given)


def recorded(folder: Path, outcome: Outcome, *, is_deadline: bool = False) -> TrialRecord:
    """Run a trial that goes like this, and return its line on the disk."""
    trials = trials_of(folder, ToldProcesses(outcome))
    limit = Limit(18.0, is_deadline=is_deadline)
    record = trials.run(parse("a=tfdata_naive"), "main", folder / "images.json", limit, 1)
    assert read_trials(folder / "R") == trials.records == [record]
    assert list((folder / "scratch").iterdir()) == []
    return record


def test_a_trial_that_was_measured_is_recorded_with_its_seconds(tmp_path: Path) -> None:
    ended = Ended(exit_code=0, signal=None)
    record = recorded(
        tmp_path, Outcome(result=Measured(measurement=MEASURED), ended=ended, asked_at=104.0)
    )
    assert (record.ended, record.exit_code, record.signal) == ("measured", 0, None)
    assert record.measured == MEASURED
    assert record.asked_to_first_batch_seconds == 6.0


def test_a_trial_whose_clock_is_slow_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ToldProcesses, "seconds_of_a_window", 2.0)
    record = recorded(tmp_path, Outcome(result=Measured(measurement=MEASURED)))
    assert (record.ended, record.fault, record.measured) == ("failed", Fault.CLOCK, None)
    assert record.why == "its clock and the parent's differ: 3.0 s and 6.0 s"


def metered(folder: Path, outcome: Outcome, purpose: Purpose) -> TrialRecord:
    with Meters(GpuMeter(Nvml())) as meters:
        trials = trials_of(folder, ToldProcesses(outcome), meters)
        return trials.run(parse("a=tfdata_naive"), purpose, folder / "w.json", Limit(18.0), 1)


@pytest.mark.parametrize("purpose", ["main", "control"])
def test_what_is_reported_is_metered(tmp_path: Path, purpose: Purpose) -> None:
    ended = Ended(exit_code=0, signal=None)
    record = metered(tmp_path, Outcome(result=Measured(measurement=MEASURED), ended=ended), purpose)
    assert record.usage is not None
    assert len(record.usage.gpus) == 2
    assert read_trials(tmp_path / "R") == [record]


def test_a_pilot_is_not_metered(tmp_path: Path) -> None:
    ended = Ended(exit_code=0, signal=None)
    assert (
        metered(
            tmp_path, Outcome(result=Measured(measurement=MEASURED), ended=ended), "pilot"
        ).usage
        is None
    )


def test_a_trial_that_failed_has_no_figures(tmp_path: Path) -> None:
    assert metered(tmp_path, Outcome(result=Failed(sentence="it raised")), "main").usage is None


def test_a_trial_is_asked_for_at_the_pace_of_its_run(tmp_path: Path) -> None:
    processes = ToldProcesses(
        Outcome(result=Measured(measurement=MEASURED), ended=Ended(exit_code=0, signal=None))
    )
    trials = trials_of(tmp_path, processes, pace=CALM)
    trials.run(parse("a=tfdata_naive"), "main", tmp_path / "w.json", Limit(18.0), 1)
    assert processes.start is not None
    assert processes.start.request.pace == CALM


def test_how_its_process_ended_is_recorded(tmp_path: Path) -> None:
    outcome = Outcome(ended=Ended(exit_code=None, signal=signal.SIGSEGV))
    record = recorded(tmp_path, outcome)
    assert (record.ended, record.fault) == ("failed", Fault.KILLED)
    assert record.why == "it was killed by SIGSEGV"
    assert (record.exit_code, record.signal) == (None, signal.SIGSEGV)


def test_a_failure_that_it_told_is_recorded_with_its_exit_code(tmp_path: Path) -> None:
    failed = Failed(sentence="it raised OSError: gone")
    record = recorded(tmp_path, Outcome(result=failed, ended=Ended(exit_code=0, signal=None)))
    assert (record.ended, record.fault) == ("failed", Fault.RAISED)
    assert record.why == "it raised OSError: gone"
    assert (record.exit_code, record.signal) == (0, None)


@pytest.mark.parametrize(
    ("debug", "is_temporary", "where"),
    [
        (False, False, "; its traceback is in logs/001-main-a.log"),
        (True, False, "; its traceback is in logs/001-main-a.log"),
        (False, True, "; add --debug to see its traceback"),
        (True, True, ""),
    ],
)
def test_a_traceback_is_printed_for_debugging_and_otherwise_named_where_it_is(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    debug: bool,
    is_temporary: bool,
    where: str,
) -> None:
    failed = Failed(sentence="it raised OSError: gone", traceback="Traceback:\nOSError: gone\n")
    run, scratch = RunFolder(tmp_path / "R", is_temporary=is_temporary), tmp_path / "scratch"
    run.create()
    scratch.mkdir()
    told: Any = ToldProcesses(Outcome(result=failed, ended=Ended(exit_code=0, signal=None)))
    trials = Trials(told, run, scratch, ("a",), fresh_interpreter=False, debug=debug)
    record = trials.run(parse("a=tfdata_naive"), "main", tmp_path / "w.json", Limit(18.0), 1)
    assert record.why == f"it raised OSError: gone{where}"
    assert capsys.readouterr().err == ("a: Traceback:\nOSError: gone\n" if debug else "")


def test_no_log_is_named_that_goes_with_the_folder_of_a_run_that_does_not_begin(
    tmp_path: Path,
) -> None:
    failed = Failed(sentence="it raised OSError: gone", traceback="Traceback:\n")
    trials = trials_of(tmp_path, ToldProcesses(Outcome(result=failed)))
    spec, workload, limit = parse("a=tfdata_naive"), tmp_path / "w.json", Limit(18.0)
    record = trials.run(spec, "appetite", workload, limit)
    assert record.why == "it raised OSError: gone"


def test_what_explains_a_failure_is_recorded_and_a_measured_trial_is_not_asked_about(
    tmp_path: Path,
) -> None:
    def explained(record: TrialRecord) -> TrialRecord:
        assert record.ended == "failed"
        return replace(record, fault=Fault.SOURCES_CHANGED, why="the photo a.jpg is gone")

    failed = Outcome(result=Failed(sentence="it raised NotFoundError", traceback="Traceback:"))
    told = ToldProcesses(failed)
    trials = trials_of(tmp_path, told, explained=explained)
    spec, workload, limit = parse("a=tfdata_naive"), tmp_path / "w.json", Limit(18.0)
    record = trials.run(spec, "main", workload, limit, 1)
    assert (record.fault, record.why) == (Fault.SOURCES_CHANGED, "the photo a.jpg is gone")
    assert read_trials(tmp_path / "R") == [record]
    ended = Ended(exit_code=0, signal=None)
    told = ToldProcesses(Outcome(result=Measured(measurement=MEASURED), ended=ended))
    (tmp_path / "well").mkdir()
    trials = trials_of(tmp_path / "well", told, explained=explained)
    assert trials.run(spec, "main", workload, limit, 1).ended == "measured"


def test_a_process_that_ended_too_early_and_wrong_work_are_faults_of_their_own(
    tmp_path: Path,
) -> None:
    (tmp_path / "exited").mkdir()
    exited = recorded(tmp_path / "exited", Outcome(ended=Ended(exit_code=3, signal=None)))
    assert exited.fault is Fault.EXITED
    failed = Failed(sentence="it delivered 0 images", is_wrong_work=True)
    assert recorded(tmp_path, Outcome(result=failed)).fault is Fault.WRONG_WORK


def test_a_loader_of_another_library_that_refuses_its_pilot_ends_the_command(
    tmp_path: Path,
) -> None:
    refused = Failed(sentence="it needs torch", hint="install it", is_refused=True)
    trials = trials_of(tmp_path, ToldProcesses(Outcome(result=refused)))
    workload, limit = tmp_path / "w.json", Limit(18.0)
    with pytest.raises(RequestError) as caught:
        trials.run(parse("a=torch_dataloader:workers=1"), "pilot", workload, limit)
    assert str(caught.value) == (
        "--pipeline torch_dataloader:workers=1: it needs torch\nhint: install it"
    )
    assert trials.run(parse("a=tfdata_naive"), "pilot", workload, limit).ended == "failed"
    assert trials.run(parse("a=torch_dataloader"), "main", workload, limit).ended == "failed"


def test_of_a_forkserver_that_died_there_is_neither_code_nor_signal(tmp_path: Path) -> None:
    record = recorded(tmp_path, Outcome())
    assert record.fault is Fault.FORKSERVER_DIED
    assert (record.why, record.exit_code, record.signal) == (
        "the forkserver died during it",
        None,
        None,
    )


OVER_LIMIT = Outcome(over_limit=18.0, ended=Ended(exit_code=None, signal=signal.SIGKILL))


def test_a_trial_that_the_run_ended_has_no_signal_of_somebody_elses(tmp_path: Path) -> None:
    record = recorded(tmp_path, OVER_LIMIT)
    assert (record.ended, record.fault) == ("failed", Fault.OVER_LIMIT)
    assert record.why == "it exceeded its limit of 18 s and was ended"
    assert (record.exit_code, record.signal) == (None, None)


def test_a_trial_that_the_runs_time_ended_is_no_failure(tmp_path: Path) -> None:
    record = recorded(tmp_path, OVER_LIMIT, is_deadline=True)
    assert (record.ended, record.fault, record.why) == ("time up", None, None)


class Restless:
    """A machine that is slow once it was calibrated, its clock, and the limit of a trial on it."""

    def __init__(self, folder: Path) -> None:
        self.now = 100.0
        self._probes = 0
        self._processes = ToldProcesses(OVER_LIMIT)
        machine = Monitor(self._probe, clock=lambda: self.now, sleep=self._sleep)
        self._trials = trials_of(folder, self._processes, machine=machine, clock=lambda: self.now)
        self._file = folder / "images.json"

    def _probe(self) -> Speed:
        self.now += 0.1
        self._probes += 1
        return Speed(1.0, 1.0) if self._probes <= CALIBRATION_PROBES else Speed(0.5, 0.5)

    def _sleep(self, seconds: float) -> None:
        self.now += seconds

    def run(self, limit: Limit, purpose: Purpose = "main") -> tuple[TrialRecord, float]:
        """Return the record, and the seconds that the process was given."""
        record = self._trials.run(parse("a=tfdata_naive"), purpose, self._file, limit, 1)
        return record, self._processes.limit_seconds


def test_what_was_waited_for_a_calm_machine_is_taken_off_what_is_left(tmp_path: Path) -> None:
    restless = Restless(tmp_path)
    limit = Limit(30.0, ends_at=restless.now + 31.0, begin_by=restless.now + 20.0)
    record, given = restless.run(limit)
    begun = 131.0 - given
    assert 106.0 < begun < 108.0  # calibrated for 1.5 s, and waited for 5
    assert record.ended == "time up"  # though its own limit was nearer than that before


def test_a_calm_machine_is_not_waited_for_when_the_trial_would_not_fit_then(
    tmp_path: Path,
) -> None:
    restless = Restless(tmp_path)
    limit = Limit(30.0, ends_at=restless.now + 10.0, begin_by=restless.now + 3.0)
    record, given = restless.run(limit)
    assert given >= 7.0
    assert record.around is not None
    assert 0 < record.around.waited_seconds < 1.5


def test_a_trial_that_cannot_begin_in_time_is_given_none(tmp_path: Path) -> None:
    restless = Restless(tmp_path)
    record, given = restless.run(Limit(30.0, ends_at=restless.now + 1.0, begin_by=restless.now))
    assert (record.ended, given) == ("time up", 0.0)


def test_without_a_deadline_a_trial_has_its_own_limit_however_long_was_waited(
    tmp_path: Path,
) -> None:
    record, given = Restless(tmp_path).run(Limit(30.0))
    assert (record.ended, given) == ("failed", 30.0)


def test_an_interrupted_trial_is_recorded_and_the_interrupt_goes_on(tmp_path: Path) -> None:
    trials = trials_of(tmp_path, ToldProcesses(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        trials.run(parse("a=tfdata_naive"), "main", tmp_path / "images.json", Limit(1.0), 1)
    assert [record.ended for record in read_trials(tmp_path / "R")] == ["interrupted"]
    assert trials.records == read_trials(tmp_path / "R")


def test_prepared_files_and_scratch_files_have_a_folder_each(tmp_path: Path) -> None:
    processes = ToldProcesses(Outcome())
    trials = trials_of(tmp_path, processes)
    trials.run(parse("a=tfdata_naive"), "main", Path("images.json"), Limit(1.0), 1)
    assert processes.start is not None
    request = processes.start.request
    assert request.prepared != request.scratch
    assert Path(request.workload) == Path.cwd() / "images.json"
    assert Path(processes.start.log).is_absolute()
