"""What happens inside one measured process, phase by phase.

open -> first batch -> first epoch -> restarted epochs (turnover) -> continuous windows.
Nothing else runs here while a window is open: no meter, no output but a line at each edge.
"""

from __future__ import annotations

import gc
import threading
import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from feedbench.bench.machine.kernel_counters import run_delay
from feedbench.bench.measured import autotune
from feedbench.bench.measured.batch_checks import EpochCheck, check_range, consume, pair
from feedbench.bench.measured.consumer import Consumer, consumer_seconds
from feedbench.bench.measured.latency import latency_of
from feedbench.bench.measured.peak_memory import peak_memory_bytes
from feedbench.bench.records.measurement import Measurement
from feedbench.bench.records.messages import (
    Edge,
    Event,
    Phase,
    Request,
)
from feedbench.bench.records.pace import Pace
from feedbench.bench.records.windows import MOST_RESTARTS, Windows, counted_from
from feedbench.pipelines.contract import (
    Feed,
    Pipeline,
    Preparing,
    Workload,
)
from feedbench.pipelines.errors import WrongWorkError

# With AUTOTUNE on, deleting an iterator waits for a thread that sleeps twice as long each time: 4 s
# and more were seen after some windows. The process ends without, and nothing is timed after it.
NEVER_TORN_DOWN: list[Any] = []

Say = Callable[[Event], object]
Clock = Callable[[], float]


