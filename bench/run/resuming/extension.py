"""Adding blocks or time to a run that measured what it was asked for. Pure, given a clock."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from feedbench.bench.options.addition import Addition
from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.records.run import Extension, RunRecord, Stopped
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.run.budget import REPORT_SECONDS
from feedbench.bench.text import counted, duration
from feedbench.pipelines.errors import RequestError

_DAY_SECONDS = 24 * 3600.0


def extension_of(addition: Addition, run: RunRecord, used_seconds: float) -> Extension:
    """Return what a run may take in all that has used this time, with what is added to it."""
    return Extension(
        blocks=None if addition.blocks is None else run.blocks + addition.blocks,
        seconds=None if addition.seconds is None else used_seconds + addition.seconds,
    )


def extended(options: RunOptions, run: RunRecord, extension: Extension | None) -> RunOptions:
    """Return the options of a run as it was extended; a diagnosis that it has is kept."""
    if extension is None:
        return options
    return dataclasses.replace(
        options,
        blocks=extension.blocks,
        seconds=extension.seconds,
        spare_blocks=0,
        trace=options.trace and run.diagnosis is None,
    )


def refuse_pointless(folder: Path, run: RunRecord, addition: Addition) -> None:
    """Raise RequestError if nothing could be added to this run."""
    ended = run.stopped_because
    if ended is None:
        return
    if ended in {Stopped.FAILED, Stopped.SOURCES, Stopped.INCOMPARABLE}:
        raise RequestError(
            f"cannot add to {folder}: {ended.clause(run.blocks)}", hint="start a new run"
        )
    if ended in {Stopped.PRECISE, Stopped.DECIDED} and addition.blocks is None:
        raise RequestError(
            f"cannot add time to {folder}: {ended.clause(run.blocks)} before its time was up",
            hint="add blocks, such as --blocks +4",
        )


def refuse_short(addition: Addition, needed_seconds: float, left_seconds: float | None) -> None:
    """Raise RequestError if a block does not fit into the time that is added.

    `left_seconds` are those of the addition that are for the main blocks; None: no limit.
    """
    if addition.seconds is None or left_seconds is None or left_seconds >= needed_seconds:
        return
    share = (left_seconds + REPORT_SECONDS) / addition.seconds  # the rest is kept, for a model
    least = (needed_seconds + REPORT_SECONDS) / share
    raise RequestError(
        f"--time +{addition.seconds:g}s: expected at least +{math.ceil(least)}s, which a start and"
        " a block of this run take",
        hint="add blocks instead: --blocks +1",
    )


def adding(addition: Addition, run: RunRecord) -> str:
    """Return a sentence on what is added to a run."""
    to = f"to a run of {counted(run.blocks, 'completed block')}"
    time = "" if addition.seconds is None else duration(addition.seconds)
    if addition.blocks is None:
        return f"Adding {time} {to}."
    blocks = counted(addition.blocks, "block")
    if not time:
        return f"Adding {blocks} {to}."
    return f"Adding at most {blocks}, in {time}, {to}."


def old(trials: Sequence[TrialRecord], now: datetime) -> str | None:
    """Return a warning if these trials ended a day ago or longer; None if not."""
    if not trials:
        return None
    last = trials[-1]
    seconds = (now - datetime.fromisoformat(last.started_at).astimezone(UTC)).total_seconds()
    days = int((seconds - last.seconds) // _DAY_SECONDS)
    if days < 1:
        return None
    return (
        f"Its last trial was {counted(days, 'day')} ago. Within a block, pipelines still run at the"
        " same time, but the machine may have changed since."
    )
