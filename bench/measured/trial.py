"""What happens inside one measured process, phase by phase.

open -> first batch -> first epoch -> restarted epochs (turnover) -> continuous windows.
Nothing else runs here while a window is open: no meter, no output but a line at each edge.
"""

from __future__ import annotations

import gc
import threading
import time
import warnings
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

import msgspec

from feedbench.bench.machine.kernel_counters import run_delay
from feedbench.bench.measured import autotune, fixed_paths, turns
from feedbench.bench.measured.batches.batch_checks import EpochCheck, check_range
from feedbench.bench.measured.batches.batch_forms import pair
from feedbench.bench.measured.batches.timed_batches import TimedBatches
from feedbench.bench.measured.consumer import Consumer, consumer_seconds
from feedbench.bench.measured.fixed_paths import Writes
from feedbench.bench.measured.iterators import endless, following, lasting
from feedbench.bench.measured.latency import latency_of
from feedbench.bench.measured.peak_memory import peak_memory_bytes
from feedbench.bench.measured.pilot_epoch import PilotEpoch, descendants
from feedbench.bench.measured.received import Received
from feedbench.bench.measured.turns import Turns
from feedbench.bench.records.diagnosis import Autotune
from feedbench.bench.records.measurement import Measurement
from feedbench.bench.records.messages import (
    Edge,
    Event,
    Phase,
    Request,
)
from feedbench.bench.records.pace import Pace
from feedbench.bench.records.windows import MOST_RESTARTS, Windows, counted, counted_from
from feedbench.pipelines import knobs
from feedbench.pipelines.contract import (
    Feed,
    Pipeline,
    Preparing,
    Workload,
)
from feedbench.pipelines.errors import WrongWorkError
from feedbench.pipelines.keras_fit import FitFeed, is_py_dataset

_MOST_LEFT = 3  # files that a pilot has left, of which there is a remark
_CLOCK_SECONDS = 0.1  # by which a file system's clock may be late

Say = Callable[[Event], object]
Clock = Callable[[], float]


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A feed, and how long opening it took."""

    feed: Feed
    prepare_seconds: float
    seconds: float


class _FirstEpoch(msgspec.Struct, frozen=True, kw_only=True):
    """The first epoch's arrival times, in CLOCK_MONOTONIC seconds."""

    opened_at: float
    first_at: float
    last_at: float
    images: int
    received_bytes: int | None  # None: its batches come by no connection, or it is not known

    @property
    def first_batch_seconds(self) -> float:
        return self.first_at - self.opened_at


class _Restarts(msgspec.Struct, frozen=True, kw_only=True):
    """Epochs after the first, each by a new iterator."""

    epoch_seconds: list[float]
    turnover_seconds: list[float]


