"""What is recorded of a trial by its outcome. Pure, but for its log."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec.structs import replace

from feedbench.bench.processes.client import fault_of, what_went_wrong
from feedbench.bench.processes.folders.trial_log import cut, last_line
from feedbench.bench.processes.limit import Limit
from feedbench.bench.processes.underway import Outcome
from feedbench.bench.records.measurement import Measurement
from feedbench.bench.records.messages import (
    Collected,
    Failed,
    Measured,
    Prepared,
    Request,
    Traced,
    Verified,
)
from feedbench.bench.records.proof import Proof
from feedbench.bench.records.trial import Fault, Preparation, TrialRecord
from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.system.signals import LOST_EXIT_CODE


def begun(request: Request, started_at: str) -> TrialRecord:
    """Return the record of a trial that begins now: interrupted, until it has another end."""
    return TrialRecord(
        label=request.label,
        spec=request.spec,
        purpose=request.purpose,
        block=request.block,
        attempt=request.attempt,
        until=request.until,
        started_at=started_at,
        seconds=0.0,
        ended="interrupted",
    )


def recorded(record: TrialRecord, outcome: Outcome, limit: Limit, log: Path) -> TrialRecord:
    """Return the record of a trial with its outcome; `log` is what its process printed."""
    cut(log)
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
        case Collected():
            return replace(record, ended="collected")
        case Traced(profile=profile):
            return replace(record, ended="traced", traced=profile)
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
        why = f"{why}; {limit.advice}"
    fault, last_words = fault_of(outcome), last_line(log)
    if fault is Fault.EXITED and record.exit_code == LOST_EXIT_CODE:
        why = f"{why}: {last_words}"  # which one, and how
    return replace(record, ended="failed", fault=fault, why=why, last_words=last_words)


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


def raise_refusal(outcome: Outcome, spec: Spec, request: Request) -> None:
    """Raise RequestError if the pilot of a loader of another library was refused.

    Its library cannot be imported, for example, or there is too little shared memory. The user
    learns it before the blocks, which would measure the others alone.
    """
    failed = outcome.result
    if not (request.purpose == "pilot" and spec.is_peer and isinstance(failed, Failed)):
        return
    if failed.is_refused:
        raise RequestError(f"--pipeline {spec.text}: {failed.sentence}", hint=failed.hint)
