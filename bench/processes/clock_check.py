"""Compares the clock of a trial's process with this process's, and its windows with its edges.

A trial times itself, in a process that runs a user's code. Each edge of a window comes here as an
event a moment after it happened. If the trial's clock is slow, this moment becomes longer and
longer; if the parent is late for once, the next edge is not. On a busy machine it is late often: so
the moments as a whole and those at both ends must agree before a trial is accused.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from feedbench.bench.records.messages import Edge, Event, Turned
from feedbench.bench.records.pace import Pace
from feedbench.bench.records.turns import Turn
from feedbench.bench.records.windows import Window

MOST_APART = 0.02  # a share of the seconds, by which the two clocks may differ, ...
LEAST_APART = 0.1  # ... and seconds that they may differ anyway
_LEAST_EDGES = 4  # with fewer, a parent that is late looks like a clock that is slow
# Turns come with long pauses and after many wake-ups, so they show less.
_MOST_APART_IN_TURNS = 0.05
_LEAST_APART_IN_TURNS = 1.0
_LEAST_TURNS = 3
_LEAST_TURN_SHARE = 0.7  # of the seconds that a pipeline was awake; the rest is waking and stopping
_TURN_SLACK = 0.05  # seconds of each turn, likewise
_ROUNDING = 1e-6  # seconds

_Moment = tuple[float, float]
"""One moment by the trial's clock, and by this process's a little later."""


class ClockCheck:
    """Notes when the edges and turns of one trial came, by both clocks (seconds)."""

    def __init__(self, pace: Pace, clock: Callable[[], float] = time.monotonic) -> None:
        self._pace = pace
        self._clock = clock
        self._edges: list[_Moment] = []
        self._turns: list[_Moment] = []  # the ends of turns

    def take(self, event: Event) -> None:
        """Note an edge and the end of a turn; ignore other events."""
        if isinstance(event, Edge):
            self._edges.append((event.at, self._clock()))
        elif isinstance(event, Turned):
            self._turns.append((event.at + event.seconds, self._clock()))

    def fault(self, windows: Sequence[Window], turns: Sequence[Turn]) -> str | None:
        """Return what is wrong with the times that a trial reports, as a clause; None: nothing.

        Its windows must lie between its edges, and be as long as the pace asks for. They and its
        turns must take as long by this process's clock.
        """
        if len(self._edges) != len(windows) + 1:
            return f"it reported {len(windows)} windows and {len(self._edges)} edges of windows"
        ends = zip(self._edges, self._edges[1:], windows, strict=False)
        if any(abs(end[0] - begin[0] - each.seconds) > _ROUNDING for begin, end, each in ends):
            return "its windows are not as long as the time between their edges"
        least_seconds = min(self._pace.least_seconds, self._pace.long_seconds)
        if windows and (shortest := min(each.seconds for each in windows)) < least_seconds:
            return f"it has a window of {shortest:.2f} s; expected {least_seconds:g} s or more"
        return (
            _difference(self._edges, _LEAST_EDGES, MOST_APART, 2 * LEAST_APART)
            or _fault_of_turns(turns)
            or _difference(self._turns, _LEAST_TURNS, _MOST_APART_IN_TURNS, _LEAST_APART_IN_TURNS)
        )


def _difference(
    moments: Sequence[_Moment], least: int, share: float, least_seconds: float
) -> str | None:
    """Return how the clocks differ if that is over a share of the time, and over some seconds.

    None with fewer than `least` moments.
    """
    late = [here - there for there, here in moments]
    if len(late) < least:
        return None
    (first_there, first_here), (last_there, last_here) = moments[0], moments[-1]
    half = len(late) // 2
    # Over half of the moments, a steady difference is half as large.
    drift_seconds = 2 * abs(min(late[half:]) - min(late[:half]))
    seconds = last_here - first_here
    least_apart = max(share * seconds, least_seconds)
    if min(drift_seconds, abs(late[-1] - late[0])) <= least_apart:
        return None
    return _clause(last_there - first_there, seconds)


def _fault_of_turns(turns: Sequence[Turn]) -> str | None:
    """Return what is wrong with the seconds of turns, which the parent begins and ends."""
    reported = sum(turn.dropped_seconds + turn.seconds for turn in turns)
    awake = sum(turn.awake_seconds for turn in turns)
    if _LEAST_TURN_SHARE * awake - _TURN_SLACK * len(turns) <= reported <= awake + LEAST_APART:
        return None
    return _clause(reported, awake)


def _clause(trial_seconds: float, seconds: float) -> str:
    return f"its clock and the parent's differ: {trial_seconds:.1f} s and {seconds:.1f} s"
