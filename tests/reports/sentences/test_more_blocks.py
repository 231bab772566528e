"""How many more blocks would decide, how long they take, and the command that adds them."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from feedbench.reports.sentences.more_blocks import (
    amount,
    of_comparison,
    undecided,
    without_verdict,
)
from tests.support.builders import a_proof, a_row, a_run
from tests.support.runs.comparisons import FINE, a_comparison

UNSURE = replace(FINE, label="c", word="cannot tell", more_blocks=12)


def test_a_run_names_the_command_with_its_own_folder_and_how_long_that_takes() -> None:
    run = a_run(a_row("a"), a_row("b", more_blocks=10), block_seconds=42.0)
    assert undecided(run, "runs/today") == (
        "About 10 more blocks (7 min) would decide b:"
        " feedbench run --resume runs/today --blocks +10"
    )
    assert undecided(a_run(a_row("a"), a_row("b", verdict="faster"))) is None


def test_a_pipeline_that_was_disturbed_too_often_is_given_as_many_blocks_as_that_takes() -> None:
    rare = a_row("b", blocks=2, attempts=6, disturbed=4)
    run = a_run(a_row("a"), rare, blocks=6, block_seconds=10.0)
    assert without_verdict(run, "R") == (
        "About 6 more blocks (60 s) would give b enough undisturbed blocks:"
        " feedbench run --resume R --blocks +6"
    )
    assert without_verdict(a_run(a_row("a"), rare, blocks=3)) is None  # the answer names them
    never = a_row("b", blocks=3, attempts=6, disturbed=6)
    assert without_verdict(a_run(a_row("a"), never, blocks=6)) is None
    failed = replace(rare, failures=["it raised OSError: gone"])
    assert without_verdict(a_run(a_row("a"), failed, blocks=6)) is None
    unequal = replace(rare, proof=a_proof("different"))
    assert without_verdict(a_run(a_row("a"), unequal, blocks=6)) is None


def test_of_two_runs_both_take_more_blocks_each_in_its_own_time() -> None:
    told = of_comparison(
        replace(a_comparison(FINE, UNSURE, block_seconds=(10.0, 20.0)), base="my base")
    )
    assert told == (
        "About 12 more blocks of each run (2 min and 4 min) would decide c:"
        " feedbench run --resume 'my base' --blocks +12; feedbench run --resume new --blocks +12"
    )
    assert of_comparison(a_comparison(FINE)) is None


def test_of_one_run_in_two_environments_that_one_takes_them() -> None:
    told = of_comparison(a_comparison(UNSURE, block_seconds=(10.0, 10.0), is_paired=True))
    assert told == (
        "About 12 more blocks (2 min) would decide c: feedbench run --resume RUN --blocks +12"
    )
    few = replace(UNSURE, ratio=None, more_blocks=2)
    assert of_comparison(a_comparison(few, is_paired=True)) == (
        "At least 2 more blocks are needed for c: feedbench run --resume RUN --blocks +2"
    )


@pytest.mark.parametrize(
    ("blocks", "seconds", "text"),
    [
        (1, 0.2, "1 more block (1 s)"),
        (4, 20.0, "4 more blocks (80 s)"),
        (4, 30.0, "4 more blocks (2 min)"),
        (1200, 30.0, "1,200 more blocks (10 h)"),
        (3, None, "3 more blocks"),
    ],
)
def test_the_time_is_said_as_roughly_as_it_is_known(
    blocks: int, seconds: float | None, text: str
) -> None:
    assert amount(blocks, seconds) == text
