"""A run that was killed while it fed a model: what is kept, and how much time the stages have."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.records.demand.demand import Demand
from feedbench.bench.records.storage import read_run, read_trials, write_run, write_trials
from feedbench.bench.run.budget import budget_of
from feedbench.bench.run.measuring.blocks import longest_block_seconds
from feedbench.bench.run.resuming import past as resumption
from tests.support.builders import a_record
from tests.support.clock import ClaimedClock
from tests.support.runs.killed import Killed


def test_completed_blocks_that_fed_a_model_are_kept_and_the_others_run_again(
    killed: Killed,
) -> None:
    write_run(killed.folder, replace(read_run(killed.folder), demand=Demand(blocks=2)))
    fed_trials = [
        *(a_record(purpose="model", block=block, ended="measured") for block in (1, 2, 3)),
        a_record(purpose="curve", block=1, ended="measured"),
    ]
    trials = [*read_trials(killed.folder), *fed_trials]
    write_trials(killed.folder / "trials.jsonl", trials)
    past = resumption.read(killed.folder)
    fed = [trial.block for trial in past.kept if trial.purpose in {"model", "curve"}]
    assert fed == [1, 2]
    assert "repeating 1 trial" in resumption.sentence(past)  # of the main blocks


def test_a_trial_that_feeds_a_model_is_no_part_of_a_main_block() -> None:
    main = a_record(purpose="main", block=1, seconds=4.0)
    fed = a_record(purpose="model", block=1, seconds=50.0)
    assert longest_block_seconds([main, fed]) == 4.0


def deadlines(**typed: object) -> tuple[float, float, float]:
    """Return when the main blocks, the model and the diagnosis must end, of 100 seconds."""
    clock = ClaimedClock(0.0)
    given = {name.replace("_", "-"): value for name, value in typed.items()}
    options = RunOptions.of({"time": "100s", **given}, Path("photos"), begun=0.0)  # type: ignore[dict-item]
    budget = budget_of(options, clock)
    assert budget.deadline is not None
    clock.now = budget.deadline
    fed = budget.feeding_deadlines().curves
    assert fed is not None
    clock.now = fed
    diagnosed = budget.diagnosis_deadline()
    assert diagnosed is not None
    return budget.deadline, fed, diagnosed


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ({}, (77.0, 77.0, 97.0)),
        ({"step": "30ms"}, (42.0, 77.0, 97.0)),
        ({"demand": True}, (52.0, 77.0, 97.0)),
        ({"step": "30ms", "trace": False}, (62.0, 97.0, 97.0)),
        ({"step": "30ms", "cores_needed": True}, (22.0, 77.0, 97.0)),
        ({"step": "30ms", "cores_needed": True, "demand": True}, (17.0, 77.0, 97.0)),
    ],
)
def test_a_model_has_its_share_of_the_time_and_the_diagnosis_keeps_its_own(
    typed: dict[str, object], expected: tuple[float, float, float]
) -> None:
    assert deadlines(**typed) == pytest.approx(expected)


def test_time_that_the_main_blocks_left_is_for_the_model() -> None:
    clock = ClaimedClock(0.0)
    options = RunOptions.of({"time": "100s", "step": "30ms"}, Path("photos"), begun=0.0)
    budget = budget_of(options, clock)
    clock.now = 10.0
    assert budget.feeding_deadlines().model == pytest.approx(77.0)
    clock.now = 60.0  # the first four blocks may use the time that was kept
    assert budget.feeding_deadlines().model == pytest.approx(95.0)
