"""What is told of pipelines of which hardly a trial, or none, was undisturbed."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.records.windows import Window
from tests.support.builders import with_measured
from tests.support.runs.summaries import (
    CALM,
    MARGIN,
    a_trial,
    around,
    blocks,
    failed,
    probed,
    row_of,
    summary_of,
)


def test_a_disturbed_trial_is_left_out_and_the_one_taken_again_counts() -> None:
    calm = probed(blocks({"a": CALM, "b": CALM}))
    slow = a_trial("b", 2, 800, around=around(0.5))
    again = a_trial("b", 2, 1010, attempt=2, around=around(1.0))
    trials = [t for t in calm if (t.label, t.block) != ("b", 2)] + [slow, again]
    row = row_of(summary_of(trials), "b")
    assert row.ratio == pytest.approx(1, rel=1e-3)
    assert (row.blocks, row.attempts, row.disturbed) == (4, 5, 1)
    assert row.verdict == "equivalent"


def test_a_block_without_an_undisturbed_trial_of_both_compares_nothing() -> None:
    trials = probed(blocks({"a": [*CALM, 1000], "b": [*CALM, 100]}))
    trials = [
        replace(t, around=around(0.5)) if (t.label, t.block) == ("b", 5) else t for t in trials
    ]
    summary = summary_of(trials)
    assert summary.intervals["b"].n == 4


def test_what_depends_on_the_trials_left_out_has_no_verdict() -> None:
    rates = [1000] * 7
    trials = probed(blocks({"a": rates, "b": [1100, 1101, 1099, 1100, 1102, 500, 500]}))
    trials = [
        replace(t, around=around(0.5)) if t.label == "b" and t.block > 5 else t for t in trials
    ]
    summary = summary_of(trials)
    assert (row_of(summary, "b").verdict, row_of(summary, "b").withheld) == (
        "withheld",
        "exclusions",
    )
    assert row_of(summary, "b").ratio == pytest.approx(1.1, rel=1e-2)
    assert summary.best == []


def test_what_would_be_said_with_everything_in_as_well_is_said() -> None:
    rates = [1000] * 7
    trials = probed(blocks({"a": rates, "b": [1100, 1101, 1099, 1100, 1102, 990, 1010]}))
    trials = [
        replace(t, around=around(0.5)) if t.label == "b" and t.block > 5 else t for t in trials
    ]
    assert row_of(summary_of(trials), "b").verdict == "faster"


def test_a_pipeline_that_is_disturbed_more_often_than_the_others_has_no_verdict() -> None:
    calm = probed(blocks({"a": [1000] * 12, "b": [1000] * 12, "c": [1000] * 12}))
    trials = [replace(t, around=around(0.5)) if t.label == "b" and t.block > 6 else t for t in calm]
    summary = summary_of(trials, "abc")
    assert row_of(summary, "b").withheld == "exclusions"
    assert (row_of(summary, "c").verdict, row_of(summary, "c").withheld) == ("equivalent", None)
    assert "b" not in summary.best


def test_where_the_baseline_is_disturbed_more_often_nothing_has_a_verdict() -> None:
    calm = probed(blocks({"a": [1000] * 12, "b": [1000] * 12, "c": [1000] * 12}))
    trials = [replace(t, around=around(0.5)) if t.label == "a" and t.block > 6 else t for t in calm]
    summary = summary_of(trials, "abc")
    assert {row_of(summary, label).withheld for label in "bc"} == {"exclusions"}
    assert summary.best == []


def test_a_pipeline_whose_every_trial_was_disturbed_has_a_rate_and_depends_on_exclusions() -> None:
    calm = probed(blocks({"a": CALM, "b": CALM}))
    trials = [replace(t, around=around(0.5)) if t.label == "b" else t for t in calm]
    row = row_of(summary_of(trials), "b")
    assert row.rate == pytest.approx(1000, rel=1e-2)
    assert (row.ratio, row.disturbed) == (None, 4)
    assert (row.verdict, row.withheld) == ("withheld", "exclusions")


def test_disturbances_that_fall_on_all_alike_withhold_nothing() -> None:
    calm = probed(blocks({"a": [1000] * 12, "b": [1000] * 12}))
    trials = [replace(t, around=around(0.5)) if t.block in {3, 7} else t for t in calm]
    assert row_of(summary_of(trials), "b").verdict == "equivalent"


def never_calm(label: str, purpose: str = "main") -> list[TrialRecord]:
    """Four blocks of a, b and c, in which each trial of one of them was disturbed."""
    trials = probed(blocks({"a": CALM, "b": CALM, "c": CALM}))
    return [
        replace(t, around=around(0.5)) if (t.label, t.purpose) == (label, purpose) else t
        for t in trials
    ]


def test_a_run_goes_on_for_a_pipeline_that_was_never_undisturbed() -> None:
    summary = summary_of(never_calm("b"), "abc")
    assert not summary.is_precise(MARGIN, "abc")
    assert summary.is_precise(MARGIN, "ac")  # without it, as it is no longer measured


def test_a_run_goes_on_for_a_control_that_was_never_undisturbed() -> None:
    assert not summary_of(never_calm("a", "control"), "abc").is_precise(MARGIN, "abc")


def test_a_run_does_not_go_on_for_one_that_only_failed() -> None:
    trials = [*blocks({"a": CALM, "b": CALM}), failed("c", 1)]
    assert summary_of(trials, "abc").is_precise(MARGIN, "abc")


def test_two_disturbed_trials_of_a_block_are_one_block_of_the_rate() -> None:
    trials = never_calm("b")
    again = [
        replace(with_measured(t, windows=[Window(500, 1.0)] * 3), attempt=2)
        for t in trials
        if t.label == "b" and t.block == 1
    ]
    row = row_of(summary_of([*trials, *again], "abc"), "b")
    assert (row.blocks, row.attempts, row.disturbed) == (4, 5, 5)
    first = 2 / (1 / 500 + 1 / CALM[0])
    assert row.rate == 4 / sum(1 / rate for rate in (first, *CALM[1:]))


def test_a_trial_that_was_never_probed_is_undisturbed() -> None:
    assert summary_of([a_trial("a", block) for block in range(1, 5)]).rows[0].disturbed == 0


def test_a_baseline_has_no_verdict_to_withhold_of_its_own() -> None:
    trials = [
        replace(t, around=around(0.5)) if t.label == "a" else t for t in never_calm("a", "control")
    ]
    summary = summary_of(trials, "abc")
    assert (row_of(summary, "a").verdict, row_of(summary, "a").withheld) == (None, None)
    assert {row_of(summary, label).withheld for label in "bc"} == {"exclusions"}