@dataclass
class Trial:
    """One pipeline, one workload, and the clock that times them (seconds, monotonic)."""

    pipeline: Pipeline
    workload: Workload
    say: Say
    clock: Clock = time.monotonic
    reaper: int | None = None
    _found: dict[str, Any] = field(default_factory=dict)
    _arrivals: array[float] = field(default_factory=lambda: array("d"))  # after the first epoch
    _edges: list[float] = field(default_factory=list)
    _latest: object = None  # batch

    def run(self, request: Request) -> Measurement:
        """Go through all phases."""
        feed = self.open(request)
        check = EpochCheck(self.workload)
        last = self._first_epoch(feed, check)
        windows = Windows(request.steady_seconds, request.pace)
        if hasattr(feed, "repeat"):
            self._restarted_epochs(feed, last, request.pace)
            self._continuous_windows(feed, windows)
        else:
            self._restarted_epochs(feed, last, request.pace, windows)
        self._found["run_delay_seconds"] = run_delay()
        self._found["peak_memory_bytes"] = peak_memory_bytes(self.reaper)
        self._found["consumer_seconds"] = consumer_seconds(self._latest)
        check.labels()
        self._found["windows"] = windows.windows
        since = self._edges[counted_from(windows.windows)]
        self._found["latency"] = latency_of(self._arrivals, since)
        return Measurement(**self._found, threads=_threads())

    def pilot(self, request: Request) -> Measurement:
        """Read an epoch, or a part of it, to learn roughly how fast; look at the values too."""
        feed = self.open(request)
        check = EpochCheck(self.workload)
        opened = at = self.clock()
        look = looking = 0.0  # seconds that the look at the values took: not the pipeline's
        for delivered in feed:
            at = self._batch(check, delivered, opened)
            looking += look
            check_range(pair(delivered)[0], self.workload)
            look = self.clock() - at
            if at - opened - looking >= request.pilot_seconds:
                break
        else:
            check.end()
            check.labels()
        self._found["first_epoch_seconds"] = at - opened - looking
        self._found["first_epoch_images"] = check.images
        self._found["continuous"] = hasattr(feed, "repeat")
        return Measurement(**self._found, threads=_threads())

    def open(self, request: Request) -> Feed:
        """Open the pipeline's feed, without AUTOTUNE where the request says so."""
        prepared, scratch = Path(request.prepared), Path(request.scratch)
        begun = ready = self.clock()
        if request.purpose == "pilot" and isinstance(self.pipeline, Preparing):
            self.pipeline.prepare(self.workload, prepared)  # its few images, in its own folder
            ready = self.clock()
        feed = self.pipeline.open(self.workload, prepared, scratch)
        opened = self.clock()
        if not request.is_autotuned:
            feed = autotune.without(feed)
        self._found["prepare_seconds"] = ready - begun
        self._found["open_seconds"] = opened - ready
        self.say(Phase(name="open", at=opened))
        return feed

    def _batch(self, check: EpochCheck, delivered: object, opened: float) -> float:
        """Check a batch of the first epoch and return when it came."""
        at = self.clock()
        if check.images == 0:
            self._found["first_batch_seconds"] = at - opened
            self._found["first_batch_at"] = at
            self.say(Phase(name="first batch", at=at))
        check.batch(delivered)
        return at

    def _first_epoch(self, feed: Feed, check: EpochCheck) -> float:
        """Deliver and check the first epoch; return when its last batch came."""
        opened = at = self.clock()
        for delivered in feed:
            at = self._batch(check, delivered, opened)
        check.end()
        self._found["first_epoch_seconds"] = at - opened
        self._found["first_epoch_images"] = check.images
        self.say(Phase(name="first epoch", at=at))
        return at

    def _restarted_epochs(
        self, feed: Feed, last: float, pace: Pace, windows: Windows | None = None
    ) -> None:
        """Time whole epochs, each by a new iterator, the teardown of the old one included.

        A feed that can only be restarted has its `windows` here, of whole epochs each: one that
        ended within an epoch would hold a turnover by luck.
        """
        epochs: list[float] = []
        turnovers: list[float] = []
        begun = last
        self._arrivals.append(last)
        if windows is not None and windows.arrived(last, 0, 0):
            self._edge(last)
        while True:
            first, at, batches = self._restarted_epoch(feed, len(epochs) + 2)
            turnovers.append(first - last)
            epochs.append(at - last)
            last = at
            if windows is not None and windows.arrived(at, self.workload.images, batches):
                self._edge(at)
            enough = len(epochs) >= MOST_RESTARTS or at - begun >= pace.restart_seconds
            if enough if windows is None else windows.done:
                break
        self._found["epoch_seconds"] = epochs
        self._found["turnover_seconds"] = turnovers
        self._found["continuous"] = windows is None
        self.say(Phase(name="restarted", at=last))

    def _restarted_epoch(self, feed: Feed, number: int) -> tuple[float, float, int]:
        """Deliver one epoch; return when its first and its last batch came, and how many."""
        first = at = 0.0
        images = batches = 0
        for delivered in feed:
            at = self.clock()
            self._arrivals.append(at)
            first = first or at
            images += consume(delivered)
            batches += 1
            self._latest = delivered
            if images > self.workload.images:
                break  # it may never end
        if images != self.workload.images:
            more = " or more" if images > self.workload.images else ""
            raise WrongWorkError(
                f"it delivered {images} images{more} in epoch {number};"
                f" expected {self.workload.images}, as in the first"
            )
        return first, at, batches

    def _continuous_windows(self, feed: Any, windows: Windows) -> None:
        """Time windows over one iterator over many epochs."""
        images, arrivals = self.workload.images, self._arrivals
        consumer = Consumer(images, windows, arrivals, self._edge, self.clock)
        gc.collect()  # what the phases before have left is no cost of this one
        batches = iter(feed.repeat())
        NEVER_TORN_DOWN.append(batches)
        for delivered in batches:
            if consumer.take(delivered) and windows.done:
                self._latest = delivered
                self._found["autotune"] = autotune.chosen_by(batches)
                break
        else:
            raise WrongWorkError("its repeat() came to an end; expected epoch after epoch without")
        self.say(Phase(name="continuous", at=self.clock()))

    def _edge(self, at: float) -> None:
        self._edges.append(at)
        self.say(Edge(at=at))


def _threads() -> int:
    return max(threading.active_count(), _native_threads())


def _native_threads() -> int:
    try:
        return sum(1 for _ in Path("/proc/self/task").iterdir())
    except OSError:  # not Linux
        return 0
