"""A fresh process for each trial, its time limit, and how it ended: the parent's side."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import msgspec

from feedbench.bench.processes.command import command_of
from feedbench.bench.processes.other_python import environment_of
from feedbench.bench.records.messages import (
    Command,
    End,
    Ended,
    Event,
    Failed,
    Ready,
    Result,
    Start,
    Started,
    decode_event,
    encode,
)
from feedbench.bench.records.trial import Fault
from feedbench.pipelines.errors import FeedbenchError

_END_SECONDS = 10.0  # for a killed trial to be reported gone
_TICK_SECONDS = 0.5  # how often a dead forkserver is looked for

OnEvent = Callable[[Event], None]
OnTick = Callable[[], None]


class ForkserverError(FeedbenchError):
    """The forkserver, which starts the trials' processes, did not start."""


class RemoteTraceback(Exception):  # noqa: N818 - as multiprocessing calls it
    """The traceback of a measured process, as the cause of an error in this one."""

    def __str__(self) -> str:
        """Return the traceback between lines of quotes."""
        return f'\n"""\n{self.args[0]}"""'


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a trial's process, and how it ended."""

    result: Result | None = None  # None: it ended without one
    over_limit: float | None = None  # seconds, if it was ended because it took longer
    ended: Ended | None = None  # None: the forkserver died with it
    asked_at: float = 0.0  # CLOCK_MONOTONIC
    seconds: float = 0.0


class Underway:
    """A trial's process that has been asked for, and its events so far."""

    def __init__(self, asked: float, limit_seconds: float) -> None:
        self.pid: int | None = None  # of the process, which is also its group
        self.ended: Ended | None = None
        self._asked = asked
        self._limit_seconds = limit_seconds
        self._deadline = asked + limit_seconds
        self._result: Result | None = None
        self._end_asked_at: float | None = None
        self._over_at: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether the process is gone."""
        return self._over_at is not None

    @property
    def has_result(self) -> bool:
        """Whether its last message has arrived."""
        return self._result is not None

    def limit(self, seconds: float) -> None:
        """Set a new limit, from now on."""
        self._limit_seconds = seconds
        self._deadline = time.monotonic() + seconds

    def take(self, event: Event) -> None:
        """Note an event of this trial."""
        if isinstance(event, Started):
            self.pid = event.pid
        elif isinstance(event, Result):
            self._result = event
        elif isinstance(event, Ended):
            self.ended = event
            self.over()

    def over(self) -> None:
        """Note that the process is gone."""
        self._over_at = time.monotonic() if self._over_at is None else self._over_at

    def end_asked(self) -> None:
        """Note that the trial was asked to end."""
        self._end_asked_at = time.monotonic()

    def patience(self) -> float:
        """Seconds until the trial's limit."""
        return max(self._deadline - time.monotonic(), 0.01)

    def is_over_limit(self) -> bool:
        """Whether it should be asked to end."""
        return self._end_asked_at is None and time.monotonic() > self._deadline

    def is_stuck(self) -> bool:
        """Whether it was asked to end long ago."""
        since = self._end_asked_at
        return since is not None and time.monotonic() > since + _END_SECONDS

    def outcome(self) -> Outcome:
        """Return its result so far, and how it ended."""
        over_at = time.monotonic() if self._over_at is None else self._over_at
        return Outcome(
            result=self._result,
            over_limit=self._limit_seconds if self._end_asked_at is not None else None,
            ended=self.ended,
            asked_at=self._asked,
            seconds=over_at - self._asked,
        )


