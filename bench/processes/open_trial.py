"""A trial of a rotation: its process is stopped, and wakes up only for its turns."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Sequence

import msgspec
from msgspec.structs import replace

from feedbench.bench.processes.client import OnEvent, OnTick, Processes
from feedbench.bench.processes.folders.trial_folders import Made
from feedbench.bench.processes.underway import Outcome, Underway
from feedbench.bench.records.conditions.calm import Around
from feedbench.bench.records.conditions.page_cache import Certificate
from feedbench.bench.records.conditions.usage import Usage
from feedbench.bench.records.messages import TURN, Event, Phase, Turned
from feedbench.bench.records.turns import Turn
from feedbench.bench.records.windows import Window
from feedbench.pipelines.catalog import Spec

_END = 0  # instead of a round's number: there are no more turns
_END_SECONDS = 60.0  # for the checks after the last turn


class Watch(msgspec.Struct, frozen=True):
    """Observes a trial while it runs, and returns its resources afterwards."""

    on_event: OnEvent = lambda _: None
    on_tick: OnTick = lambda: None
    usage: Callable[[list[Window]], Usage | None] = lambda _: None
    fault: Callable[[Sequence[Window], Sequence[Turn]], str | None] = lambda *_: None
    certificate: Callable[[], Certificate | None] = lambda: None
    around: Callable[[], Around | None] = lambda: None


class OpenTrial:
    """One trial of a rotation, from its process's start to its end."""

    def __init__(
        self, made: Made, spec: Spec, watch: Watch, processes: Processes, limit_seconds: float
    ) -> None:
        self.made = made
        self.spec = spec
        self.watch = watch
        self.turns: list[Turn] = []
        self.is_ready = False  # for a turn; else it has ended
        self._processes = processes
        self._limit_seconds = limit_seconds
        self._underway: Underway | None = None
        self._pipe: int | None = None
        self._seconds = 0.0  # without those in which it was stopped
        self._outside: set[int] = set()  # its processes that have left its group

    @property
    def pid(self) -> int | None:
        """Its process, which is also its group."""
        return None if self._underway is None else self._underway.pid

    def begin(self) -> None:
        """Start it, and follow it until it is ready for its turns. It is stopped then."""
        # Open both ways, so that neither side waits for the other to open it.
        self._pipe = os.open(self.made.start.request.turns, os.O_RDWR | os.O_CLOEXEC)
        self._underway = self._processes.begin(self.made.start, self._limit_seconds)
        self._follow(_is_ready)

    def take(self, number: int, limit_seconds: float, seconds: float = 0.0) -> Turn | None:
        """Let it run for its turn of round `number`; None if it ended instead.

        The window takes `seconds` at least; 0: those of the trial's pace.
        """
        assert self._underway is not None
        self._underway.limit(limit_seconds)
        turned: list[Turned] = []

        def is_over(event: Event) -> bool:
            if isinstance(event, Turned):
                turned.append(event)
            return isinstance(event, Turned)

        self._send(number, seconds)
        woke = time.monotonic()
        self._continue()
        self._follow(is_over)
        awake_seconds = time.monotonic() - woke
        if not turned:
            return None
        turn = Turn(**msgspec.structs.asdict(turned[0]), awake_seconds=awake_seconds)
        self.turns.append(turn)
        return turn

    def end(self) -> Outcome:
        """Let it end, and return its outcome; its seconds are those in which it could run."""
        assert self._underway is not None
        if self.is_ready:
            self._underway.limit(_END_SECONDS)
            self._send(_END, 0.0)
            self._continue()
            self._follow(_never)
        self.shut()
        return replace(self._underway.outcome(), seconds=self._seconds)

    def kill(self) -> None:
        """End it now, without a result."""
        assert self._underway is not None
        self._underway.limit(0.0)
        self._follow(_never)

    def shut(self) -> None:
        """Let go of the pipe; the process is gone, or ends with the run."""
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None

    def stop_outside(self, pid: int) -> None:
        """Stop one of its processes that has left its group, now and between its later turns."""
        self._outside.add(pid)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGSTOP)

    def _follow(self, until: Callable[[Event], bool]) -> None:
        """Follow it until an event; then stop it, unless it has ended."""
        assert self._underway is not None
        begun = time.monotonic()
        self._processes.follow(self._underway, self.watch.on_event, self.watch.on_tick, until)
        self._seconds += time.monotonic() - begun
        self.is_ready = not self._underway.is_over
        if self.is_ready:
            self._signal(signal.SIGSTOP)

    def _send(self, number: int, seconds: float) -> None:
        assert self._pipe is not None
        os.write(self._pipe, TURN.pack(number, seconds))

    def _continue(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)
        for pid in tuple(self._outside):
            try:
                os.kill(pid, number)
            except (ProcessLookupError, PermissionError):
                self._outside.discard(pid)


def _never(_: Event) -> bool:
    return False


def _is_ready(event: Event) -> bool:
    return isinstance(event, Phase) and event.name == "ready"
