"""One trial after another: asked for, recorded on disk, made known. Keeps what all have found."""

from __future__ import annotations

import shutil
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from feedbench.bench import results
from feedbench.bench.process import Outcome, Processes, last_line, what_went_wrong
from feedbench.bench.protocol import Measured, Purpose, Request, Start
from feedbench.bench.results import TrialRecord
from feedbench.bench.runfolder import RunFolder, slugs
from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.system import interrupts_held

_OF_MEASURED = (
    *(
        "prepare_seconds",
        "open_seconds",
        "first_batch_seconds",
        "first_epoch_seconds",
        "first_epoch_images",
    ),
    *("epoch_seconds", "turnover_seconds", "continuous", "windows", "threads", "knobs", "remarks"),
)


class Trials:
    """Runs trials of one run. `records` are the lines of trials.jsonl so far."""

    def __init__(
        self,
        processes: Processes,
        folder: RunFolder,
        scratch: Path,
        labels: tuple[str, ...],
        *,
        fresh_interpreter: bool,
    ) -> None:
        self.records: list[TrialRecord] = []
        self._processes = processes
        self._folder = folder
        self._scratch = scratch
        self._slugs = slugs(labels)
        self._fresh = fresh_interpreter

    def run(
        self, spec: Spec, purpose: Purpose, workload: Path, limit: Limit, block: int = 0
    ) -> TrialRecord:
        """Perform one trial and return its record, which is on disk by then.

        A KeyboardInterrupt is recorded as well, and goes on.
        """
        begun = datetime.now(UTC).isoformat(timespec="milliseconds")
        name = f"{block:03d}-{purpose}-{self._slugs[spec.label]}"
        log = self._folder.logs / f"{name}.log"
        own = self._scratch / name
        prepared, scratch = own / "prepared", own / "scratch"
        for folder in (own, prepared, scratch):
            folder.mkdir()
        trial: dict[str, Any] = {
            "label": spec.label,
            "spec": spec.text,
            "purpose": purpose,
            "block": block,
        }
        record = TrialRecord(**trial, started_at=begun, seconds=0.0, ended="interrupted")
        paths = {
            "workload": str(workload.absolute()),
            "prepared": str(prepared),
            "scratch": str(scratch),
        }
        request = Request(**trial | paths)
        start = Start(request=request, log=str(log.absolute()), fresh_interpreter=self._fresh)
        try:
            outcome = self._processes.run(start, limit.seconds)
            record = _recorded(record, outcome, limit, log)
        finally:
            self._keep(record)
            # Its processes are gone, unless this is Ctrl-C; then the whole scratch goes soon.
            shutil.rmtree(own, ignore_errors=True)
        return record

    def _keep(self, record: TrialRecord) -> None:
        with interrupts_held(signal.SIGTERM):  # both, or a Ctrl-C would lose what the disk has
            results.append_trial(self._folder.path, record)
            self.records.append(record)


class Limit(msgspec.Struct, frozen=True):
    """How long a trial may take."""

    seconds: float
    is_deadline: bool = False  # the run's time is up then, which is no fault of the pipeline


def _recorded(record: TrialRecord, outcome: Outcome, limit: Limit, log: Path) -> TrialRecord:
    why = what_went_wrong(outcome)
    replace = msgspec.structs.replace
    ended = None if outcome.over_limit is not None else outcome.ended  # else the signal is ours
    record = replace(
        record,
        seconds=outcome.seconds,
        exit_code=ended and ended.exit_code,
        signal=ended and ended.signal,
    )
    if why is None:
        assert outcome.measured is not None
        return _with_measured(record, outcome.measured, outcome.asked_at)
    if outcome.over_limit is not None and limit.is_deadline:
        return replace(record, ended="time up")
    return replace(record, ended="failed", why=why, last_words=last_line(log))


def _with_measured(record: TrialRecord, measured: Measured, asked_at: float) -> TrialRecord:
    taken = {name: getattr(measured, name) for name in _OF_MEASURED}
    return msgspec.structs.replace(
        record,
        ended="measured",
        asked_to_first_batch_seconds=measured.first_batch_at - asked_at,
        **taken,
    )