class Processes:
    """Starts the trials' processes through a forkserver.

    Several may be alive, but only the one that is followed may run: an event without a process's
    number is that one's.
    """

    def __init__(self, scratch: Path, log: Path, python: str = sys.executable) -> None:
        self._scratch = scratch
        self._log = log
        self._python = python
        self._received = b""
        self._server: subprocess.Popen[bytes] | None = None
        self._ready: Ready | None = None
        self._alive: list[Underway] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def forkserver(self) -> int | None:
        """The process that the trials' processes descend from; it adopts their orphans."""
        return None if self._server is None else self._server.pid

    def start(self) -> None:
        """Start the forkserver. This takes seconds; `ready` waits for it."""
        self._received = b""
        self._ready = None
        with self._log.open("ab") as log:
            self._server = subprocess.Popen(
                self._forkserver_command(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment_of(self._python),
                start_new_session=True,  # Ctrl-C is for the parent, which ends the rest
            )

    def _forkserver_command(self) -> list[str]:
        return command_of(
            "feedbench.bench.forkserver", str(os.getpid()), str(self._scratch), python=self._python
        )

    def ready(self) -> Ready:
        """Wait until TensorFlow is imported. Raises ForkserverError if its import fails."""
        while self._ready is None:
            event = self._next_event(_TICK_SECONDS)
            if isinstance(event, Ready):
                self._ready = event
            elif event is None and self._is_dead():
                raise ForkserverError(
                    f"{self._python} cannot import TensorFlow: {last_line(self._log)}",
                    hint="install TensorFlow there, and try python -c 'import tensorflow'",
                )
        return self._ready

    def run(
        self,
        start: Start,
        limit_seconds: float,
        on_event: OnEvent = lambda _: None,
        on_tick: OnTick = lambda: None,
    ) -> Outcome:
        """Perform a trial and return its outcome; end it when it exceeds its limit.

        Calls `on_event` with each event as it arrives, and `on_tick` while none does.
        """
        trial = self.begin(start, limit_seconds)
        self.follow(trial, on_event, on_tick)
        return trial.outcome()

    def begin(self, start: Start, limit_seconds: float) -> Underway:
        """Ask for a trial's process. `follow` must be called next."""
        if self._is_dead():
            self.close()
            self.start()
        self.ready()
        trial = Underway(time.monotonic(), limit_seconds)
        self._alive.append(trial)
        self._command(start)
        return trial

    def follow(
        self,
        trial: Underway,
        on_event: OnEvent = lambda _: None,
        on_tick: OnTick = lambda: None,
        until: Callable[[Event], bool] = lambda _: False,
    ) -> None:
        """Follow a trial until an event of its own that `until` accepts, or until it is over."""
        while not trial.is_over:
            event = self._next_event(min(_TICK_SECONDS, trial.patience()))
            if event is not None:
                self._deliver(event, trial)
                if not self._is_of_another(event, trial, trial):
                    on_event(event)
                    if until(event):
                        break
            elif self._is_dead():
                self._end_orphans()
            elif trial.is_over_limit():
                self._command(End(trial=trial.pid or 0))
                trial.end_asked()
            elif trial.is_stuck():
                self._kill_server()
            else:
                on_tick()
        self._alive = [other for other in self._alive if not other.is_over]

    def close(self) -> None:
        """End the forkserver and everything that it started."""
        if self._server is None:
            return
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._server.stdin.close()
        if self._ready is None:
            self._server.kill()  # it is importing, and has no children yet
        try:
            self._server.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._kill_server()
        self._server.stdout.close()
        self._server = None

    def _deliver(self, event: Event, followed: Underway) -> None:
        """Give an event to the trial that it is of."""
        for trial in self._alive:
            if not self._is_of_another(event, trial, followed):
                trial.take(event)

    def _is_of_another(self, event: Event, trial: Underway, followed: Underway) -> bool:
        # A version before 0.3 runs one trial at a time, and does not number its end.
        if isinstance(event, Ended) and event.trial:
            return event.trial != trial.pid
        return trial is not followed

    def _command(self, command: Command) -> None:
        assert self._server is not None
        assert self._server.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it died: the next tick sees that
            self._server.stdin.write(encode(command) + b"\n")
            self._server.stdin.flush()

    def _next_event(self, timeout: float) -> Event | None:
        assert self._server is not None
        assert self._server.stdout is not None
        pipe = self._server.stdout.fileno()
        deadline = time.monotonic() + timeout
        while b"\n" not in self._received:
            remaining_seconds = max(deadline - time.monotonic(), 0.0)
            if not select.select([pipe], [], [], remaining_seconds)[0]:
                return None
            received = os.read(pipe, 65536)
            if not received:
                self._server.wait()  # no process has the other end of the pipe any more
                return None
            self._received += received
        line, _, self._received = self._received.partition(b"\n")
        try:
            event: Event = decode_event(line)
        except msgspec.MsgspecError:  # empty, or what a killed trial could not end
            return None
        return event

    def _is_dead(self) -> bool:
        return self._server is None or self._server.poll() is not None

    def _kill_server(self) -> None:
        assert self._server is not None
        self._server.kill()
        self._server.wait()
        self._end_orphans()

    def _end_orphans(self) -> None:
        """End all trials, and their workers, which a dead forkserver can no longer end."""
        for trial in self._alive:
            if trial.pid is not None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(trial.pid, signal.SIGKILL)
            trial.over()


def what_went_wrong(outcome: Outcome) -> str | None:
    """Return what went wrong as a clause that follows a label; None if nothing did."""
    wrong = _wrong(outcome)
    return wrong and wrong[1]


def fault_of(outcome: Outcome) -> Fault | None:
    """Return the kind of fault; None if nothing went wrong."""
    wrong = _wrong(outcome)
    return wrong and wrong[0]


def _wrong(outcome: Outcome) -> tuple[Fault, str] | None:
    match outcome:
        case Outcome(result=Failed() as failed):
            fault = Fault.WRONG_WORK if failed.is_wrong_work else Fault.RAISED
            return fault, "; ".join(filter(None, [failed.sentence, failed.hint]))
        case Outcome(result=result) if result is not None:
            return None
        case Outcome(over_limit=limit) if limit is not None:
            return Fault.OVER_LIMIT, f"it exceeded its limit of {limit:.0f} s and was ended"
        case Outcome(ended=Ended(signal=int(number))):
            hint = " (out of memory?)" if number == signal.SIGKILL else ""
            return Fault.KILLED, f"it was killed by {_signal_name(number)}{hint}"
        case Outcome(ended=Ended(exit_code=code)):
            return Fault.EXITED, f"it exited with code {code} before it had finished"
        case _:
            return Fault.FORKSERVER_DIED, "the forkserver died during it"


def last_line(log: Path) -> str:
    """Return the last line of a log that is not blank, at most 200 characters of it."""
    with contextlib.suppress(OSError):
        lines = log.read_text(errors="replace").split("\n")
        for line in reversed(lines):
            if line.strip():
                return line.strip()[:200]
    return "it printed nothing"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
