"""From times to figures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbench.bench.watching import figures
from feedbench.bench.watching.times import EpochTimes

PAIRS = st.lists(
    st.tuples(st.floats(0, 10, width=32), st.floats(0, 10, width=32)), min_size=1, max_size=60
)
"""The work before each batch, and the wait for it, in seconds."""


def an_epoch(pairs: list[tuple[float, float]]) -> EpochTimes:
    times, now = EpochTimes(), 100.0
    for work, wait in pairs:
        times.add((now + work, now + work + wait))
        now += work + wait
    return times


@given(PAIRS)
def test_the_steps_of_an_epoch_add_up_to_it(pairs: list[tuple[float, float]]) -> None:
    epoch = figures.epoch(an_epoch(pairs))
    assert epoch.first_seconds == pytest.approx(pairs[0][1], abs=1e-6)
    assert epoch.waited_seconds == pytest.approx(sum(wait for _, wait in pairs[1:]), abs=1e-6)
    assert epoch.seconds == pytest.approx(sum(map(sum, pairs[1:])), abs=1e-6)


@given(st.lists(PAIRS, max_size=4), st.integers(1, 20))
def test_stretches_are_few_and_hold_every_step_once(
    epochs: list[list[tuple[float, float]]], most: int
) -> None:
    times = [*map(an_epoch, epochs)]
    stretches = figures.stretches(times, most)
    steps = sum(len(pairs) - 1 for pairs in epochs)
    assert len(stretches) <= most
    assert sum(each.steps for each in stretches) == steps
    assert [each.first_step for each in stretches] == [
        sum(before.steps for before in stretches[:place]) for place in range(len(stretches))
    ]
    waited = sum(each.steps * each.wait_seconds for each in stretches)
    assert waited == pytest.approx(sum(figures.epoch(t).waited_seconds for t in times), abs=1e-5)


def test_a_clock_that_is_set_back_gives_no_negative_wait() -> None:
    times = EpochTimes()
    for asked, arrived in ((10.0, 11.0), (12.0, 9.0), (9.5, 9.7)):
        times.add((asked, arrived))
    assert all(0 <= wait <= whole for _, wait, whole in times.steps())
    epoch = figures.epoch(times)
    assert 0 <= epoch.waited_seconds <= epoch.seconds
