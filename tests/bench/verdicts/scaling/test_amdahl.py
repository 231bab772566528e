"""Amdahl's law, by points that follow it and points that do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbench.bench.verdicts.scaling.amdahl import Amdahl, amdahl

SECONDS = st.floats(0.0001, 0.01)


@given(
    serial=SECONDS,
    spread=SECONDS,
    workers=st.lists(st.integers(1, 64), min_size=2, max_size=6, unique=True),
)
def test_points_that_follow_the_law_give_its_parameters(
    serial: float, spread: float, workers: list[int]
) -> None:
    law = Amdahl(serial, spread)
    fitted = amdahl({n: law.seconds(n) for n in workers})
    assert fitted.serial == pytest.approx(serial, rel=1e-5)
    assert fitted.spread == pytest.approx(spread, rel=1e-5)


def test_two_points_have_no_misfit_and_three_have_one() -> None:
    two = {1: 0.010, 2: 0.006}
    assert amdahl(two).misfit(two) is None
    three = two | {4: 0.006}  # the law says 0.004
    misfit = amdahl(three).misfit(three)
    assert misfit is not None
    assert 0.05 < misfit < 0.33


def test_a_rate_that_more_workers_lower_has_no_part_that_can_be_spread() -> None:
    assert amdahl({1: 0.004, 2: 0.005}).spread < 0
