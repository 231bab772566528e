"""What happens inside one measured process, phase by phase.

open -> first batch -> first epoch -> restarted epochs (turnover) -> continuous windows.
Nothing else runs here while a window is open: no meter, no output but a line at each edge.
"""

from __future__ import annotations

import gc
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from feedbench.bench.checks import EpochCheck, EpochLedger, check_range, consume, pair
from feedbench.bench.protocol import Built, Edge, Event, Failed, Measured, Phase, Request
from feedbench.bench.windows import Window, Windows
from feedbench.bench.workload import read_workload
from feedbench.pipelines import catalog, knobs
from feedbench.pipelines.contract import Feed, KnobOverruledWarning, Pipeline, Workload
from feedbench.pipelines.errors import RequestError, WrongWorkError

RESTART_SECONDS = 1.0  # restarted epochs: one at least, more while they have taken less than this
MOST_RESTARTS = 5

Say = Callable[[Event], None]
Clock = Callable[[], float]


def perform(request: Request, say: Say) -> None:
    """Do what the request asks and say how it went. Raises only what is no failure of the trial."""
    try:
        pipeline = catalog.load(catalog.spec_of(request.label, request.spec))
        if request.purpose == "check":
            say(Built())
            return
        trial = Trial(pipeline, read_workload(Path(request.workload)), say)
        with warnings.catch_warnings(record=True) as caught:
            # A loader that warns of something at every image must not pay for our memory of it.
            warnings.simplefilter("ignore")
            warnings.simplefilter("default", UserWarning)
            measured = trial.pilot(request) if request.purpose == "pilot" else trial.run(request)
    except (RequestError, WrongWorkError) as error:
        say(Failed(sentence=str(error), is_request=isinstance(error, RequestError)))
    except Exception as error:  # noqa: BLE001 - whatever a pipeline raises is its result
        import traceback

        traceback.print_exc()  # into the trial's log
        say(Failed(sentence=f"it raised {type(error).__name__}: {error}", is_request=False))
    else:
        say(_with_remarks(measured, pipeline, caught))


@dataclass
class Trial:
    """One pipeline, one workload, and the clock that times them (seconds, monotonic)."""

    pipeline: Pipeline
    workload: Workload
    say: Say
    clock: Clock = time.monotonic
    _found: dict[str, Any] = field(default_factory=dict)

    def run(self, request: Request) -> Measured:
        """Go through all phases."""
        feed = self._open(request)
        last = self._first_epoch(feed)
        self._restarted_epochs(feed, last)
        self._windows(feed, Windows(request.steady_seconds))
        return Measured(**self._found, threads=_threads())

    def pilot(self, request: Request) -> Measured:
        """Read for a short while, to learn roughly how fast, and look at the values too."""
        feed = self._open(request)
        check = EpochCheck(self.workload)
        opened = at = self.clock()
        for delivered in feed:
            at = self._batch(check, delivered, opened)
            check_range(pair(delivered)[0], self.workload)
            if at - opened >= request.pilot_seconds:
                break
        else:
            check.end()
        self._found["first_epoch_seconds"] = at - opened
        self._found["first_epoch_images"] = check.images
        return Measured(**self._found, threads=_threads())

    def _open(self, request: Request) -> Feed:
        begun = self.clock()
        feed = self.pipeline.open(self.workload, Path(request.prepared), Path(request.scratch))
        opened = self.clock()
        self._found["open_seconds"] = opened - begun
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

    def _first_epoch(self, feed: Feed) -> float:
        """Deliver and check the first epoch; return when its last batch came."""
        check = EpochCheck(self.workload)
        opened = at = self.clock()
        for delivered in feed:
            at = self._batch(check, delivered, opened)
        if check.images == 0:
            raise WrongWorkError(
                f"it delivered nothing; expected {self.workload.images} images in an epoch"
            )
        check.end()
        self._found["first_epoch_seconds"] = at - opened
        self._found["first_epoch_images"] = check.images
        self.say(Phase(name="first epoch", at=at))
        return at

    def _restarted_epochs(self, feed: Feed, last: float) -> None:
        """Time whole epochs, each by a new iterator, the teardown of the old one included."""
        epochs: list[float] = []
        turnovers: list[float] = []
        begun = last
        while len(epochs) < MOST_RESTARTS:
            first: float | None = None
            at, images = last, 0
            for delivered in feed:
                at = self.clock()
                first = at if first is None else first
                images += consume(delivered)
                if images > self.workload.images:
                    raise WrongWorkError(
                        f"it delivered {images} images or more in epoch {len(epochs) + 2};"
                        f" expected {self.workload.images}, as in the first"
                    )
            if images != self.workload.images or first is None:
                raise WrongWorkError(
                    f"it delivered {images} images in epoch {len(epochs) + 2};"
                    f" expected {self.workload.images}, as in the first"
                )
            turnovers.append(first - last)
            epochs.append(at - last)
            last = at
            if at - begun >= RESTART_SECONDS:
                break
        self._found["epoch_seconds"] = epochs
        self._found["turnover_seconds"] = turnovers
        self.say(Phase(name="restarted", at=last))

    def _windows(self, feed: Feed, windows: Windows) -> None:
        """Time windows over one iterator, or over restarted epochs where there is no repeat()."""
        repeat = getattr(feed, "repeat", None)
        self._found["continuous"] = repeat is not None
        batches = iter(repeat()) if repeat is not None else _restarting(feed, self.workload.images)
        ledger = EpochLedger(self.workload.images)
        gc.collect()  # what the phases before have left is no cost of this one
        for delivered in batches:
            at = self.clock()
            images = consume(delivered)
            ledger.delivered(images)
            if windows.arrived(at, images):
                self.say(Edge(at=at))
                if windows.done:
                    break
        else:
            raise WrongWorkError("its repeat() came to an end; expected epoch after epoch without")
        self._found["windows"] = list[Window](windows.windows)
        self.say(Phase(name="continuous", at=self.clock()))


def _restarting(feed: Feed, expected: int) -> Iterator[Any]:
    while True:
        images = 0
        for delivered in feed:
            yield delivered
            images += len(delivered[1])
        if images != expected:
            raise WrongWorkError(
                f"it delivered {images} images in an epoch after many;"
                f" expected {expected}, as in the first"
            )


def _threads() -> int:
    return max(threading.active_count(), _native_threads())


def _native_threads() -> int:
    try:
        return sum(1 for _ in Path("/proc/self/task").iterdir())
    except OSError:  # not Linux
        return 0


def _with_remarks(
    measured: Measured, pipeline: Pipeline, caught: list[warnings.WarningMessage]
) -> Measured:
    """Add the knobs in effect, and what was warned of, each sentence once."""
    import msgspec

    in_effect = knobs.values(pipeline)
    remarks = []
    for warning in caught:
        if isinstance(warning.message, KnobOverruledWarning):
            in_effect[warning.message.knob] = warning.message.used
        remarks.append(str(warning.message))
    return msgspec.structs.replace(measured, knobs=in_effect, remarks=list(dict.fromkeys(remarks)))