@dataclass
class Trial:
    """One pipeline, one workload, and the clock that times them (seconds, monotonic)."""

    pipeline: Pipeline
    workload: Workload
    say: Say
    clock: Clock = time.monotonic
    sleep: Callable[[float], object] = time.sleep
    reaper: int | None = None
    earlier_caches: list[str] = field(default_factory=list)  # paths that another process wrote
    timed: TimedBatches = field(init=False)  # the batches after the first epoch
    _arrivals: array[float] = field(default_factory=lambda: array("d"))  # after the first epoch
    _edges: list[float] = field(default_factory=list)
    _latest: object = None  # batch

    def __post_init__(self) -> None:
        """Begin to count the batches of the timed part."""
        self.timed = TimedBatches(self.workload)

    def run(self, request: Request) -> Measurement:
        """Run all phases and return what they measured."""
        opened = self.open(request)
        feed = opened.feed
        pace = request.pace.before_turns() if request.turns else request.pace
        check = EpochCheck(self.workload)
        first = self._first_epoch(feed, check)
        windows = Windows(request.steady_seconds, pace)
        is_continuous, choices = hasattr(feed, "repeat"), None
        if is_continuous:
            restarts = self._restarted_epochs(feed, first.last_at, pace)
            choices = self._continuously(feed, windows, request)
        else:
            restarts = self._restarted_epochs(
                feed, first.last_at, pace, windows, has_turns=bool(request.turns)
            )
            if request.turns and turns.fits(epoch_seconds=fmean(restarts.epoch_seconds)):
                self._turns_of_epochs(feed, windows, request)
        run_delay_seconds, memory_bytes = run_delay(), peak_memory_bytes(self.reaper)
        batch_seconds = consumer_seconds(self._latest, self.workload)
        check.labels()
        return Measurement(
            prepare_seconds=opened.prepare_seconds,
            open_seconds=opened.seconds,
            first_batch_seconds=first.first_batch_seconds,
            first_batch_at=first.first_at,
            first_epoch_seconds=first.last_at - first.opened_at,
            first_epoch_images=first.images,
            received_bytes=first.received_bytes,
            epoch_seconds=restarts.epoch_seconds,
            turnover_seconds=restarts.turnover_seconds,
            continuous=is_continuous,
            windows=windows.windows,
            latency=latency_of(self._arrivals, self._edges[counted_from(windows.windows)]),
            peak_memory_bytes=memory_bytes,
            run_delay_seconds=run_delay_seconds,
            consumer_seconds=batch_seconds,
            autotune=choices,
            threads=_threads(),
        )

    def pilot(self, request: Request) -> Measurement:
        """Read an epoch, or a part of it, for a rough rate; check the values too."""
        writes = Writes((request.scratch, request.prepared))
        opened = self.open(request)
        epoch = self._pilot_epoch(opened.feed, request.pilot_seconds, writes)
        for path in writes.left(self.workload.image_bytes)[:_MOST_LEFT]:
            warnings.warn(fixed_paths.leaves(path), stacklevel=2)
        return Measurement(
            prepare_seconds=opened.prepare_seconds,
            open_seconds=opened.seconds,
            first_batch_seconds=epoch.first_seconds,
            first_batch_at=epoch.first_at,
            first_epoch_seconds=epoch.seconds,
            first_epoch_images=epoch.images,
            epoch_seconds=[] if epoch.second_seconds is None else [epoch.second_seconds],
            image_seconds=epoch.image_seconds,
            peak_memory_bytes=peak_memory_bytes(self.reaper),
            continuous=hasattr(opened.feed, "repeat"),
            threads=_threads(),
        )

    def _pilot_epoch(self, feed: Feed, most_seconds: float, writes: Writes) -> PilotEpoch:
        """Read an epoch, or what comes within some seconds after its first batch.

        If a whole epoch has started processes that stay, read a second one as well.
        """
        check, earlier = EpochCheck(self.workload), descendants()
        look = looking = 0.0  # seconds that checking the values took, not the pipeline
        first_images, second_seconds = 0, None
        begun = first = at = self.clock()
        for delivered in feed:
            at = self._batch(check, delivered)
            if not first_images:
                first, first_images = at, check.images
            looking += look
            check_range(pair(delivered)[0], self.workload)
            writes.look()
            look = self.clock() - at
            # Not before the first batch: a shuffle may read a whole epoch to deliver that.
            if at - first - looking >= most_seconds:
                break
        else:
            check.end()
            check.labels()
            if descendants() - earlier:
                second_seconds = self._second_epoch(feed)
        return PilotEpoch(
            first_at=first,
            first_seconds=first - begun,
            first_images=first_images,
            seconds=at - begun - looking,
            images=check.images,
            of=self.workload.images,
            second_seconds=second_seconds,
        )

    def open(self, request: Request) -> Opened:
        """Open the pipeline's feed; without AUTOTUNE if the request says so."""
        prepared, scratch = Path(request.prepared), Path(request.scratch)
        given = request.given(self.workload)
        asked_at = time.time()
        begun = ready = self.clock()
        if request.purpose == "pilot" and isinstance(self.pipeline, Preparing):
            self.pipeline.prepare(given, prepared)  # its few images, in its own folder
            ready = self.clock()
        feed = self._as_fit_reads(self.pipeline.open(given, prepared, scratch))
        opened_at = self.clock()
        self.earlier_caches = fixed_paths.earlier_caches(
            feed, (request.scratch, request.prepared), asked_at - _CLOCK_SECONDS
        )
        for path in self.earlier_caches:
            warnings.warn(fixed_paths.reads(path), stacklevel=2)
        if not request.is_autotuned:
            feed = autotune.without(feed)
        self.say(Phase(name="open", at=opened_at))
        return Opened(feed=feed, prepare_seconds=ready - begun, seconds=opened_at - ready)

    def _as_fit_reads(self, feed: Feed) -> Feed:
        """Return a PyDataset as `fit` reads it, with a remark on its workers; others as they are.

        Where the workers are knobs, the row shows them without a remark.
        """
        if not is_py_dataset(feed):
            return feed
        read = FitFeed(feed, self.workload)
        if not knobs.values(self.pipeline):
            warnings.warn(f"its PyDataset is read as fit() does, by {read.workers}", stacklevel=2)
        return read

    def _batch(self, check: EpochCheck, delivered: object) -> float:
        """Check a batch of the first epoch and return when it arrived."""
        at = self.clock()
        if check.images == 0:
            self.say(Phase(name="first batch", at=at))
        check.batch(delivered)
        return at

    def _first_epoch(self, feed: Feed, check: EpochCheck) -> _FirstEpoch:
        """Deliver and check the first epoch."""
        received = Received() if getattr(self.pipeline, "is_received", False) else None
        opened = first = at = self.clock()
        for delivered in feed:
            is_first = check.images == 0
            at = self._batch(check, delivered)
            first = at if is_first else first
            if received is not None:
                received.look()
        check.end()
        self.say(Phase(name="first epoch", at=at))
        return _FirstEpoch(
            opened_at=opened,
            first_at=first,
            last_at=at,
            images=check.images,
            received_bytes=None if received is None else received.bytes,
        )

    def _restarted_epochs(
        self,
        feed: Feed,
        last: float,
        pace: Pace,
        windows: Windows | None = None,
        *,
        has_turns: bool = False,
    ) -> _Restarts:
        """Time whole epochs, each with a new iterator, including the teardown of the old one.

        A feed that can only be restarted fills its `windows` here. Each holds whole epochs, as
        chance would decide how many turnovers a window of partial epochs includes. One window is
        enough if turns follow: what begins anew in each epoch has nothing to become steady.
        """
        epochs: list[float] = []
        turnovers: list[float] = []
        # The first epoch fills a cache, and so is long: AUTOTUNE may end its iterator seconds late
        # (docs/training.md). Later ones end soon, and so one restart would say nothing of them.
        least = 1 if getattr(self.pipeline, "cache", "none") == "none" else 2
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
            enough = enough and len(epochs) >= least
            if windows is not None:
                is_brief = has_turns and turns.fits(epoch_seconds=fmean(epochs))
                enough = enough and bool(windows.windows) if is_brief else windows.done
            if enough:
                break
        self.say(Phase(name="restarted", at=last))
        return _Restarts(epoch_seconds=epochs, turnover_seconds=turnovers)

    def _second_epoch(self, feed: Feed) -> float:
        """Deliver an epoch by a new iterator; return the seconds to its last batch."""
        begun = self.clock()
        _, last, _ = self._restarted_epoch(feed, 2)
        return last - begun

    def _restarted_epoch(self, feed: Feed, number: int) -> tuple[float, float, int]:
        """Deliver one epoch; return when its first and last batch arrived, and how many it had."""
        first = at = 0.0
        images = batches = 0
        for delivered in feed:
            at = self.clock()
            self._arrivals.append(at)
            first = first or at
            images += self.timed.take(delivered)
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

    def _continuously(self, feed: Any, windows: Windows, request: Request) -> Autotune | None:
        """Time windows, and then turns, over one iterator; return AUTOTUNE's final choices."""
        batches, consumer = self._continuous_windows(feed, windows)
        batch_seconds = self._batch_seconds(windows)
        if request.turns and turns.fits(batch_seconds):
            paced = turns.of_repeated(
                batches, consumer, batch_seconds, request.pace, self.workload, self.clock
            )
            self._take_turns(paced, request)
        return autotune.chosen_by(batches)

    def _continuous_windows(self, feed: Any, windows: Windows) -> tuple[Iterator[Any], Consumer]:
        """Time windows over one iterator over many epochs; return it, and what took its batches."""
        images, arrivals = self.workload.images, self._arrivals
        consumer = Consumer(self.timed.take, images, windows, arrivals, self._edge, self.clock)
        gc.collect()  # garbage of the earlier phases is not a cost of this one
        batches = lasting(feed.repeat())
        while True:
            delivered = following(batches)
            if consumer.take(delivered) and windows.done:
                break
        self._latest = delivered
        self.say(Phase(name="continuous", at=self.clock()))
        return batches, consumer

    def _turns_of_epochs(self, feed: Feed, windows: Windows, request: Request) -> None:
        """Take turns with a feed that can only be restarted."""
        images = self.workload.images
        consumer = Consumer(
            self.timed.take, images, windows, array("d"), lambda _: None, self.clock
        )
        batch_seconds = self._batch_seconds(windows)
        paced = Turns(
            endless(feed),
            consumer,
            batch_seconds,
            request.pace,
            epoch_images=images,
            clock=self.clock,
        )
        self._take_turns(paced, request)

    def _take_turns(self, paced: Turns, request: Request) -> None:
        paced.run(Path(request.turns), self.say)
        self._latest = paced.latest if paced.latest is not None else self._latest

    def _batch_seconds(self, windows: Windows) -> float:
        """Return what a batch took in the windows that count."""
        counted_windows = counted(windows.windows)
        images = sum(window.images for window in counted_windows)
        seconds = sum(window.seconds for window in counted_windows)
        return seconds / images * min(self.workload.batch_size, self.workload.images)

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
