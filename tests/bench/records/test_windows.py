from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbench.bench.records.pace import USUAL, Pace
from feedbench.bench.records.windows import Window, Windows, counted, steady_from


def cut(gaps: list[float], images: int = 10, pace: Pace = USUAL) -> Windows:
    """Let batches of `images` arrive, the first at second 100, then one after each gap."""
    windows = Windows(pace=pace)
    for at in itertools.accumulate(gaps, initial=100.0):
        windows.arrived(at, images)
    return windows


def at_rates(*rates: int) -> list[Window]:
    """Windows of one second."""
    return [Window(rate, 1.0) for rate in rates]


def until_done(rates: list[int], steady_seconds: float = 0.0) -> list[Window]:
    """Let eight batches a second arrive, `rates[i] / 8` images each in second i, until done."""
    windows = Windows(steady_seconds)
    windows.arrived(0.0, 1)
    for second, rate in enumerate(rates):
        for batch in range(1, 9):
            windows.arrived(second + batch / 8, rate // 8)
        if windows.done:
            break
    return windows.windows


def test_a_window_ends_after_one_second_and_eight_batches() -> None:
    windows = cut([0.125] * 7)
    assert windows.windows == []
    assert windows.arrived(101.0, 10)
    assert windows.windows == [Window(80, 1.0)]


def test_eight_batches_in_less_than_a_second_are_not_enough() -> None:
    windows = cut([0.1] * 9)
    assert windows.windows == []
    assert windows.arrived(101.5, 10)
    assert windows.windows == [Window(100, 1.5)]


def test_a_second_with_less_than_eight_batches_is_not_enough() -> None:
    assert cut([0.5] * 7).windows == []
    assert cut([0.5] * 8).windows == [Window(80, 4.0)]


def test_a_window_ends_after_four_seconds_and_four_batches() -> None:
    assert cut([1.0] * 3).windows == []
    assert cut([1.0] * 4).windows == [Window(40, 4.0)]
    assert cut([1.25] * 4).windows == [Window(40, 5.0)]


def test_four_seconds_with_less_than_four_batches_are_not_enough() -> None:
    assert cut([3.0] * 3).windows == []
    assert cut([3.0] * 4).windows == [Window(40, 12.0)]


def test_a_brief_pace_ends_windows_earlier_but_not_with_fewer_batches() -> None:
    brief = Pace(least_seconds=0.125, long_seconds=0.5)
    assert cut([0.0625] * 7, pace=brief).windows == []
    assert cut([0.0625] * 8, pace=brief).windows == [Window(80, 0.5)]
    assert cut([0.125] * 4, pace=brief).windows == [Window(40, 0.5)]


def test_the_images_of_the_batch_that_opens_a_window_are_not_counted_in_it() -> None:
    windows = Windows()
    assert windows.arrived(0.0, 1_000_000)
    for batch in range(1, 9):
        windows.arrived(batch / 4, batch)
    assert windows.windows == [Window(1 + 2 + 3 + 4 + 5 + 6 + 7 + 8, 2.0)]


def test_the_batch_at_an_edge_belongs_to_the_window_that_it_ends() -> None:
    windows = Windows()
    windows.arrived(0.0, 1)
    for batch in range(1, 17):
        windows.arrived(batch / 8, 100 if batch == 8 else 1)
    assert windows.windows == [Window(107, 1.0), Window(8, 1.0)]


def test_it_says_of_each_arrival_whether_it_is_an_edge() -> None:
    windows = Windows()
    edges = [batch for batch in range(25) if windows.arrived(batch / 8, 1)]
    assert edges == [0, 8, 16, 24]


def test_several_batches_may_arrive_as_one_and_a_window_ends_at_the_last() -> None:
    windows = Windows()
    windows.arrived(0.0, 0, 0)
    assert not windows.arrived(0.75, 60, 8)
    assert windows.arrived(1.5, 60, 8)
    assert windows.windows == [Window(120, 1.5)]


@given(st.lists(st.tuples(st.floats(1e-4, 10.0), st.integers(1, 64)), min_size=1, max_size=120))
def test_windows_abut_and_count_each_image_after_the_first_edge_once(
    arrivals: list[tuple[float, int]],
) -> None:
    windows, at = Windows(), 0.0
    edges: list[tuple[float, int]] = []  # the second, and the images until then
    total = 0
    for gap, images in arrivals:
        at += gap
        total += images
        if windows.arrived(at, images):
            edges.append((at, total))
    (first, before), (last, until) = edges[0], edges[-1]
    assert first == arrivals[0][0]
    assert sum(w.seconds for w in windows.windows) == pytest.approx(last - first)
    assert sum(w.images for w in windows.windows) == until - before
    assert len(edges) == len(windows.windows) + 1


@given(st.lists(st.floats(1e-4, 10.0), max_size=120))
def test_every_window_is_long_enough_and_none_is_longer_than_it_must_be(gaps: list[float]) -> None:
    windows = cut(gaps, images=1).windows
    left = iter(gaps)
    for window in windows:
        own = list(itertools.islice(left, window.images))
        assert window.seconds == pytest.approx(sum(own))
        assert (window.seconds >= 1 and len(own) >= 8) or (window.seconds >= 4 and len(own) >= 4)
        short = sum(own[:-1]) * (1 - 1e-9)
        assert not (short >= 1 and len(own) > 8)
        assert not (short >= 4 and len(own) > 4)


def test_a_steady_rate_is_steady_from_the_first_window_on() -> None:
    assert steady_from(at_rates(100, 100, 100)) == 0


def test_two_windows_are_never_steady() -> None:
    assert steady_from(at_rates(100, 100)) is None


@pytest.mark.parametrize("last", [9_510, 10_490])
def test_a_third_window_within_five_percent_of_the_first_is_steady(last: int) -> None:
    assert steady_from(at_rates(10_000, 10_000, last)) == 0


@pytest.mark.parametrize("last", [9_490, 10_510])
def test_a_third_window_over_five_percent_from_the_first_is_not_steady(last: int) -> None:
    assert steady_from(at_rates(10_000, 10_000, last)) is None


def test_what_the_window_between_does_is_not_asked() -> None:
    assert steady_from(at_rates(100, 5_000, 100)) == 0


def test_a_ramp_is_steady_where_it_has_flattened() -> None:
    ramp = at_rates(2_800, 4_000, 5_600, 7_600, 9_600, 10_000, 9_900, 10_050)
    assert steady_from(ramp) == 4
    assert counted(ramp) == ramp[4:]


def test_the_first_steady_triple_decides_and_all_later_windows_count() -> None:
    windows = at_rates(50, 100, 100, 100, 10, 100)
    assert counted(windows) == windows[1:]


def test_of_windows_that_were_never_steady_the_last_three_count() -> None:
    ramp = at_rates(*(100 * 2**place for place in range(12)))
    assert steady_from(ramp) is None
    assert counted(ramp) == ramp[-3:]


def test_timing_ends_with_the_first_steady_triple() -> None:
    assert [w.images for w in until_done([80, 160, 320, 320, 320, 320])] == [80, 160, 320, 320, 320]


def test_timing_ends_after_twelve_windows_that_are_not_steady() -> None:
    ramp = [8 * 2**place for place in range(20)]
    assert [w.images for w in until_done(ramp)] == ramp[:12]


def test_a_rate_that_becomes_steady_in_the_twelfth_window_is_steady() -> None:
    ramp = [8 * 2**place for place in range(10)]
    windows = until_done([*ramp, ramp[-1], ramp[-1], ramp[-1]])
    assert len(windows) == 12
    assert steady_from(windows) == 9


def test_more_than_three_windows_are_timed_where_more_seconds_are_asked_for() -> None:
    assert len(until_done([80] * 20)) == 3
    assert len(until_done([80] * 20, steady_seconds=3.0)) == 3
    assert len(until_done([80] * 20, steady_seconds=5.5)) == 6


def test_the_seconds_asked_for_are_those_after_the_rate_is_steady() -> None:
    windows = until_done([8, 16, 32, 64, *[128] * 20], steady_seconds=5.0)
    assert sum(w.seconds for w in counted(windows)) == 5.0


def test_a_window_has_the_rate_of_its_images_over_its_seconds() -> None:
    assert Window(300, 1.5).rate == 200.0
