from __future__ import annotations

import json

import msgspec
from msgspec.structs import replace

from feedbench.bench.verdicts.comparison import Comparison
from feedbench.reports.sentences.comparisons.comparison import (
    PAIR,
    PAIRED,
    UNPAIRED,
    answer,
    as_record,
    notes,
    warning,
)
from tests.support.runs.comparisons import DIFFERING, FINE, SLOWER, UNSURE, a_comparison


def test_the_answer_names_who_became_slower_or_what_cannot_be_told() -> None:
    assert answer(a_comparison(FINE, SLOWER, UNSURE)) == "b is slower by more than 5%."
    assert answer(a_comparison(FINE, UNSURE)) == (
        "It is not clear whether c became slower by more than 5%."
    )
    assert answer(a_comparison(FINE)) == "Nothing is slower by more than 5%."


def test_one_that_is_slower_by_an_unknown_amount_is_said_to_be_that() -> None:
    less = replace(FINE, word="cannot tell", ratio=0.907, ratio_low=0.83, ratio_high=0.991)
    assert answer(a_comparison(less, UNSURE)) == (
        "a is slower; it is not clear whether by more than 5%."
    )
    odd = replace(less, why="it does other work in the new run")
    assert answer(a_comparison(odd)).startswith("It is not clear whether a became slower")


def test_what_differs_between_runs_is_warned_of_and_no_note_among_others() -> None:
    told = warning(DIFFERING) or ""
    assert told.startswith("WARNING: the runs differ in more than the pipelines")
    assert told.endswith(": cores: 2 and 4.")
    assert notes(DIFFERING) == ["c: it was not measured in the new run.", "Only x.", UNPAIRED]
    assert warning(a_comparison(FINE)) is None


def test_what_differs_between_two_environments_was_meant_to_and_is_a_note() -> None:
    both = replace(DIFFERING, is_paired=True, sides="environments")
    assert warning(both) is None
    assert notes(both)[0] == "What differs between them: cores: 2 and 4."
    assert notes(both)[-1] == PAIRED.format(base="base")


def test_two_pipelines_of_one_run_are_named() -> None:
    pair = a_comparison(SLOWER, is_paired=True, sides="pipelines")
    assert notes(pair) == [PAIR.format(base="base", new="new")]


def test_json_has_the_answer_beside_all_that_was_compared() -> None:
    found = json.loads(msgspec.json.encode(as_record(DIFFERING)))
    assert (found.pop("word"), found.pop("answer")) == ("cannot tell", answer(DIFFERING))
    assert msgspec.convert(found, Comparison) == DIFFERING
