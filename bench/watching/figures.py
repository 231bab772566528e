"""From times to figures: pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from statistics import fmean, median

from feedbench.bench.records.trainings.watch import WatchedEpoch, WatchedStretch
from feedbench.bench.watching.times import EpochTimes

MOST_STRETCHES = 500
"""The most points of the chart: a record of a long training stays small."""


def milliseconds(seconds: float) -> float:
    """Return seconds in milliseconds."""
    return 1000 * seconds


def epoch(times: EpochTimes) -> WatchedEpoch:
    """Return the figures of an epoch that has at least one batch."""
    asked, arrived = times.asked, times.arrived
    waits = [wait for _, wait, _ in times.steps()]
    return WatchedEpoch(
        batches=len(times),
        first_seconds=max(arrived[0] - asked[0], 0.0),
        seconds=max(arrived[-1] - arrived[0], sum(waits)),
        waited_seconds=sum(waits),
        median_seconds=median(waits) if waits else None,
        longest_seconds=max(waits, default=None),
        end_seconds=times.end_seconds,
    )


def stretches(
    epochs: Sequence[EpochTimes], most: int = MOST_STRETCHES
) -> tuple[WatchedStretch, ...]:
    """Return all steps in at most `most` stretches. A stretch may reach over two epochs."""
    steps = (step for times in epochs for step in times.steps())
    count = sum(max(len(times) - 1, 0) for times in epochs)
    length = max(-(-count // most), 1)
    return tuple(_stretches(steps, length))


def _stretches(
    steps: Iterator[tuple[float, float, float]], length: int
) -> Iterator[WatchedStretch]:
    first = 0
    while part := list(islice(steps, length)):
        yield WatchedStretch(
            first_step=first,
            steps=len(part),
            wait_seconds=fmean(wait for _, wait, _ in part),
            step_seconds=fmean(whole for _, _, whole in part),
        )
        first += len(part)
