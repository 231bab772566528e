"""Feeds that say how long they took, under a clock that nobody waits for, and trials of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from feedbench.bench.measured.trial import Trial
from feedbench.bench.records.measurement import Measurement
from feedbench.bench.records.messages import Edge, Event, Phase, Request
from feedbench.pipelines.contract import Batch, Feed, Workload
from tests.support.clock import ClaimedClock

START = 1000.0  # what the clock shows when the trial begins: eighths of it are exact


class GuardError(Exception):
    """The trial would have gone on for ever."""


@dataclass(kw_only=True)
class Restarted:
    """A feed that can only be restarted: batches of 8 and a short last one, as much as told."""

    clock: ClaimedClock
    images: int
    batch_seconds: float = 0.125
    first_epoch_batch_seconds: float = 0.5
    start_seconds: float = 0.25  # from a new iterator to its first batch, over a batch's own
    teardown_seconds: float = 0.0625  # of an iterator that ended
    epoch_images: dict[int, int] | None = None  # of epochs that deliver another number
    most_epochs: int = 1_000_000  # and batches, after which the test has waited long enough
    most_batches: int = 1_000_000
    begun: int = 0  # epochs

    def __iter__(self) -> Iterator[Batch]:
        self.begun += 1
        if self.begun > self.most_epochs:
            raise GuardError
        images = (self.epoch_images or {}).get(self.begun, self.images)
        seconds = self.first_epoch_batch_seconds if self.begun == 1 else self.batch_seconds
        self.clock.sleep(self.start_seconds)
        try:
            yield from self.batches(images, seconds)
        finally:
            self.clock.sleep(self.teardown_seconds)

    def batches(self, images: int, seconds: float) -> Iterator[Batch]:
        for number, start in enumerate(range(0, images, 8)):
            if number > self.most_batches:
                raise GuardError
            self.clock.sleep(seconds)
            yield a_batch(min(8, images - start))


@dataclass(kw_only=True)
class Continuous(Restarted):
    """A feed with a repeat() too, whose batches take 1/8 s, or what `rates` say one by one."""

    repeats: int = 1_000_000

    def repeat(self) -> Iterator[Batch]:
        for _ in range(self.repeats):
            yield from self.batches(self.images, self.batch_seconds)


class Mixing(Continuous):
    """Its repeat() comes before batch(): every batch is full, over the end of an epoch."""

    def repeat(self) -> Iterator[Batch]:
        while True:
            yield from self.batches(8, self.batch_seconds)


class Ramping(Continuous):
    """Its repeat() takes 1/8 s for a batch, and each second half as long, until it is 1/64 s."""

    def repeat(self) -> Iterator[Batch]:
        yield a_batch(8)
        begun = self.clock.now
        while True:
            seconds = max(0.125 / 2 ** int(self.clock.now - begun), 1 / 64)
            yield from self.batches(self.images, seconds)


@dataclass
class Offered:
    """A pipeline that takes a second to open, once it is prepared, and offers one feed."""

    feed: Feed
    clock: ClaimedClock
    prepare_seconds: float = 0.0
    cache: str = "none"

    def prepare(self, workload: Workload, prepared: Path) -> None:
        self.clock.sleep(self.prepare_seconds)

    def open(self, workload: Workload, prepared: Path, scratch: Path) -> Feed:
        self.clock.sleep(1.0)
        return self.feed


def a_batch(count: int, value: float = 0.5) -> Batch:
    return np.full((count, 4, 4, 3), value, np.float32), np.zeros(count, np.int32)


def a_workload(images: int) -> Workload:
    return Workload(
        files=tuple(str(place) for place in range(images)),
        labels=(0,) * images,
        class_names=("cats",),
        height=4,
        width=4,
        batch_size=8,
        folder_images=images,
    )


def a_request(**given: Any) -> Request:
    fields = {"label": "a", "spec": "a", "purpose": "main"}
    return Request(**fields | {"workload": "", "prepared": "", "scratch": ""} | given)


class Told:
    """A trial, and the events that it told."""

    def __init__(
        self,
        feed: Restarted,
        images: int | None = None,
        prepare_seconds: float = 0.0,
        cache: str = "none",
    ) -> None:
        self.events: list[Event] = []
        self._clock = feed.clock
        workload = a_workload(feed.images if images is None else images)
        pipeline = Offered(feed, feed.clock, prepare_seconds, cache)
        self.trial = Trial(pipeline, workload, self.events.append, clock=feed.clock)

    def run(self, **given: Any) -> Measurement:
        return self.trial.run(a_request(**given))

    def pilot(self, **given: Any) -> Measurement:
        return self.trial.pilot(a_request(purpose="pilot", **given))

    @property
    def phases(self) -> list[tuple[str, float]]:
        """Names, and seconds since the trial began."""
        return [(event.name, event.at - START) for event in self.events if isinstance(event, Phase)]

    @property
    def edges(self) -> list[float]:
        return [event.at - START for event in self.events if isinstance(event, Edge)]


def restarted(images: int = 36, **given: Any) -> Restarted:
    return Restarted(clock=ClaimedClock(START), images=images, **given)


def continuous(images: int = 36, **given: Any) -> Continuous:
    return Continuous(clock=ClaimedClock(START), images=images, **given)
