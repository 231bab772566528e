from __future__ import annotations

import io
from typing import Any

from msgspec.structs import replace
from rich.console import Console

from feedbench.bench.comparison import Compared, Comparison
from feedbench.reports.comparison import UNPAIRED, answer, markdown, notes, show
from tests.builders import KOREAN, SCRIPT

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


def test_what_differs_is_told_loudly_and_first_and_why_runs_compare_less_sharply_last() -> None:
    told = notes(a_comparison(FINE, UNSURE, differences=["cores: 2 and 4"], remarks=["Only x."]))
    assert told[0].startswith("WARNING: the runs are not of the same machine")
    assert told[0].endswith(": cores: 2 and 4.")
    assert told[1:] == ["c: it was not measured in the new run.", "Only x.", UNPAIRED]


def test_the_table_fits_and_holds_every_pipeline() -> None:
    console = Console(file=io.StringIO(), force_terminal=False)
    show(a_comparison(FINE, SLOWER, UNSURE), console)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert max(map(len, text.splitlines())) <= 100
    lines = [line.split() for line in text.splitlines()]
    assert ["b", "1,000", "700", "0.700", "0.680-0.720", "slower"] in lines


def test_markdown_shows_names_as_they_are() -> None:
    text = markdown(a_comparison(Compared(label=f"{SCRIPT}|{KOREAN}", word="cannot tell")))
    assert "<script>" not in text
    assert KOREAN in text
    assert r"\|" in text
