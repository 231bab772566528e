"""Whether a model waits: the share of each block, its interval, and the verdict."""

from __future__ import annotations

import pytest

from feedbench.bench.records.demand.demand import Estimate
from feedbench.bench.verdicts.demand.waiting import (
    appetite_of,
    estimate_of,
    is_precise,
    more_blocks,
    verdict,
    waits_of,
)
from feedbench.bench.verdicts.intervals import ONCE


def test_a_share_is_of_the_same_block() -> None:
    assert waits_of({1: 50.0, 2: 90.0, 3: 70.0}, {1: 100.0, 2: 200.0}) == {1: 0.5, 2: 0.55}


@pytest.mark.parametrize(
    ("waits", "expected"),
    [
        ([0.6, 0.62, 0.61, 0.6], "waits"),
        ([0.02, 0.021, 0.019, 0.02], "does not wait"),
        ([0.0, 0.0, 0.0, 0.0], "does not wait"),
        ([-0.01, 0.0, 0.005, -0.002], "does not wait"),
        ([0.0, 0.1, 0.02, 0.07], "cannot tell"),
        ([0.05, 0.051, 0.049, 0.05], "cannot tell"),
        ([0.6, 0.62, 0.61], "cannot tell"),
    ],
)
def test_the_verdict_needs_the_whole_interval_on_one_side_of_the_margin(
    waits: list[float], expected: str
) -> None:
    assert verdict(estimate_of(waits, 0.99), 0.05) == expected


def test_fewer_than_four_blocks_have_no_interval() -> None:
    assert estimate_of([0.5, 0.75, 0.625], 0.99) == Estimate(value=0.625, blocks=3)


def test_a_larger_margin_makes_a_small_wait_acceptable() -> None:
    wait = estimate_of([0.08, 0.081, 0.079, 0.08], 0.99)
    assert verdict(wait, 0.05) == "waits"
    assert verdict(wait, 0.1) == "does not wait"


def test_a_run_stops_for_narrow_intervals_whatever_the_verdict() -> None:
    near_the_margin = [0.05, 0.051, 0.049, 0.05]
    assert is_precise(near_the_margin, 0.99, 0.05, ONCE)
    assert not is_precise([0.6, 0.7, 0.8, 0.9], 0.99, 0.05, ONCE)
    assert not is_precise([0.6, 0.6, 0.6], 0.99, 0.05, ONCE)


def test_more_blocks_are_estimated() -> None:
    assert more_blocks([0.5], 0.99, 0.05) == 3
    more = more_blocks([0.0, 0.1, 0.02, 0.2], 0.99, 0.05)
    assert more is not None
    assert more > 1


def test_appetites_are_averaged_by_their_logarithms() -> None:
    estimate = appetite_of([100.0, 400.0, 100.0, 400.0], 0.99)
    assert estimate.value == pytest.approx(200.0)
    assert estimate.low is not None
    assert estimate.high is not None
    assert estimate.low * estimate.high == pytest.approx(200.0**2)
