from __future__ import annotations

import io
import json
from typing import Any

import msgspec
from msgspec.structs import replace
from rich.console import Console

from feedbench.bench.verdicts.comparison import Compared, Comparison
from feedbench.reports.sentences.comparison import (
    PAIRED,
    UNPAIRED,
    answer,
    as_record,
    markdown,
    notes,
    show,
    warning,
)
from tests.support.builders import KOREAN, SCRIPT

SLOWER = Compared(
    label="b",
    word="slower",
    base_rate=1000.0,
    rate=700.0,
    ratio=0.7,
    ratio_low=0.68,
    ratio_high=0.72,
    blocks=(8, 8),
)
UNSURE = Compared(label="c", word="cannot tell", why="it was not measured in the new run")
FINE = Compared(
    label="a",
    word="not slower",
    base_rate=1000.0,
    rate=1010.0,
    ratio=1.01,
    ratio_low=0.99,
    ratio_high=1.03,
)


def a_comparison(*pipelines: Compared, **given: Any) -> Comparison:
    return Comparison(
        base="base", new="new", tolerance=0.05, level=0.99, pipelines=list(pipelines), **given
    )


def test_the_answer_names_who_became_slower_or_what_cannot_be_told() -> None:
    assert answer(a_comparison(FINE, SLOWER, UNSURE)) == "b is slower by more than 5%."
    assert answer(a_comparison(FINE, UNSURE)) == (
        "It cannot be told whether c became slower by more than 5%."
    )
    assert answer(a_comparison(FINE)) == "Nothing is slower by more than 5%."


def test_one_that_is_slower_by_an_unknown_amount_is_said_to_be_that() -> None:
    less = replace(FINE, word="cannot tell", ratio=0.907, ratio_low=0.83, ratio_high=0.991)
    assert answer(a_comparison(less, UNSURE)) == (
        "a is slower; whether by more than 5% cannot be told."
    )
    odd = replace(less, why="it does other work in the new run")
    assert answer(a_comparison(odd)).startswith("It cannot be told whether a became slower")


DIFFERING = a_comparison(FINE, UNSURE, differences=["cores: 2 and 4"], remarks=["Only x."])


def shown(found: Comparison, *, colours: bool = False) -> str:
    """What the terminal gets."""
    file = io.StringIO()
    show(found, Console(file=file, force_terminal=colours, width=100, highlight=False))
    return file.getvalue()


def test_what_differs_between_runs_is_warned_of_and_no_note_among_others() -> None:
    told = warning(DIFFERING) or ""
    assert told.startswith("WARNING: the runs were not made alike")
    assert told.endswith(": cores: 2 and 4.")
    assert notes(DIFFERING) == ["c: it was not measured in the new run.", "Only x.", UNPAIRED]
    assert warning(a_comparison(FINE)) is None


def test_what_differs_between_two_environments_was_meant_to_and_is_a_note() -> None:
    both = replace(DIFFERING, is_paired=True)
    assert warning(both) is None
    assert notes(both)[0] == "What differs between them: cores: 2 and 4."
    assert notes(both)[-1] == PAIRED.format(base="base")


def test_the_warning_stands_before_every_figure_and_the_answer_and_stands_out() -> None:
    for text in (shown(DIFFERING), markdown(DIFFERING)):
        assert text.count("WARNING") == 1
        warned = text.index("WARNING")
        assert warned < text.index("verdict")
        assert warned < text.index("It cannot be told")
        assert text.index("Only x.") > text.index("verdict")
    assert shown(DIFFERING, colours=True).startswith("\x1b[1mWARNING")
    assert markdown(DIFFERING).startswith("**WARNING")


def test_without_a_difference_the_table_and_the_answer_come_first() -> None:
    assert shown(a_comparison(FINE)).startswith("pipeline")
    assert markdown(a_comparison(FINE)).startswith("**Nothing is slower by more than 5%.**")


def test_json_has_the_answer_beside_all_that_was_compared() -> None:
    found = json.loads(msgspec.json.encode(as_record(DIFFERING)))
    assert (found.pop("word"), found.pop("answer")) == ("cannot tell", answer(DIFFERING))
    assert msgspec.convert(found, Comparison) == DIFFERING


def test_the_table_fits_and_holds_every_pipeline() -> None:
    text = shown(a_comparison(FINE, SLOWER, UNSURE))
    assert max(map(len, text.splitlines())) <= 100
    lines = [line.split() for line in text.splitlines()]
    assert ["b", "1,000", "700", "0.700", "0.680-0.720", "slower"] in lines


def test_markdown_shows_names_as_they_are() -> None:
    text = markdown(a_comparison(Compared(label=f"{SCRIPT}|{KOREAN}", word="cannot tell")))
    assert "<script>" not in text
    assert KOREAN in text
    assert r"\|" in text
