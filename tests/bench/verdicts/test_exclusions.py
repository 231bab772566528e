"""What tells that a verdict depends on which disturbed trials were left out."""

from __future__ import annotations

import math

import pytest

from feedbench.bench.records.row import Word
from feedbench.bench.verdicts.intervals import contradicts, shares_differ
from tests.support.runs.summaries import MARGIN


@pytest.mark.parametrize(
    ("word", "ratio", "against"),
    [
        ("faster", 1.01, False),
        ("faster", 0.99, True),
        ("slower", 0.99, False),
        ("slower", 1.01, True),
        ("equivalent", 1.04, False),
        ("equivalent", 0.94, True),
        ("inconclusive", 0.5, False),
        ("withheld", 0.5, False),
    ],
)
def test_an_estimate_with_everything_in_speaks_against_what_it_contradicts(
    word: Word, ratio: float, against: bool
) -> None:
    assert contradicts(math.log(ratio), word, MARGIN) is against


@pytest.mark.parametrize(
    ("ours", "others", "differ"),
    [
        ((0, 20), (0, 40), False),
        ((4, 20), (8, 40), False),
        ((2, 8), (0, 16), False),
        ((5, 10), (1, 40), True),
        ((0, 20), (20, 40), True),
        ((1, 1), (0, 8), True),  # none undisturbed
        ((0, 0), (0, 8), False),
    ],
)
def test_trials_disturbed_more_or_less_often_than_the_others_raise_the_alarm(
    ours: tuple[int, int], others: tuple[int, int], differ: bool
) -> None:
    assert shares_differ(ours, others) is differ
