"""The points of a demand curve: few of them find where it crosses a share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from feedbench.bench.verdicts.demand.curve import (
    TARGETS,
    Point,
    crossing_of,
    next_appetite,
)

RATE = 1000.0
Curve = Callable[[float], float]


def with_buffer(appetite: float) -> float:
    return min(1.0, RATE / appetite)


def without_buffer(appetite: float) -> float:
    return RATE / (RATE + appetite)


def half_and_half(appetite: float) -> float:
    """Half of its work is done while the model works."""
    step, work = 1 / appetite, 1 / RATE
    return step / (step + max(work / 2 - step, 0.0) + work / 2)


def searched(curve: Curve, guesses: tuple[float, ...] = (RATE, RATE)) -> list[Point]:
    points: list[Point] = []
    for target, guess in zip(TARGETS, guesses, strict=True):
        while (appetite := next_appetite(points, target, guess)) is not None:
            points.append(Point(appetite, curve(appetite)))
            assert len(points) < 30
    return points


def truth(curve: Curve, target: float) -> float:
    low, high = 1e-3, 1e6
    for _ in range(100):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if curve(middle) >= target else (low, middle)
    return low


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("curve", [with_buffer, without_buffer, half_and_half])
def test_few_points_find_both_crossings(curve: Curve, target: float) -> None:
    points = searched(curve)
    assert crossing_of(points, target) == pytest.approx(truth(curve, target), rel=0.05)
    assert len(points) <= 10


@pytest.mark.parametrize("curve", [with_buffer, without_buffer, half_and_half])
def test_a_later_block_needs_fewer_points(curve: Curve) -> None:
    first = searched(curve)
    again = searched(curve, tuple(crossing_of(first, target) or RATE for target in TARGETS))
    assert len(again) <= min(len(first), 5)


@pytest.mark.parametrize("off", [0.1, 10.0])
@pytest.mark.parametrize("curve", [with_buffer, without_buffer])
def test_a_rate_that_is_far_off_costs_only_points(curve: Curve, off: float) -> None:
    points = searched(curve, (off * RATE, off * RATE))
    for target in TARGETS:
        assert crossing_of(points, target) == pytest.approx(truth(curve, target), rel=0.1)


def test_a_curve_that_never_falls_has_no_crossing_and_ends() -> None:
    points = searched(lambda _: 1.0)
    assert crossing_of(points, 0.9) is None


def test_a_curve_that_is_never_high_has_no_crossing_and_ends() -> None:
    points = searched(lambda _: 0.4)
    assert crossing_of(points, 0.9) is None


def test_noise_does_not_hide_the_crossing() -> None:
    points = [Point(800, 0.96), Point(900, 0.89), Point(1000, 0.905), Point(1200, 0.75)]
    crossing = crossing_of(points, 0.9)
    assert crossing is not None
    assert 1000 <= crossing <= 1200
