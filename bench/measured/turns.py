"""A measured process's turns in a rotation: it waits, takes batches for a while, waits again.

While it waits, the parent stops it and all its workers. A named pipe says whose turn it is.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import msgspec

from feedbench.bench.measured.consumer import Consumer
from feedbench.bench.measured.iterators import following
from feedbench.bench.measured.turn_window import TurnWindow
from feedbench.bench.records.messages import TURN, Event, Phase, Turned
from feedbench.bench.records.pace import Pace
from feedbench.bench.records.windows import LONGEST_EPOCH
from feedbench.pipelines.contract import Workload

_LONGEST_BATCH = 2.0  # seconds; with longer ones, turns would take too long
_LARGE_SHARE = 0.25  # of an epoch: so much changes the rate of a turn that has no such stop


def stop_share(first_waits: Sequence[float], batch_seconds: float, epoch_seconds: float) -> float:
    """Return the share of an epoch in which a feed stands still before it; 0 if it is small.

    `first_waits` are the seconds until the first batches of epochs. It is 0 for epochs that are too
    long for turns as well.
    """
    if not first_waits or not fits(epoch_seconds=epoch_seconds):
        return 0.0
    share = (fmean(first_waits) - batch_seconds) / epoch_seconds
    return min(share, 1.0) if share >= _LARGE_SHARE else 0.0


def fits(batch_seconds: float = 0.0, *, epoch_seconds: float = 0.0) -> bool:
    """Return whether a feed can take turns; `epoch_seconds` of one that can only be restarted."""
    return batch_seconds <= _LONGEST_BATCH and epoch_seconds <= LONGEST_EPOCH


class Turns:
    """The turns of one trial, over the iterator that its windows had.

    `batch_seconds` is what a batch took in these windows. `epoch_images` is as in a TurnWindow.
    Windows that are `aligned` last from the end of an epoch to the end of another.
    """

    def __init__(
        self,
        batches: Iterator[Any],
        consumer: Consumer,
        batch_seconds: float,
        pace: Pace,
        *,
        epoch_images: int | None = None,
        aligned: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.latest: object = None  # batch
        self._batches = batches
        self._consumer = consumer
        self._batch_seconds = batch_seconds
        self._pace = pace
        self._epoch_images = epoch_images
        self._is_aligned = aligned
        self._clock = clock

    def run(self, pipe: Path, say: Callable[[Event], object]) -> None:
        """Take turns until there are no more. `pipe` must be open for writing elsewhere."""
        with pipe.open("rb", buffering=0) as commands:
            say(Phase(name="ready", at=self._clock()))
            while command := commands.read(TURN.size):
                number, seconds = TURN.unpack(command)
                if not number:
                    break
                say(self.turn(number, seconds))

    def turn(self, number: int, seconds: float = 0.0) -> Turned:
        """Take batches for one turn, of round `number`; 0 seconds: as long as the pace says."""
        pace = self._pace
        if seconds:
            pace = msgspec.structs.replace(pace, turn_seconds=seconds, long_turn_seconds=seconds)
        window = TurnWindow(
            self._clock(),
            self._batch_seconds,
            pace,
            epoch_images=self._epoch_images,
            remaining=self._consumer.remaining if self._is_aligned else None,
        )
        self._consumer.time_by(window, array("d"))
        while not window.is_done:
            delivered = following(self._batches)
            self._consumer.take(delivered)
        self.latest = delivered
        assert window.at is not None
        # A machine that is faster now makes batches faster than before, although none is ready.
        self._batch_seconds = min(self._batch_seconds, window.seconds / window.batches)
        return Turned(
            round=number,
            at=window.at,
            images=window.images,
            seconds=window.seconds,
            dropped_images=window.dropped_images,
            dropped_seconds=window.dropped_seconds,
            is_settled=window.is_settled,
        )


def of_repeated(
    batches: Iterator[Any],
    consumer: Consumer,
    batch_seconds: float,
    pace: Pace,
    workload: Workload,
    clock: Callable[[], float] = time.monotonic,
) -> Turns:
    """Return the turns of a feed that is read over many epochs, `batch_seconds` a batch.

    If it stands still between them, each window has whole epochs.
    """
    epoch_seconds = batch_seconds * workload.images / min(workload.batch_size, workload.images)
    share = stop_share(consumer.first_waits, batch_seconds, epoch_seconds)
    return Turns(
        batches,
        consumer,
        batch_seconds * (1 - share),
        pace,
        epoch_images=workload.images if share else None,
        aligned=bool(share),
        clock=clock,
    )
