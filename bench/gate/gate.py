"""The story of a gate: one run of both loaders, its answer, and a second run that confirms it."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec.structs import replace

from feedbench.bench import files
from feedbench.bench.gate.commit import commit_of
from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.options.time_options import MOST_SEED
from feedbench.bench.processes.progress import Listener
from feedbench.bench.records.checks.gate import BASE, NEW, Answer, Arm, GateRecord, exit_code
from feedbench.bench.records.proof import is_equal
from feedbench.bench.records.row import Row
from feedbench.bench.records.run import RunRecord
from feedbench.bench.records.storage import read_trials
from feedbench.bench.run.run import perform
from feedbench.bench.verdicts.comparison import Comparison, between
from feedbench.bench.verdicts.two_runs import Run
from feedbench.pipelines.catalog import spec_of

NAME = "gate.json"
CONFIRMATION = "confirmation"
"""The folder of the second run, in that of the first one."""


@dataclass(frozen=True)
class Outcome:
    """What a gate measured. `run` is the last run, and `comparison` is of that one."""

    record: GateRecord
    comparison: Comparison
    run: RunRecord
    folder: Path  # of the last run


def measure(
    options: RunOptions, listener: Listener, *, strict: bool = False, confirm: bool = False
) -> Outcome:
    """Measure both loaders of a gate, and write gate.json.

    With `confirm`, a new loader that is slower is measured once more, and the second run's answer
    counts. Raises RequestError if the request is wrong; then nothing is left on disk.
    """
    outcome = outcome_of(options, perform(options, listener), strict=strict)
    if confirm and outcome.record.word == "slower" and outcome.run.status == "complete":
        listener.note("The new one is slower. Measuring both once more.")
        again = dataclasses.replace(
            options,
            out=options.out / CONFIRMATION,
            seed=(options.seed + 1) % MOST_SEED,
            begun=time.monotonic(),
        )
        second = outcome_of(again, perform(again, listener), strict=strict)
        record = replace(second.record, first=outcome.record)
        outcome = dataclasses.replace(second, record=record)
    content = msgspec.json.format(msgspec.json.encode(outcome.record), indent=2)
    files.replace(options.out / NAME, content.decode() + "\n")
    return outcome


def outcome_of(options: RunOptions, run: RunRecord, *, strict: bool = False) -> Outcome:
    """Return what a finished run of a gate shows."""
    assert options.tolerance is not None
    trials = read_trials(options.out)
    comparison = between(Run(str(options.out), run, trials), BASE, NEW, options.tolerance)
    (pair,) = comparison.pipelines
    word: Answer = pair.word
    is_comparable = run.changed is None and all(map(_is_comparable, run.rows))
    if pair.why is not None and not is_comparable:
        word = "failed"
    record = GateRecord(
        word=word,
        exit_code=exit_code(word, strict=strict),
        strict=strict,
        tolerance=comparison.tolerance,
        level=comparison.level,
        ratio=pair.ratio,
        ratio_low=pair.ratio_low,
        ratio_high=pair.ratio_high,
        why=pair.why,
        base=_arm(run, BASE),
        new=_arm(run, NEW),
        blocks=run.blocks,
        undisturbed_blocks=pair.blocks[1],
        more_blocks=pair.more_blocks,
        block_seconds=run.block_seconds,
        seconds=run.seconds,
        status=run.status,
        stopped_because=None if run.stopped_because is None else run.stopped_because.value,
        started_at=run.started_at,
        folder=str(options.out),
        images=run.workload.images,
        environment=run.environment,
    )
    return Outcome(record, comparison, run, options.out)


def _is_comparable(row: Row) -> bool:
    """Return whether a loader was measured, and its work is equal."""
    return (row.rate is not None or not row.failures) and is_equal(row.proof)


def _arm(run: RunRecord, label: str) -> Arm:
    (row,) = (row for row in run.rows if row.label == label)
    spec = spec_of(label, row.spec)
    return Arm(
        spec=row.spec,
        commit=commit_of(Path(spec.name).absolute()) if spec.is_file else None,
        rate=row.rate,
        rate_low=row.rate_low,
        rate_high=row.rate_high,
        failures=row.failures,
    )
