"""A turn drops what was ready when the pipeline woke up, whatever the pipeline is like."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate, chain, count, islice, repeat

import pytest
from msgspec.structs import replace

from feedbench.bench.measured.turn_window import TurnWindow
from feedbench.bench.records.pace import USUAL

BATCH = 0.02  # seconds that a batch usually takes
IMAGES = 32
RATE = IMAGES / BATCH
WOKE = 1000.0


def window_of(
    gaps: Iterable[float], batch_seconds: float = BATCH, epoch_images: int | None = None
) -> TurnWindow:
    """Return the window of a turn in which batches arrive with these gaps, in seconds."""
    window = TurnWindow(WOKE, batch_seconds, epoch_images=epoch_images)
    for at in accumulate(gaps, initial=WOKE):
        if at > WOKE and window.arrived(at, IMAGES) and window.is_done:
            return window
    raise AssertionError("the turn never ended")


def rate_of(window: TurnWindow) -> float:
    return window.images / window.seconds


def even(seconds: float = BATCH) -> Iterator[float]:
    return repeat(seconds)


def test_the_window_of_an_even_pipeline_begins_with_the_second_batch() -> None:
    window = window_of(even())
    assert (window.dropped_images, window.is_settled) == (2 * IMAGES, True)
    assert rate_of(window) == pytest.approx(RATE)


@pytest.mark.parametrize("buffered", [1, 2, 16, 64, 1000])
def test_what_a_buffer_holds_is_dropped_however_much_it_is(buffered: int) -> None:
    window = window_of(chain(repeat(1e-4, buffered), even()))
    assert window.dropped_images >= buffered * IMAGES
    assert rate_of(window) == pytest.approx(RATE)


def test_what_became_due_while_it_was_stopped_is_dropped() -> None:
    due = 150  # batches, of a pipeline that keeps to the clock: 3 s of them
    window = window_of(chain(repeat(1e-5, due), even()))
    assert window.dropped_images >= due * IMAGES
    assert rate_of(window) == pytest.approx(RATE)


def test_a_loader_that_makes_up_leeway_at_twice_its_speed_is_waited_for() -> None:
    window = window_of(chain(repeat(BATCH / 2, 40), even()))
    assert window.dropped_images >= 40 * IMAGES
    assert rate_of(window) == pytest.approx(RATE)


@pytest.mark.parametrize("burst", [2, 8, 16])
@pytest.mark.parametrize("ready", [0, 1, 3])
def test_bursts_count_at_their_rate_wherever_in_one_the_pipeline_was_stopped(
    burst: int, ready: int
) -> None:
    bursts = chain.from_iterable([burst * BATCH, *[1e-6] * (burst - 1)] for _ in count())
    window = window_of(chain(repeat(1e-6, ready), bursts))
    assert rate_of(window) == pytest.approx(RATE, rel=0.01)


def test_a_batch_that_was_nearly_done_when_it_was_stopped_does_not_count() -> None:
    window = window_of(chain([0.001], even()))
    assert rate_of(window) == pytest.approx(RATE)


def test_a_pipeline_that_never_waits_as_usual_is_timed_after_two_seconds_and_marked() -> None:
    window = window_of(even(BATCH / 2))
    assert not window.is_settled
    assert window.dropped_seconds == pytest.approx(USUAL.most_settle_seconds, abs=BATCH)
    assert rate_of(window) == pytest.approx(2 * RATE)


def test_a_fast_pipeline_drops_batches_for_a_while_as_its_caches_are_cold() -> None:
    window = window_of(even(1e-4), 1e-4)
    assert window.dropped_seconds >= USUAL.settle_seconds


def test_a_window_takes_half_a_second_and_eight_batches() -> None:
    assert window_of(even(0.01), 0.01).seconds == pytest.approx(0.5, abs=0.011)
    assert window_of(even(0.1), 0.1).batches == 8


def test_a_window_of_slow_batches_holds_four_of_them() -> None:
    assert window_of(even(0.5), 0.5).batches == 4


def test_the_pace_says_how_long_it_takes() -> None:
    window = TurnWindow(WOKE, BATCH, replace(USUAL, turn_seconds=4.0, long_turn_seconds=4.0))
    for at in accumulate(even(), initial=WOKE):
        if at > WOKE and window.arrived(at, IMAGES) and window.is_done:
            break
    assert window.seconds == pytest.approx(4.0, abs=0.021)


def test_what_can_only_be_restarted_is_timed_over_whole_epochs() -> None:
    epoch = [0.3, *[BATCH] * 9]  # a restart before the first of ten batches
    gaps = chain(epoch[4:], chain.from_iterable(repeat(epoch)))  # it was stopped within one
    window = window_of(gaps, 0.048, epoch_images=10 * IMAGES)
    assert window.images % (10 * IMAGES) == 0
    assert rate_of(window) == pytest.approx(10 * IMAGES / sum(epoch))


def test_a_window_of_epochs_ends_although_its_batches_change_their_sizes() -> None:
    window = TurnWindow(WOKE, BATCH, epoch_images=320)
    arrivals = islice(accumulate(even(), initial=WOKE + BATCH), 1000)
    assert any(window.arrived(at, 31) and window.is_done for at in arrivals)


@pytest.mark.parametrize("passed", range(10))  # batches of the epoch in which it was stopped
def test_where_it_stands_still_between_epochs_a_window_is_from_end_to_end(passed: int) -> None:
    epoch = [1.0, *[BATCH] * 9]
    gaps = chain(epoch[passed:], chain.from_iterable(repeat(epoch)))
    window = TurnWindow(WOKE, BATCH, epoch_images=10 * IMAGES, remaining=(10 - passed) * IMAGES)
    for at in accumulate(gaps, initial=WOKE):
        if at > WOKE and window.arrived(at, IMAGES) and window.is_done:
            break
    assert window.is_settled
    assert window.images == 10 * IMAGES
    assert window.seconds == pytest.approx(sum(epoch))
