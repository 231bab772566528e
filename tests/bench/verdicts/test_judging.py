"""A gate measures until it is clear whether the new loader is slower."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from feedbench.bench.records.proof import Work
from feedbench.bench.records.run import Stopped
from feedbench.bench.verdicts.block_counts.certainty import certainty_of
from feedbench.bench.verdicts.intervals import student
from feedbench.bench.verdicts.judging import when_judged
from feedbench.bench.verdicts.rows import Summary, summarise
from feedbench.bench.verdicts.sequential import radius
from tests.support.builders import a_proof, a_row, a_run
from tests.support.runs.summaries import blocks

LABELS = ("base", "new")
CALM = [1000, 1010, 990, 1000, 1005]
RULE = when_judged(0.1)


def after(new: list[int], second: list[int] | None = None, **given: Any) -> Summary:
    """What a gate has found after the blocks in which the new loader had these rates."""
    rates = {"base": CALM[: len(new)], "new": new}
    certainty = certainty_of(a_run(a_row("base"), a_row("new"), sequential=True))
    assert certainty.radius is radius is not student
    summary = summarise(
        blocks(rates, second),
        {label: label for label in LABELS},
        margin=0.05,
        folder_images=1000,
        certainty=certainty,
        **given,
    )
    return with_works(summary, "same", "same")


def with_works(summary: Summary, *works: Work) -> Summary:
    rows = [
        replace(row, proof=a_proof(work)) for row, work in zip(summary.rows, works, strict=True)
    ]
    return replace(summary, rows=rows)


@pytest.mark.parametrize("share", [1.0, 0.97, 0.6])
def test_it_stops_after_four_blocks_where_the_answer_is_clear(share: float) -> None:
    new = [round(share * rate) for rate in (1001, 1004, 993, 1002)]
    assert RULE(after(new[:3]), LABELS) is None
    assert RULE(after(new), LABELS) is Stopped.DECIDED


def test_it_goes_on_at_the_border_and_where_the_blocks_differ_too_much() -> None:
    border = [round(rate / 1.1) for rate in CALM]
    assert RULE(after([909, 920, 890, 912, 905]), LABELS) is None
    assert RULE(after([border[0] + 9, *border[1:]]), LABELS) is None
    assert RULE(after([1000, 1300, 800, 990, 1000]), LABELS) is None


def test_it_goes_on_while_the_baseline_differs_from_its_own_copy() -> None:
    new = [600, 604, 593, 602, 600]
    slower_copy = [round(0.9 * rate) for rate in CALM]
    assert RULE(after(new, slower_copy), LABELS) is None


def test_it_stops_where_one_failed_or_delivers_something_else() -> None:
    told = after(CALM)
    assert RULE(told, ("base",)) is Stopped.INCOMPARABLE
    assert RULE(with_works(told, "same", "different"), LABELS) is Stopped.INCOMPARABLE
    assert RULE(with_works(told, "same", "near"), LABELS) is Stopped.INCOMPARABLE
