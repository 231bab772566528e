"""How sure the intervals are of a run that was extended after it had reported."""

from __future__ import annotations

import math

import numpy as np
import pytest

from feedbench.bench.records.run import Extension, Resumed
from feedbench.bench.verdicts.block_counts.certainty import certainty_of
from feedbench.bench.verdicts.intervals import LEVEL, Certainty, by_mean, level_of, student
from feedbench.bench.verdicts.rows import summarise
from feedbench.bench.verdicts.sequential import sequential
from tests.support.builders import a_row, a_run
from tests.support.runs.summaries import MARGIN, blocks, row_of

ADDED = Extension(blocks=8)


def resumed(blocks: int, extended_to: Extension | None) -> Resumed:
    return Resumed(at="at noon", blocks=blocks, left_out=0, extended_to=extended_to)


def test_each_report_of_a_run_that_is_extended_halves_the_error_of_its_intervals() -> None:
    once = certainty_of(a_run(a_row("a")))
    assert [once.level_of(comparisons) for comparisons in (1, 10)] == [LEVEL, level_of(10)]
    twice = certainty_of(a_run(a_row("a"), resumed=[resumed(4, ADDED)]))
    assert twice.level_of(1) == pytest.approx(0.995)
    assert twice.level_of(10) == pytest.approx(0.9975)
    thrice = certainty_of(a_run(a_row("a"), resumed=[resumed(4, ADDED), resumed(8, ADDED)]))
    assert thrice.level_of(1) == pytest.approx(0.9975)


def test_what_reported_no_verdict_is_no_report() -> None:
    killed, too_short = resumed(6, None), resumed(3, ADDED)
    assert certainty_of(a_run(a_row("a"), resumed=[killed, too_short])).reports == 1


def test_a_run_that_could_stop_after_any_block_has_intervals_that_hold_at_all_of_them() -> None:
    run = a_run(a_row("a"), sequential=True, resumed=[resumed(4, ADDED)])
    certainty = certainty_of(run)
    assert certainty.level_of(1) == certainty.next_level(LEVEL) == LEVEL
    ratios = [0.01, 0.03, 0.02, 0.04, 0.02]
    assert by_mean(ratios, LEVEL, certainty.radius) == sequential(ratios, LEVEL)


def test_the_rows_of_an_extended_run_have_the_wider_intervals() -> None:
    rates = [1500, 1520, 1470, 1500, 1490]
    trials = blocks({"a": [1000] * 5, "b": rates})
    specs = {"a": "a", "b": "b"}
    once, twice = (
        row_of(
            summarise(
                trials,
                specs,
                margin=MARGIN,
                folder_images=1000,
                certainty=Certainty(reports=reports),
            ),
            "b",
        )
        for reports in (1, 2)
    )
    assert twice.level == pytest.approx(0.995)
    assert twice.ratio == once.ratio
    assert (twice.ratio_low or 0) < (once.ratio_low or 0)
    assert (twice.ratio_high or 0) > (once.ratio_high or 0)
    assert (twice.rate_low or 0) < (once.rate_low or 0)
    interval = by_mean([math.log(rate / 1000) for rate in rates], 0.995)
    assert twice.ratio_high == pytest.approx(math.exp(interval.high))


def test_all_reports_of_a_run_together_err_at_most_twice_as_often_as_one() -> None:
    """4 blocks, then 4, 8 and 16 more, as long as equal pipelines look equal."""
    logs = np.random.default_rng(1).normal(0, 0.02, (20_000, 32))

    def wrong(levels: list[float]) -> float:
        any_wrong = np.zeros(len(logs), bool)
        for n, level in zip((4, 8, 16, 32), levels, strict=True):
            some = logs[:, :n]
            half = student(n, level) * some.std(1, ddof=1) / math.sqrt(n)
            any_wrong |= np.abs(some.mean(1)) > half
        return float(any_wrong.mean())

    ours = wrong([Certainty(reports=number).level_of(1) for number in (1, 2, 3, 4)])
    fixed = wrong([LEVEL] * 4)
    assert ours < 2 * (1 - LEVEL) < fixed
