"""The clock of a trial and the parent's, edge by edge, as they would be told."""

from __future__ import annotations

from itertools import pairwise

import pytest

from feedbench.bench.processes.clock_check import ClockCheck
from feedbench.bench.records.messages import Edge, Turned
from feedbench.bench.records.pace import USUAL
from feedbench.bench.records.turns import Turn
from feedbench.bench.records.windows import Window


def fault(
    edges: list[float],
    late: list[float],
    *,
    windows: list[float] | None = None,
    turns: list[Turn] | None = None,
) -> str | None:
    """What is said of a trial with these edges, each of which the parent saw so much later."""
    here = iter(at + delay for at, delay in zip(edges, late, strict=True))
    check = ClockCheck(USUAL, lambda: next(here))
    for at in edges:
        check.take(Edge(at=at))
    if windows is None:
        windows = [end - begin for begin, end in pairwise(edges)]
    return check.fault([Window(64, seconds) for seconds in windows], turns or [])


def slow(edges: list[float], factor: float) -> list[float]:
    """How much later the parent sees edges of a clock that is so many times slower."""
    return [(at - edges[0]) * (factor - 1) for at in edges]


EDGES = [100.0, 101.0, 102.0, 103.0, 104.0, 105.0]


def test_clocks_that_agree_are_no_fault() -> None:
    assert fault(EDGES, [0.001] * 6) is None
    assert fault(EDGES, slow(EDGES, 1.01)) is None


@pytest.mark.parametrize("late", [0.3, 2.0])
@pytest.mark.parametrize("place", range(6))
def test_a_parent_that_is_late_once_is_no_fault(late: float, place: int) -> None:
    assert fault(EDGES, [late if at == place else 0.001 for at in range(6)]) is None


def test_a_parent_that_is_a_little_late_every_time_is_no_fault() -> None:
    assert fault(EDGES, [0.2, 0.25, 0.22, 0.21, 0.24, 0.23]) is None


@pytest.mark.parametrize(
    "late", [[0.3, 0.1, 0.01, 0.02], [0.01, 0.02, 0.2, 0.1], [0.15, 0.15, 0, 0]]
)
def test_a_busy_parent_in_a_short_trial_is_no_fault(late: list[float]) -> None:
    assert fault([0.0, 1.0, 2.0, 3.0], late) is None


@pytest.mark.parametrize("edges", [EDGES, EDGES[:4], [0.0, 4.0, 8.0, 12.0]])
def test_a_clock_that_is_slowed_within_the_trial_is_found(edges: list[float]) -> None:
    seconds = edges[-1] - edges[0]
    assert fault(edges, slow(edges, 2.0)) == (
        f"its clock and the parent's differ: {seconds:.1f} s and {2 * seconds:.1f} s"
    )
    assert fault(edges, slow(edges, 1.1)) is not None
    assert fault(edges, slow(edges, 0.5)) is not None


def test_windows_that_are_not_those_between_the_edges_are_found() -> None:
    assert "not as long as the time between" in str(fault(EDGES, [0.0] * 6, windows=[0.5] * 5))
    assert "reported 4 windows and 6 edges" in str(fault(EDGES, [0.0] * 6, windows=[1.0] * 4))


def test_windows_shorter_than_the_rule_are_found() -> None:
    edges = [0.0, 0.125, 0.25, 0.375]
    assert fault(edges, [0.0] * 4) == "it has a window of 0.12 s; expected 1 s or more"


def a_turn(seconds: float, awake_seconds: float) -> Turn:
    return Turn(
        round=1,
        at=0.0,
        images=64,
        seconds=seconds,
        dropped_seconds=0.1,
        awake_seconds=awake_seconds,
    )


@pytest.mark.parametrize(("seconds", "awake"), [(0.5, 0.61), (0.5, 0.8), (4.0, 4.15)])
def test_turns_may_take_longer_to_wake_and_to_stop(seconds: float, awake: float) -> None:
    assert fault(EDGES, [0.0] * 6, turns=[a_turn(seconds, awake)] * 8) is None


@pytest.mark.parametrize(("seconds", "awake"), [(0.5, 1.2), (1.0, 0.5)])
def test_turns_of_another_length_than_the_parents_are_found(seconds: float, awake: float) -> None:
    assert "its clock and the parent's differ: " in str(
        fault(EDGES, [0.0] * 6, turns=[a_turn(seconds, awake)] * 8)
    )


def of_turns(late: list[float]) -> str | None:
    """What is said of turns of half a second, one every two seconds, seen so much later."""
    ends = [2.0 * place + 0.5 for place in range(len(late))]
    here = iter([0.0, *(end + delay for end, delay in zip(ends, late, strict=True))])
    check = ClockCheck(USUAL, lambda: next(here))
    check.take(Edge(at=0.0))
    for place in range(len(late)):
        check.take(
            Turned(
                round=place + 1,
                at=2.0 * place,
                images=64,
                seconds=0.5,
                dropped_images=0,
                dropped_seconds=0.1,
                is_settled=True,
            )
        )
    return check.fault([], [a_turn(0.5, 0.61)] * len(late))


def test_a_clock_that_is_slowed_in_turns_is_found_by_the_time_between_them() -> None:
    """Each turn alone may take longer to wake and to stop, and so hides a clock that is slow."""
    assert of_turns([0.0, 1.0, 2.0, 3.0]) == "its clock and the parent's differ: 6.0 s and 9.0 s"
    assert of_turns([0.2 * place for place in range(8)]) is not None
    assert of_turns([0.01 * place for place in range(8)]) is None


@pytest.mark.parametrize("place", range(4))
def test_a_parent_that_is_late_after_one_turn_is_no_fault(place: int) -> None:
    assert of_turns([1.5 if at == place else 0.001 for at in range(4)]) is None
