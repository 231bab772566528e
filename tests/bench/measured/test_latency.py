"""Batch latency: of what windows, and what of them. Under a claimed clock."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

import numpy as np
import pytest

from feedbench.bench.measured.latency import latency_of
from feedbench.bench.records.conditions.usage import Latency
from feedbench.bench.records.windows import counted_from
from feedbench.pipelines.contract import Batch
from tests.support.clock import ClaimedClock
from tests.support.pipelines.claimed_feeds import (
    START,
    Continuous,
    Ramping,
    Told,
    continuous,
    restarted,
)


def latency(intervals: list[float], since: float = 0.0) -> Latency | None:
    return latency_of(array("d", np.cumsum([0.0, *intervals])), since)


def test_percentiles_lie_between_the_nearest_two_intervals() -> None:
    intervals = latency([float(n) for n in range(1, 102)])  # 1 to 101: p50 is the 51st of 101
    assert intervals is not None
    assert (intervals.p50, intervals.p95, intervals.p99) == pytest.approx((51, 96, 100))
    assert (intervals.batches, intervals.longest) == (101, 101)
    between = latency([1.0, 2.0])
    assert between is not None
    assert between.p50 == pytest.approx(1.5)


def test_intervals_that_began_before_are_left_out() -> None:
    intervals = latency([5.0, 1.0, 2.0], since=5.0)
    assert intervals is not None
    assert (intervals.batches, intervals.longest) == (2, 2.0)


def test_without_two_batches_there_is_none() -> None:
    assert latency([]) is None
    assert latency([1.0], since=1.0) is None
    assert latency_of(array("d"), 0.0) is None


class Stalling(Continuous):
    """Its repeat() takes 1/8 s for a batch, and once in a while half a second."""

    def repeat(self) -> Iterator[Batch]:
        while True:
            yield from self.batches(8 * 49, 0.125)
            yield from self.batches(8, 0.5)


def test_a_stall_is_the_longest_and_beyond_the_percentiles_it_does_not_reach() -> None:
    feed = Stalling(clock=ClaimedClock(START), images=400)
    measured = Told(feed).run(steady_seconds=100.0)
    assert measured.latency is not None
    assert measured.latency.longest == 0.5
    assert (measured.latency.p50, measured.latency.p95) == (0.125, 0.125)
    assert measured.latency.p99 == pytest.approx(0.5)


def test_every_batch_of_the_windows_that_count_is_in_it_and_no_other() -> None:
    ramping = Told(Ramping(clock=ClaimedClock(START), images=32)).run()
    place = counted_from(ramping.windows)
    assert place > 0
    counted = ramping.windows[place:]
    assert ramping.latency == Latency(
        batches=sum(window.images for window in counted) // 8,
        p50=1 / 64,
        p95=1 / 64,
        p99=1 / 64,
        longest=1 / 64,
    )


def test_first_and_restarted_epochs_are_no_part_of_a_continuous_feeds_latency() -> None:
    measured = Told(continuous(32, first_epoch_batch_seconds=9.0, start_seconds=5.0)).run()
    assert measured.latency is not None
    assert measured.latency.longest == 0.125


def test_of_a_feed_that_is_restarted_the_turnover_is_one_of_the_intervals() -> None:
    measured = Told(restarted(64, start_seconds=1.0, teardown_seconds=0.0625)).run()
    assert measured.latency is not None
    assert measured.latency.longest == pytest.approx(1.0 + 0.125 + 0.0625)
    assert measured.latency.p50 == 0.125
    counted = measured.windows[counted_from(measured.windows) :]
    assert measured.latency.batches == sum(window.images for window in counted) // 8


def test_a_pilot_has_no_latency() -> None:
    assert Told(continuous()).pilot().latency is None
