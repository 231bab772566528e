"""A measured process's turns, over a pipe and under a claimed clock."""

from __future__ import annotations

import os
import threading
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from feedbench.bench.measured.consumer import Consumer
from feedbench.bench.measured.turns import Turns, fits, of_repeated, stop_share
from feedbench.bench.records.messages import TURN, Event, Phase, Turned
from feedbench.bench.records.pace import USUAL
from feedbench.bench.records.windows import Windows
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import WrongWorkError
from tests.support.clock import ClaimedClock
from tests.support.pipelines.claimed_feeds import a_batch


def batches(clock: ClaimedClock, most: int = 10**6) -> Iterator[Any]:
    for _ in range(most):
        clock.sleep(0.03125)
        yield a_batch(8)


def turns_of(clock: ClaimedClock, feed: Iterator[Any]) -> Turns:
    consumer = Consumer(lambda _: 8, 80, Windows(), array("d"), lambda _: None, clock)
    return Turns(feed, consumer, 0.03125, USUAL, clock=clock)


def test_it_takes_a_turn_for_each_round_that_the_pipe_names_and_ends_at_zero(
    tmp_path: Path,
) -> None:
    clock, said = ClaimedClock(), list[Event]()
    pipe = tmp_path / "turns"
    os.mkfifo(pipe)
    turns = turns_of(clock, batches(clock))
    thread = threading.Thread(target=turns.run, args=(pipe, said.append))
    thread.start()
    with pipe.open("wb", buffering=0) as commands:
        for number, seconds in ((3, 0.0), (7, 2.0), (0, 0.0)):
            commands.write(TURN.pack(number, seconds))
    thread.join(10)
    assert not thread.is_alive()
    ready, first, second = said
    assert isinstance(ready, Phase)
    assert ready.name == "ready"
    assert isinstance(first, Turned)
    assert isinstance(second, Turned)
    assert (first.round, first.images / first.seconds) == (3, 256.0)
    assert (second.round, second.seconds) == (7, 2.0)


def test_it_keeps_the_last_batch_for_the_checks_that_follow() -> None:
    clock = ClaimedClock()
    turns = turns_of(clock, batches(clock))
    turns.turn(1)
    assert turns.latest is not None


def test_a_pipeline_that_ends_within_a_turn_does_the_wrong_work() -> None:
    clock = ClaimedClock()
    with pytest.raises(WrongWorkError, match=r"its repeat\(\) ended"):
        turns_of(clock, batches(clock, most=5)).turn(1)


def test_what_is_too_slow_for_turns_takes_none() -> None:
    assert fits(1.0)
    assert not fits(3.0)
    assert fits(epoch_seconds=4.0)
    assert not fits(epoch_seconds=60.0)


def with_stops(clock: ClaimedClock, stop: float) -> Iterator[Any]:
    """Epochs of ten batches, each after a stop."""
    while True:
        for number in range(10):
            clock.sleep(0.03125 if number else stop)
            yield a_batch(8)


@pytest.mark.parametrize(("stop", "is_whole"), [(0.03125, False), (0.09375, False), (0.5, True)])
def test_a_feed_that_stands_still_between_epochs_has_turns_of_whole_epochs(
    stop: float, is_whole: bool
) -> None:
    clock = ClaimedClock()
    feed = with_stops(clock, stop)
    earlier = array("d", [-3.0])  # of a restarted epoch: the wait after it is one for a restart
    consumer = Consumer(lambda _: 8, 80, Windows(), earlier, lambda _: None, clock)
    for _ in range(45):  # as before its turns
        consumer.take(next(feed))
    assert [*consumer.first_waits] == pytest.approx([stop] * 4)
    work = Workload(
        folder="",
        files=("",) * 80,
        labels=(0,) * 80,
        class_names=("",),
        height=1,
        width=1,
        batch_size=8,
        folder_images=80,
    )
    seconds = stop + 9 * 0.03125
    turns = of_repeated(feed, consumer, seconds / 10, USUAL, work, clock)
    taken = [turns.turn(number) for number in range(1, 8)]
    rates = [each.images / each.seconds for each in taken]
    assert all(each.images % 80 == 0 for each in taken) == is_whole
    assert (rates == pytest.approx([80 / seconds] * 7)) == (is_whole or stop == 0.03125)


def test_long_epochs_with_stops_are_not_waited_for() -> None:
    assert stop_share([3.0], 0.1, 4.0) == pytest.approx(0.725)
    assert stop_share([3.0], 0.1, 6.0) == 0.0
    assert stop_share([], 0.1, 4.0) == 0.0
