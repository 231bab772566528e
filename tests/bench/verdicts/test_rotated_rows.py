"""Verdicts on pipelines that took turns within each block."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from msgspec.structs import replace

from feedbench.bench.records.trial import TrialRecord
from tests.support.runs.rotated import rotation, turns_of
from tests.support.runs.summaries import around, row_of, summary_of

ROUNDS = 20
BLOCKS = 4
Turns = Callable[[float], list[list[float]]]
"""Rates of turns around this one, by block and round"""


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(9)


@pytest.fixture
def turns(rng: np.random.Generator) -> Turns:
    return lambda rate: noisy(rng, rate)


def noisy(rng: np.random.Generator, rate: float) -> list[list[float]]:
    rates: list[list[float]] = (rate * np.exp(rng.normal(0, 0.01, (BLOCKS, ROUNDS)))).tolist()
    return rates


def slowed(by_block: list[list[float]], rounds: tuple[int, ...], times: float) -> list[list[float]]:
    """The same turns, those of some rounds slowed down."""
    return [
        [rate / times if number in rounds else rate for number, rate in enumerate(block)]
        for block in by_block
    ]


def disturbed(trials: list[TrialRecord]) -> list[TrialRecord]:
    return [replace(trial, around=around(0.5)) for trial in trials]


def test_a_ratio_is_of_turns_that_are_neighbours_in_time(rng: np.random.Generator) -> None:
    machine = [rng.uniform(0.3, 1.1, ROUNDS).tolist() for _ in range(BLOCKS)]
    plain, faster = (
        (rate * np.exp(rng.normal(0, 0.01, (BLOCKS, ROUNDS))) * machine).tolist()
        for rate in (100.0, 108.0)
    )
    row = row_of(summary_of(rotation({"a": plain, "b": faster})), "b")
    assert row.ratio == pytest.approx(1.08, abs=0.01)
    assert (row.verdict, row.counts_all_turns) == ("faster", False)


def test_a_ratio_to_both_copies_need_not_exceed_how_they_differ() -> None:
    """How they differ from each other says nothing of how a pipeline differs from their mean."""
    offs = [0.06, -0.03, 0.05, -0.01]
    copies = [turns_of([100.0 * math.exp(off)] * ROUNDS) for off in offs]
    faster = [[100.0 * math.exp(off / 2 + 0.012)] * ROUNDS for off in offs]
    summary = summary_of(
        [
            replace(trial, turns=copies[trial.block - 1]) if trial.purpose == "control" else trial
            for trial in rotation({"a": [[100.0] * ROUNDS] * BLOCKS, "b": faster})
        ]
    )
    assert summary.control_interval is not None
    assert summary.control_interval.estimate > 0.012
    assert summary.control_interval.low < 0
    assert summary.threshold == 0.0
    row = row_of(summary, "b")
    assert row.ratio == pytest.approx(math.exp(0.012), abs=0.001)
    assert row.verdict == "faster"


def test_turns_that_began_while_batches_were_ready_are_counted(turns: Turns) -> None:
    trials = rotation({"a": turns(100.0), "b": turns(200.0)})
    assert row_of(summary_of(trials), "b").unsettled_share == 0.0
    ready = [
        replace(trial, turns=[replace(turn, is_settled=turn.round > 5) for turn in trial.turns])
        for trial in trials
    ]
    assert row_of(summary_of(ready), "b").unsettled_share == pytest.approx(5 / ROUNDS, abs=0.06)


def test_a_rate_is_of_all_turns_and_not_of_the_windows_before() -> None:
    trials = rotation({"a": [[100.0, 50.0, 150.0]] * 2, "b": [[10.0] * 3] * 2})
    assert trials[0].rate == 100
    assert row_of(summary_of(trials), "a").rate == pytest.approx(100)


def test_a_ratio_is_to_both_copies_of_the_baseline_and_the_control_to_the_first(
    turns: Turns,
) -> None:
    trials = rotation({"a": turns(100), "b": turns(120)})
    copy = [turns_of(of_block) for of_block in turns(104)]
    trials = [
        replace(trial, turns=copy[trial.block - 1]) if trial.purpose == "control" else trial
        for trial in trials
    ]
    summary = summary_of(trials)
    assert row_of(summary, "b").ratio == pytest.approx(120 / math.sqrt(100 * 104), abs=0.01)
    assert row_of(summary, "a").rate == pytest.approx(100, abs=1)
    assert summary.control is not None
    assert summary.control[0] == pytest.approx(1.04, abs=0.01)


def test_no_trial_of_a_rotation_is_left_out_however_slow_the_probe_was(turns: Turns) -> None:
    trials = disturbed(rotation({"a": turns(100), "b": turns(120)}))
    row = row_of(summary_of(trials), "b")
    assert (row.verdict, row.blocks, row.disturbed) == ("faster", BLOCKS, 0)


def test_one_that_could_not_be_stopped_is_compared_as_without_a_rotation(turns: Turns) -> None:
    trials = rotation({"a": turns(100), "b": turns(100)})
    trials = [replace(trial, turns=[]) if trial.label == "b" else trial for trial in trials]
    row = row_of(summary_of(trials), "b")
    assert row.ratio == pytest.approx(7 / 100, abs=0.002)  # seven images/s in its windows


@pytest.mark.parametrize(
    ("shares", "withheld", "best"),
    [
        ({"b": 0.3}, {"b": "other programs", "c": None}, ["a", "c"]),
        ({"a": 0.3}, dict.fromkeys("bc", "baseline's other programs"), []),
        ({"a": 0.3, "b": 0.3, "c": 0.3}, dict.fromkeys("bc"), ["a", "b", "c"]),
        ({"b": 0.04}, dict.fromkeys("bc"), ["a", "b", "c"]),
        ({"a": 0.3, "b": 0.5, "c": 0.3}, dict.fromkeys("bc"), ["a", "b", "c"]),
    ],
    ids=["one pipeline's", "the baseline's", "everybody's", "too little", "always busy"],
)
def test_other_programs_that_come_with_one_pipeline_withhold_its_verdict(
    shares: dict[str, float], withheld: dict[str, str | None], best: list[str], turns: Turns
) -> None:
    rates = {label: turns(100) for label in "abc"}
    summary = summary_of(rotation(rates, shares), "abc")
    assert {label: row_of(summary, label).withheld for label in "bc"} == withheld
    assert summary.best == best


def test_other_programs_that_are_busy_in_a_few_turns_are_nobodys(turns: Turns) -> None:
    trials = rotation({"a": turns(100), "b": turns(100)})
    busy = [
        replace(
            trial,
            turns=[
                replace(turn, others_share=0.9 if turn.round % 3 == 0 else 0.0)
                for turn in trial.turns
            ],
        )
        if trial.label == "b"
        else trial
        for trial in trials
    ]
    assert row_of(summary_of(busy), "b").verdict == "equivalent"


def test_a_pipeline_whose_own_turns_are_slow_now_and_then_is_judged_by_all_of_them(
    turns: Turns,
) -> None:
    rates = {"a": turns(100), "b": slowed(turns(100), (3, 8, 13, 18), 2.0)}
    row = row_of(summary_of(rotation(rates)), "b")
    assert row.ratio == pytest.approx(0.9, abs=0.01)
    assert (row.verdict, row.counts_all_turns) == ("slower", True)


def test_a_verdict_that_slow_turns_contradict_is_withheld(turns: Turns) -> None:
    quick = turns(103)
    quick[:3] = slowed(quick[:3], (5,), 50.0)  # too few to tell whose they are
    summary = summary_of(rotation({"a": turns(100), "b": quick}))
    row = row_of(summary, "b")
    assert (row.verdict, row.withheld, row.counts_all_turns) == ("withheld", "slow turns", False)
    assert summary.best == []


def test_turns_of_which_the_others_share_is_unknown_accuse_nobody(turns: Turns) -> None:
    trials = rotation({"a": turns(100), "b": turns(100)}, {"b": 0.9})
    unknown = [
        replace(trial, turns=turns_of([turn.rate for turn in trial.turns])) for trial in trials
    ]
    assert row_of(summary_of(unknown), "b").withheld is None
