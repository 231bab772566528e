"""What is told of pipelines of which hardly a trial, or none, was undisturbed."""

from __future__ import annotations

from msgspec.structs import replace

from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.records.windows import Window
from tests.bench.verdicts.test_rows import (
    CALM,
    MARGIN,
    a_trial,
    around,
    blocks,
    failed,
    probed,
    row,
    summary,
)
from tests.support.builders import with_measured


def never_calm(label: str, purpose: str = "main") -> list[TrialRecord]:
    """Four blocks of a, b and c, in which each trial of one of them was disturbed."""
    trials = probed(blocks({"a": CALM, "b": CALM, "c": CALM}))
    return [
        replace(t, around=around(0.5)) if (t.label, t.purpose) == (label, purpose) else t
        for t in trials
    ]


def test_a_run_goes_on_for_a_pipeline_that_was_never_undisturbed() -> None:
    found = summary(never_calm("b"), "abc")
    assert not found.is_precise(MARGIN, "abc")
    assert found.is_precise(MARGIN, "ac")  # without it, as it is no longer measured


def test_a_run_goes_on_for_a_control_that_was_never_undisturbed() -> None:
    assert not summary(never_calm("a", "control"), "abc").is_precise(MARGIN, "abc")


def test_a_run_does_not_go_on_for_one_that_only_failed() -> None:
    trials = [*blocks({"a": CALM, "b": CALM}), failed("c", 1)]
    assert summary(trials, "abc").is_precise(MARGIN, "abc")


def test_two_disturbed_trials_of_a_block_are_one_block_of_the_rate() -> None:
    trials = never_calm("b")
    again = [
        replace(with_measured(t, windows=[Window(500, 1.0)] * 3), attempt=2)
        for t in trials
        if t.label == "b" and t.block == 1
    ]
    found = row(summary([*trials, *again], "abc"), "b")
    assert (found.blocks, found.attempts, found.disturbed) == (4, 5, 5)
    first = 2 / (1 / 500 + 1 / CALM[0])
    assert found.rate == 4 / sum(1 / rate for rate in (first, *CALM[1:]))


def test_a_trial_that_was_never_probed_is_undisturbed() -> None:
    assert summary([a_trial("a", block) for block in range(1, 5)]).rows[0].disturbed == 0


def test_a_baseline_has_no_verdict_to_withhold_of_its_own() -> None:
    trials = [
        replace(t, around=around(0.5)) if t.label == "a" else t for t in never_calm("a", "control")
    ]
    found = summary(trials, "abc")
    assert (row(found, "a").verdict, row(found, "a").withheld) == (None, None)
    assert {row(found, label).withheld for label in "bc"} == {"exclusions"}
