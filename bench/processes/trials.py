"""One trial after another: asked for, recorded on disk, made known. Keeps what all have found."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from feedbench.bench.machine.meters import Meters
from feedbench.bench.machine.monitor import Monitor
from feedbench.bench.machine.page_cache import PageCache, after
from feedbench.bench.processes.client import (
    OnEvent,
    OnTick,
    Outcome,
    Processes,
    fault_of,
    last_line,
    what_went_wrong,
)
from feedbench.bench.processes.run_folder import RunFolder, slugs
from feedbench.bench.records import storage
from feedbench.bench.records.calm import Around
from feedbench.bench.records.measurement import Measurement
from feedbench.bench.records.messages import (
    Measured,
    Prepared,
    Purpose,
    Request,
    Start,
    Traced,
    Verified,
)
from feedbench.bench.records.pace import USUAL, Pace
from feedbench.bench.records.page_cache import Certificate
from feedbench.bench.records.proof import Proof
from feedbench.bench.records.trial import Fault, Preparation, TrialRecord
from feedbench.bench.records.usage import Usage
from feedbench.bench.records.windows import Window
from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.system.signals import interrupts_held

_REPORTED: frozenset[Purpose] = frozenset(("main", "control"))


class Trials:
    """Runs trials of one run. `records` are the lines of trials.jsonl so far.

    `others` are the processes of other environments, by their interpreters. Without `meters`,
    nothing is known of what a trial takes beside time; without `machine`, it is not probed.
    The first `records` are those of trials before, of the same run.
    """

    def __init__(
        self,
        processes: Processes,
        folder: RunFolder,
        scratch: Path,
        labels: tuple[str, ...],
        *,
        fresh_interpreter: bool,
        meters: Meters | None = None,
        machine: Monitor | None = None,
        page_cache: PageCache | None = None,
        others: Mapping[str, Processes] | None = None,
        pace: Pace = USUAL,
        records: Sequence[TrialRecord] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.records = list(records)
        self._of_python = {"": processes, **(others or {})}  # by interpreter
        self._folder = folder
        self._scratch = scratch
        self._slugs = slugs(labels)
        self._fresh = fresh_interpreter
        self._meters = meters
        self._machine = machine
        self._pace = pace
        self._clock = clock
        self._page_cache = page_cache
        self._prepared: dict[str, Path] = {}  # by label

    @property
    def probe_seconds(self) -> float:
        """What it took to probe the machine, so far."""
        return 0.0 if self._machine is None else self._machine.probe_seconds

    def prepare(
        self,
        spec: Spec,
        workload: Path,
        store: Path,
        limit: Limit,
        on_event: OnEvent = lambda _: None,
        on_tick: OnTick = lambda: None,
    ) -> TrialRecord:
        """Have what a pipeline reads found in the store, or written to it, for its later trials."""
        watch = _Watch(on_event, on_tick)
        record = self._perform(spec, "prepare", workload, limit, prepared=store, watch=watch)
        if record.preparation is not None:
            self._prepared[spec.label] = Path(record.preparation.folder)
        return record

    def verify(
        self,
        spec: Spec,
        workload: Path,
        references: Path,
        sheet: Path | None,
        limit: Limit,
        on_event: OnEvent = lambda _: None,
    ) -> TrialRecord:
        """Have an epoch of a pipeline laid beside the references; `sheet` has no suffix."""
        return self._perform(
            spec,
            "verify",
            workload,
            limit,
            prepared=self._prepared.get(spec.label),
            watch=_Watch(on_event),
            references=str(references.absolute()),
            sheet="" if sheet is None else str(sheet.absolute()),
        )

    def diagnose(
        self, spec: Spec, purpose: Purpose, workload: Path, limit: Limit, number: int, **asked: Any
    ) -> TrialRecord:
        """Perform a trial that tells why; `asked` are fields of its request, `number` its own."""
        watch = _Watch()
        if self._meters is not None:
            recorder = self._meters.of_trial(lambda: self._of_python[spec.python].forkserver)
            watch = _Watch(recorder.take, usage=recorder.usage)
        prepared = self._prepared.get(spec.label)
        return self._perform(
            spec, purpose, workload, limit, attempt=number, prepared=prepared, watch=watch, **asked
        )

    def run(
        self,
        spec: Spec,
        purpose: Purpose,
        workload: Path,
        limit: Limit,
        block: int = 0,
        attempt: int = 1,
    ) -> TrialRecord:
        """Perform one trial and return its record, which is on disk by then.

        A KeyboardInterrupt is recorded as well, and goes on. One that is reported is begun when
        the machine is calm, or was waited for long enough; what that took is its own limit's.
        """
        watch = _Watch()
        prepared = self._prepared.get(spec.label)
        if self._meters is not None and purpose in _REPORTED:
            recorder = self._meters.of_trial(lambda: self._of_python[spec.python].forkserver)
            watch = _Watch(recorder.take, usage=recorder.usage)
            if self._page_cache is not None:
                certificate = self._page_cache.before(prepared)
                watch = replace(
                    watch, certificate=lambda: after(certificate, recorder.first_epoch_read_bytes())
                )
        if self._machine is not None and purpose in _REPORTED:
            self._machine.begin(limit.begin_by)
            watch = replace(watch, around=self._machine.end)
        limit = limit.at(self._clock())
        return self._perform(
            spec, purpose, workload, limit, block, attempt, prepared=prepared, watch=watch
        )

    def _perform(
        self,
        spec: Spec,
        purpose: Purpose,
        workload: Path,
        limit: Limit,
        block: int = 0,
        attempt: int = 1,
        *,
        prepared: Path | None,
        watch: _Watch,
        **asked: Any,
    ) -> TrialRecord:
        begun = datetime.now(UTC).isoformat(timespec="milliseconds")
        slug = self._slugs.get(spec.label) or slugs((spec.label,))[spec.label]
        name = f"{block:03d}-{purpose}-{slug}"
        name += f"-{attempt}" if attempt > 1 else ""
        log = self._folder.logs / f"{name}.log"
        own = self._scratch / name
        scratch, empty = own / "scratch", own / "prepared"
        for folder in (own, scratch, empty):
            folder.mkdir()
        trial: dict[str, Any] = {"label": spec.label, "spec": spec.text}
        trial |= {"purpose": purpose, "block": block, "attempt": attempt}
        trial |= {"until": asked.pop("until", "")}
        record = TrialRecord(**trial, started_at=begun, seconds=0.0, ended="interrupted")
        paths = {
            "workload": str(workload.absolute()),
            "prepared": str((prepared or empty).absolute()),
            "scratch": str(scratch),
        }
        request = Request(**trial | paths | asked, pace=self._pace)
        start = Start(request=request, log=str(log.absolute()), fresh_interpreter=self._fresh)
        try:
            processes = self._of_python[spec.python]
            outcome = processes.run(start, limit.seconds, watch.on_event, watch.on_tick)
            record = _recorded(record, outcome, limit, log)
            record = replace(
                record,
                usage=watch.usage(record.measured.windows if record.measured is not None else []),
                page_cache=watch.certificate(),
                around=watch.around(),
            )
        finally:
            self._keep(record)
            # Its processes are gone, unless this is Ctrl-C; then the whole scratch goes soon.
            shutil.rmtree(own, ignore_errors=True)
        return record

    def _keep(self, record: TrialRecord) -> None:
        with interrupts_held(signal.SIGTERM):  # both, or a Ctrl-C would lose what the disk has
            storage.append_trial(self._folder.path, record)
            self.records.append(record)


class _Watch(msgspec.Struct, frozen=True):
    """What looks on while a trial goes on, and says afterwards what it took."""

    on_event: OnEvent = lambda _: None
    on_tick: OnTick = lambda: None
    usage: Callable[[list[Window]], Usage | None] = lambda _: None
    certificate: Callable[[], Certificate | None] = lambda: None
    around: Callable[[], Around | None] = lambda: None


class Limit(msgspec.Struct, frozen=True):
    """How long a trial may take."""

    seconds: float
    is_deadline: bool = False  # the run's time is up then, which is no fault of the pipeline
    advice: str = ""  # what somebody can do about it
    ends_at: float | None = None  # CLOCK_MONOTONIC seconds: when the run's time is up
    begin_by: float | None = None  # likewise: for so long, it may be waited for a calm machine

    def at(self, now: float) -> Limit:
        """Return the limit of a trial that begins now, which may be later than was thought."""
        if self.ends_at is None or self.ends_at - now > self.seconds:
            return self
        return replace(self, seconds=max(self.ends_at - now, 0.0), is_deadline=True)


def _recorded(record: TrialRecord, outcome: Outcome, limit: Limit, log: Path) -> TrialRecord:
    ended = None if outcome.over_limit is not None else outcome.ended  # else the signal is ours
    record = replace(
        record,
        seconds=outcome.seconds,
        exit_code=ended and ended.exit_code,
        signal=ended and ended.signal,
    )
    match outcome.result:
        case Measured(measurement=measured):
            return _with_measured(record, measured, outcome.asked_at)
        case Prepared() as prepared:
            return replace(record, ended="prepared", preparation=_preparation(prepared))
        case Verified(proof=proof):
            return _with_proof(record, proof)
        case Traced() as traced:
            return replace(record, ended="traced", traced=traced)
        case _:
            return _failed(record, outcome, limit, log)


def _with_proof(record: TrialRecord, proof: Proof) -> TrialRecord:
    if proof.is_wrong:
        return replace(
            record, ended="failed", fault=Fault.WRONG_WORK, why=proof.reason, proof=proof
        )
    return replace(record, ended="verified", proof=proof)


def _failed(record: TrialRecord, outcome: Outcome, limit: Limit, log: Path) -> TrialRecord:
    why = what_went_wrong(outcome)
    if outcome.over_limit is not None and limit.is_deadline:
        return replace(record, ended="time up")
    if outcome.over_limit is not None and limit.advice:
        why = f"{why}: {limit.advice}"
    fault = fault_of(outcome)
    return replace(record, ended="failed", fault=fault, why=why, last_words=last_line(log))


def _preparation(prepared: Prepared) -> Preparation:
    return Preparation(**msgspec.structs.asdict(prepared))


def _with_measured(record: TrialRecord, measured: Measurement, asked_at: float) -> TrialRecord:
    first_batch_at = measured.first_batch_at
    return replace(
        record,
        ended="measured",
        measured=measured,
        asked_to_first_batch_seconds=None if first_batch_at is None else first_batch_at - asked_at,
    )
