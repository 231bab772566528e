"""A trial in which a pipeline feeds a model, after its first epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec

from feedbench.bench.measured.batches.batch_checks import EpochCheck
from feedbench.bench.measured.diagnostic_trial import Diagnostic
from feedbench.bench.measured.model.emulated import EmulatedModel
from feedbench.bench.measured.model.feeder import drain, epochs_of, feed
from feedbench.bench.measured.model.network import NetworkModel
from feedbench.bench.measured.model.one_batch import random_batch
from feedbench.bench.measured.peak_memory import peak_memory_bytes
from feedbench.bench.measured.trial import Opened
from feedbench.bench.records.demand.feeding import LEAST_STEP_SECONDS, Feeding
from feedbench.bench.records.measurement import Measurement
from feedbench.bench.records.messages import Fed, Phase, Request
from feedbench.bench.records.pace import Pace
from feedbench.bench.records.windows import Window, Windows, steady_from
from feedbench.bench.verdicts.demand.curve import TARGETS, Point, next_appetite

_STEADY_WINDOWS = 3.0  # of the pace's length, which are timed after the steps are steady
_LONG_WINDOWS = 2.0  # times the least length, a window of few steps
_LONG = 4.0  # of a curve's window: of few steps it is as many times as long, at least
_MOST_STEP_SECONDS = 2.5  # of a curve's point, which would take minutes


class FeedingTrial(Diagnostic):
    """A trial that feeds a model. Nothing else runs in its process meanwhile."""

    def feed(self, request: Request) -> Measurement:
        """Read the first epoch without a model, and then feed one, or one after the other."""
        fed = request.fed
        assert fed is not None
        pace = _brief(request.pace.before_turns())
        # First: what its building leaves running must not work while the pipeline is timed.
        network = self._network(fed)
        opened = self.open(request)
        first, last, images = self._fill(opened)
        batches = epochs_of(opened.feed)
        if request.purpose == "curve":
            feedings = self._curve(batches, fed, pace)
        elif network is not None:
            feedings = [self._trained(batches, network, pace)]
        else:
            assert fed.model is not None
            assert fed.model.appetite is not None
            feedings = [self._emulated(batches, fed.model.appetite, pace, is_reported=True)]
        self.say(Phase(name="continuous", at=self.clock()))
        if request.cores:
            pinned = len(request.cores)
            feedings = [msgspec.structs.replace(each, cores=pinned) for each in feedings]
        return Measurement(
            open_seconds=opened.seconds,
            first_batch_seconds=first,
            first_epoch_seconds=last,
            first_epoch_images=images,
            continuous=hasattr(opened.feed, "repeat"),
            windows=[Window(w.images, w.seconds) for each in feedings for w in each.windows],
            peak_memory_bytes=peak_memory_bytes(self.reaper),
            feedings=feedings,
        )

    def _fill(self, opened: Opened) -> tuple[float, float, int]:
        """Read an epoch, which fills caches; return when its first and last batch came, and images.

        In seconds since the feed was opened.
        """
        check = EpochCheck(self.workload)
        begun = first = last = self.clock()
        for delivered in opened.feed:
            is_first = check.images == 0
            last = self._batch(check, delivered)
            first = last if is_first else first
        check.end()
        self.say(Phase(name="first epoch", at=last))
        return first - begun, last - begun, check.images

    def _network(self, fed: Fed) -> NetworkModel | None:
        """Build the real model of the request, with its first steps; None if there is none."""
        if fed.model is None or fed.model.is_emulated:
            return None
        return NetworkModel(fed.model.name, self.workload, partial(random_batch, self.workload))

    def _curve(self, batches: Iterator[Any], fed: Fed, pace: Pace) -> list[Feeding]:
        """Feed emulated models of the appetites that the demand curve needs."""
        feedings: list[Feeding] = []
        images = min(self.workload.batch_size, self.workload.images)
        long = msgspec.structs.replace(pace, long_seconds=_LONG * pace.least_seconds)
        for target, guess in zip(TARGETS, fed.guesses, strict=True):
            while True:
                points = [Point(each.appetite or 0.0, each.utilisation) for each in feedings]
                appetite = next_appetite(points, target, guess)
                if appetite is None:
                    break
                appetite = min(
                    max(appetite, images / _MOST_STEP_SECONDS), images / LEAST_STEP_SECONDS
                )
                if any(point.appetite == appetite for point in points):
                    break  # it is beyond what can be emulated
                drain(batches, images / fed.rate, self.clock)
                feedings.append(self._emulated(batches, appetite, long, is_reported=False))
        return feedings

    def _emulated(
        self, batches: Iterator[Any], appetite: float, pace: Pace, *, is_reported: bool
    ) -> Feeding:
        """Feed an emulated model; only of one that is reported the parent reads the edges."""
        model = EmulatedModel(appetite, self.clock, self.sleep)
        windows = Windows(_STEADY_WINDOWS * pace.least_seconds, pace)
        on_edge = self._edge if is_reported else _unheard
        most = math.inf if is_reported else 1
        steps = feed(batches, model, windows, on_edge, self.clock, most_windows=most)
        return Feeding(
            appetite=appetite,
            windows=steps,
            late_seconds=model.late_seconds,
            is_steady=not is_reported or steady_from(windows.windows) is not None,
        )

    def _trained(self, batches: Iterator[Any], network: NetworkModel, pace: Pace) -> Feeding:
        """Train a real model."""
        windows = Windows(_STEADY_WINDOWS * pace.least_seconds, pace)
        steps = feed(batches, network, windows, self._edge, self.clock)
        return Feeding(
            windows=steps,
            first_steps_seconds=network.first_steps_seconds,
            is_steady=steady_from(windows.windows) is not None,
        )


def _brief(pace: Pace) -> Pace:
    """Return a pace at which the windows of slow steps are shorter: a block has many trials."""
    return msgspec.structs.replace(
        pace, long_seconds=min(pace.long_seconds, _LONG_WINDOWS * pace.least_seconds)
    )


def _unheard(_: float) -> None:
    pass
