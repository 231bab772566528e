"""Pipelines that were measured, and of which nothing is known beside the others."""

from __future__ import annotations

from typing import Any

import pytest

from feedbench.bench.records.row import Row
from feedbench.bench.records.run import RunRecord
from feedbench.reports.sentences.answer import answer, sure
from feedbench.reports.sentences.notes import notes
from tests.support.builders import a_row, a_run, compared
from tests.support.runs.calms import a_calm

FAST = compared("b", 2.0, "faster")
ALL_DISTURBED = (
    "Every trial of {} was disturbed, so its rate comes from disturbed trials and it has no"
    " verdict."
)


def few(**given: Any) -> Row:
    """A pipeline that is far faster, in blocks too few for a verdict."""
    return a_row("few", 9000.0, **{"blocks": 3, "attempts": 5, "disturbed": 2, **given})


def a_run_with(*rows: Row, best: tuple[str, ...] = ("b",)) -> RunRecord:
    return a_run(a_row("a"), *rows, best=list(best))


def test_the_fastest_is_so_among_those_that_could_be_judged() -> None:
    found = answer(a_run_with(FAST, few()))
    assert found.startswith("Of those that could be judged, b is the fastest: 2.00 times the rate")
    withheld = compared("few", 9.0, "withheld", withheld="exclusions")
    assert answer(a_run_with(FAST, withheld)).startswith("Of those that could be judged, b is")
    assert answer(a_run_with(FAST)).startswith("b is the fastest")


def test_where_several_are_the_fastest_it_is_said_too() -> None:
    slow = compared("c", 0.5, "slower")
    other = compared("d", 2.0, "faster")
    found = answer(a_run_with(FAST, slow, other, few(), best=("b", "d")))
    assert found == (
        "Of those that could be judged, b and d are the fastest; no difference is shown between"
        " them."
    )
    equal = answer(a_run_with(compared("b", 1.0, "equivalent"), few(), best=("a", "b")))
    assert equal == ("Of those that could be judged, no difference is shown between a and b.")


@pytest.mark.parametrize("row", [a_row("few", None, blocks=0, failures=["it raised OSError"])])
def test_one_that_failed_could_not_have_been(row: Row) -> None:
    assert answer(a_run_with(FAST, row)).startswith("b is the fastest")


def test_a_note_says_why_it_is_not_judged() -> None:
    assert (
        "few has no verdict: it has 3 undisturbed blocks, and a verdict needs 4 in common with the"
        " baseline."
    ) in notes(a_run_with(FAST, few()))
    never = few(blocks=5, attempts=5, disturbed=5)
    assert ALL_DISTURBED.format("few") in notes(a_run_with(FAST, never))
    assert not any("verdict" in note for note in notes(a_run_with(FAST)))


def test_a_baseline_that_could_not_be_checked_by_its_copy_is_told() -> None:
    unchecked = sure(a_run(a_row("a"), FAST, best=["b"], control=None))
    assert "Too few undisturbed blocks to check the baseline against its own copy." in unchecked
    checked = sure(a_run(a_row("a"), FAST, best=["b"], control=(1.0, 0.99, 1.01)))
    assert "The baseline's own copy ran at 1.00 times its rate (0.990 to 1.01)." in checked


def test_where_each_trial_was_disturbed_nothing_is_said_to_be_left_out() -> None:
    of = {"attempts": 8, "disturbed": 8}
    rows = a_row("a", **of), compared("b", 1.1, "withheld", withheld="exclusions", **of)
    calm = a_calm(attempts=16, disturbed=16)
    run = a_run(*rows, calm=calm)
    assert answer(run) == "No verdicts: each of 16 trials was disturbed."
    told = [note for note in notes(run) if note.startswith(("Every trial of", "b has no verdict"))]
    assert told == [ALL_DISTURBED.format("a"), ALL_DISTURBED.format("b")]
