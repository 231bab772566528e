"""An emulated model under a claimed clock: how long it waits for pipelines of known rates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from feedbench.bench.measured.model.emulated import EmulatedModel
from feedbench.bench.measured.model.feeder import drain, epochs_of, feed
from feedbench.bench.records.demand.feeding import Feeding
from feedbench.bench.records.windows import Windows
from feedbench.pipelines.errors import WrongWorkError
from tests.support.clock import ClaimedClock
from tests.support.pipelines.claimed_feeds import a_batch
from tests.support.pipelines.producers import BATCH, Producer

STEP = 0.03125  # seconds for a batch of 8: 256 images/s
APPETITE = BATCH / STEP
RATES = [0.5, 0.9, 1.1, 2.0]  # times the appetite


def fed(
    batches: Iterator[Any], clock: ClaimedClock, *, seconds: float = 20.0, late: float = 0.0
) -> Feeding:
    """Feed a model whose sleeps end late by so many seconds."""

    def sleep(seconds: float) -> None:
        clock.sleep(seconds + late)

    model = EmulatedModel(APPETITE, clock, sleep)
    steps = feed(batches, model, Windows(seconds), clock=clock)
    return Feeding(appetite=APPETITE, windows=steps, late_seconds=model.late_seconds)


def wait_of(times: float, **given: Any) -> float:
    """Return how much a model waits for a pipeline of so many times its appetite, as a share."""
    clock = ClaimedClock()
    producer = Producer(clock=clock, batch_seconds=STEP / times, **given)
    return 1 - fed(producer.repeat(), clock).rate / APPETITE


@pytest.mark.parametrize("burst", [1, 4])
@pytest.mark.parametrize("times", RATES)
def test_a_model_waits_for_what_a_pipeline_with_a_buffer_cannot_deliver(
    times: float, burst: int
) -> None:
    assert wait_of(times, buffer=2 * burst, burst=burst) == pytest.approx(
        max(0.0, 1 - times), abs=0.01
    )


@pytest.mark.parametrize("burst", [1, 4])
@pytest.mark.parametrize("times", RATES)
def test_a_model_waits_for_each_batch_of_a_pipeline_without_a_buffer(
    times: float, burst: int
) -> None:
    assert wait_of(times, burst=burst) == pytest.approx(1 / (1 + times), abs=0.01)


def test_a_model_never_waits_for_a_batch_that_is_ready() -> None:
    assert wait_of(1e6) == pytest.approx(0.0, abs=1e-4)


@pytest.mark.parametrize("times", RATES)
@pytest.mark.parametrize("buffer", [0, 2])
def test_sleeps_that_end_late_change_nothing_on_average(times: float, buffer: int) -> None:
    clock, exact = ClaimedClock(), ClaimedClock()
    late = fed(
        Producer(clock=clock, batch_seconds=STEP / times, buffer=buffer).repeat(),
        clock,
        late=0.1 * STEP,
    )
    right = fed(Producer(clock=exact, batch_seconds=STEP / times, buffer=buffer).repeat(), exact)
    assert late.rate == pytest.approx(right.rate, rel=0.002)
    assert late.utilisation == pytest.approx(right.utilisation, abs=0.002)
    assert late.late_seconds == 0.0


def test_what_a_step_cannot_make_up_for_is_reported() -> None:
    clock = ClaimedClock()
    feeding = fed(Producer(clock=clock, batch_seconds=0.0).repeat(), clock, late=1.5 * STEP)
    seconds = sum(window.seconds for window in feeding.windows)
    steps = sum(window.steps for window in feeding.windows)
    assert feeding.late_seconds > 1.0
    assert feeding.late_seconds == pytest.approx(seconds - steps * STEP, abs=2 * STEP)


def test_every_second_is_one_of_a_step_or_of_waiting() -> None:
    clock = ClaimedClock()
    feeding = fed(Producer(clock=clock, batch_seconds=STEP).repeat(), clock)
    assert feeding.utilisation == pytest.approx(0.5, abs=0.01)
    assert feeding.step_seconds == pytest.approx(STEP)
    assert feeding.busy_rate == pytest.approx(APPETITE)
    assert feeding.rate == pytest.approx(APPETITE / 2)


def test_a_short_last_batch_takes_as_much_less_as_it_has_fewer_images() -> None:
    clock = ClaimedClock()

    def batches() -> Iterator[Any]:
        while True:
            yield a_batch(8)
            yield a_batch(2)

    feeding = fed(batches(), clock)
    assert feeding.rate == pytest.approx(APPETITE)


def test_draining_ends_when_a_batch_takes_its_usual_time() -> None:
    clock = ClaimedClock()
    producer = Producer(clock=clock, batch_seconds=1.0, buffer=4)
    batches = producer.repeat()
    next(batches)
    clock.sleep(10.0)  # the buffer is full
    drain(batches, 1.0, clock, most_seconds=100.0)
    assert clock.now >= 1011.0 + 0.5
    before = clock.now
    next(batches)
    assert clock.now - before == pytest.approx(1.0)


def test_a_feed_that_delivers_one_epoch_only_fails_and_does_not_hang() -> None:
    once = iter([a_batch(8)])
    with pytest.raises(WrongWorkError, match="no images in a later epoch"):
        fed(epochs_of(once), ClaimedClock())
