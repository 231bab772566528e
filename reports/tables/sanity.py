"""Refuses values that no run can have recorded, as soon as a run is read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from feedbench.bench.records.row import Row
from feedbench.bench.records.run import RunRecord
from feedbench.bench.records.trial import TrialRecord
from feedbench.pipelines.errors import RequestError
from feedbench.reports.text.escaping import visible

# Beyond any figure of a run; and the ratio of two ratios of such figures is a number still.
_MOST = 1e60
_DEEPEST = 100  # levels of lists within lists, long before Python itself gives up
_POSITIVE = (
    "rate",
    "rate_low",
    "rate_high",
    "ratio",
    "ratio_low",
    "ratio_high",
    "level",
    "ranks_low",
    "ranks_high",
)
_MAY_BE_NEGATIVE = re.compile(
    r"\b(knobs|value_range|exit_code|shuffle\.with_\w+|augmented\.transforms|unaugmented\.share\w*"
    r"|demand\.rows\[\d+\]\.(wait|taken)|demand\..*\.low)\b"
)


def refuse_broken(folder: Path, run: RunRecord, trials: Sequence[TrialRecord]) -> None:
    """Raise RequestError with the file and the wrong value, if there is one.

    And RecursionError where something in them nests too deep to be shown.
    """
    _refuse(f"{folder / 'run.json'}", _faults_of_run(run))
    for number, trial in enumerate(trials, 1):
        _refuse(f"{folder / 'trials.jsonl'}, line {number}", _faults_of_trial(trial))


def _refuse(where: str, faults: Iterator[str]) -> None:
    fault = next(faults, None)
    if fault is not None:
        raise RequestError(f"{where} is broken: {visible(fault)}")


def _faults_of_run(run: RunRecord) -> Iterator[str]:
    yield from _faults_of_numbers(run)
    if not 0 < run.margin < 1:
        yield f"margin is {run.margin:g}; expected more than 0 and less than 1"
    labels = {row.label for row in run.rows}
    for label in run.best:
        if label not in labels:
            yield f"best names {label!r}, which is no row's label"
    for place, row in enumerate(run.rows):
        yield from _faults_of_row(row, f"rows[{place}]")
    for value in run.control or ():
        if value < 1 / _MOST:
            yield f"control holds {value:g}; expected more than 0"


def _faults_of_row(row: Row, name: str) -> Iterator[str]:
    for field in _POSITIVE:
        value = getattr(row, field)
        if value is not None and value < 1 / _MOST:
            yield f"{name}.{field} is {value:g}; expected more than 0"


def _faults_of_trial(trial: TrialRecord) -> Iterator[str]:
    yield from _faults_of_numbers(trial)
    windows = [] if trial.measured is None else trial.measured.windows
    if trial.ended == "measured" and trial.purpose in {"main", "control"} and not windows:
        yield "a trial that was measured has no windows"
    for place, window in enumerate(windows):
        if window.images < 1 or window.images > window.seconds * _MOST:
            yield (
                f"measured.windows[{place}] has {window.images:,} images in {window.seconds:g} s;"
                " expected more than 0 of both"
            )


def _faults_of_numbers(record: RunRecord | TrialRecord) -> Iterator[str]:
    for name, value in _numbers(msgspec.to_builtins(record), ""):
        if value > _MOST or value < -_MOST:
            yield f"{name} is over {_MOST:g}, which no figure of a run is"
        elif value < 0 and not _MAY_BE_NEGATIVE.search(name):
            yield f"{name} is {value:g}; expected 0 or more"


def _numbers(value: object, name: str, level: int = 0) -> Iterator[tuple[str, float]]:
    """Yield every number in a record, after the name that leads to it: rows[1].rate."""
    if level > _DEEPEST:
        raise RecursionError
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _numbers(inner, f"{name}.{key}" if name else f"{key}", level + 1)
    elif isinstance(value, (list, tuple)):
        for place, inner in enumerate(value):
            yield from _numbers(inner, f"{name}[{place}]", level + 1)
    elif isinstance(value, (int, float)):
        yield name, value
