"""The points of a demand curve, chosen one by one, and the appetite at which it crosses a share.

Pure. The utilisation of a model falls with its appetite. Where a pipeline of R images/s works while
the model does, the model is busy all the time up to R, and then R / appetite of it. Where the
pipeline works only while the model waits, it is busy for R / (R + appetite). In both cases, its
inverse is linear in the appetite, or has one bend.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

TARGETS = (0.9, 0.99)
"""Shares of the time in which a model is busy: MLPerf Storage asks for the first of ResNet-50."""
NARROW = 1.11  # a bracket is narrow if its ends differ by this factor
MOST_POINTS = 16  # of a curve
_NEAR = 0.1  # of the share that is not busy: a point that is as near to the target is enough
_NEXT_TO = 1.05  # a guess is tried a little below it, and then a little above
_APART = 1.01  # two appetites are not the same if they differ by this factor
_GROWTH = 1.5  # from the highest point, if the model is busy enough there
_MOST_BUSY = 0.9999  # a utilisation of 1 says nothing of how much more would be too much
_BISECTED = 3  # every third point: a straight line may approach a bend from one side only
_LEAST_STEP = 0.05  # of a bracket's width, in logarithms, that a point is away from its ends


@dataclass(frozen=True)
class Point:
    """A model with an appetite, in images/s, was busy for this share of the time."""

    appetite: float
    utilisation: float


@dataclass(frozen=True)
class Bracket:
    """The points next to a crossing: one at which the model is busy enough, and one where not."""

    below: Point | None
    above: Point | None

    def has_inside(self, appetite: float) -> bool:
        """Return whether an appetite is between both points, and not next to one of them."""
        low = 0.0 if self.below is None else self.below.appetite * _APART
        high = math.inf if self.above is None else self.above.appetite / _APART
        return low < appetite < high


def bracket_of(points: Sequence[Point], target: float) -> Bracket:
    """Return the highest appetite that is fed, and the lowest above it that is not."""
    ordered = sorted(points, key=lambda point: point.appetite)
    below = [point for point in ordered if point.utilisation >= target]
    floor = below[-1].appetite if below else 0.0
    above = [point for point in ordered if point.appetite > floor]
    return Bracket(below[-1] if below else None, above[0] if above else None)


def next_appetite(points: Sequence[Point], target: float, guess: float) -> float | None:
    """Return the appetite to measure next for a target, in images/s; None: there are enough.

    `guess` is where the crossing may be: in an earlier block, or the pipeline's rate.
    """
    bracket = bracket_of(points, target)
    below, above = bracket.below, bracket.above
    if is_enough(bracket, target) or len(points) >= MOST_POINTS:
        return None
    for candidate in (guess / _NEXT_TO, guess * _NEXT_TO):
        if bracket.has_inside(candidate):
            return candidate
    if above is None:
        assert below is not None
        return below.appetite * _GROWTH
    if below is None:
        return _without_overlap(above, target)
    crossing = _between(below, above, target)
    width = math.log(above.appetite / below.appetite)
    to_an_end = min(math.log(crossing / below.appetite), math.log(above.appetite / crossing))
    if to_an_end < _LEAST_STEP * width or len(points) % _BISECTED == 0:
        return math.sqrt(below.appetite * above.appetite)
    return crossing


def is_enough(bracket: Bracket, target: float) -> bool:
    """Return whether a crossing is known well enough: its bracket is narrow, or a point is near."""
    below, above = bracket.below, bracket.above
    if above is None or below is None:
        point = below if above is None else above
        return point is not None and above is not None and _is_near(point, target)
    if above.appetite <= NARROW * below.appetite:
        return True
    return _is_near(below, target) or _is_near(above, target)


def crossing_of(points: Sequence[Point], target: float) -> float | None:
    """Return the largest appetite at which the model is busy for this share of the time.

    In images/s, between the two points next to it: the inverse of the utilisation is taken to be
    linear there. None if no point is below the target, or none above.
    """
    bracket = bracket_of(points, target)
    below, above = bracket.below, bracket.above
    if above is None:
        return None
    if below is None:
        return _without_overlap(above, target) if _is_near(above, target) else None
    return _between(below, above, target)


def _is_near(point: Point, target: float) -> bool:
    return abs(point.utilisation - target) <= _NEAR * (1 - target)


def _between(below: Point, above: Point, target: float) -> float:
    low, high = 1 / below.utilisation, 1 / above.utilisation
    share = (1 / target - low) / (high - low)
    return below.appetite + share * (above.appetite - below.appetite)


def _without_overlap(point: Point, target: float) -> float:
    """Return the crossing of a pipeline that works only while the model waits.

    One that does not has a higher crossing, so that the model is busy enough at this one.
    """
    busy = min(point.utilisation, _MOST_BUSY)
    rate = point.appetite * busy / (1 - busy)
    return rate * (1 / target - 1)
