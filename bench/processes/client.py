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


class Processes:
    """Starts the trials' processes through a forkserver, one at a time."""

    def __init__(self, scratch: Path, log: Path, python: str = sys.executable) -> None:
        self._scratch = scratch
        self._log = log
        self._python = python
        self._received = b""
        self._server: subprocess.Popen[bytes] | None = None
        self._ready: Ready | None = None
        self._trial: int | None = None  # the group of the trial under way

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
        # Another environment must not import packages from the current folder.
        safely = [] if self._python == sys.executable else ["-P"]
        server = [self._python, *safely, "-m", "feedbench.bench.forkserver"]
        return [*server, str(os.getpid()), str(self._scratch)]

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
        if self._is_dead():
            self.close()
            self.start()
        self.ready()
        asked = time.monotonic()
        self._command(start)
        exchange = _Exchange(asked, limit_seconds)
        while exchange.ended is None:
            event = self._next_event(min(_TICK_SECONDS, exchange.patience()))
            if event is not None:
                self._trial = event.pid if isinstance(event, Started) else self._trial
                exchange.take(event)
                on_event(event)
            elif self._is_dead():
                self._end_orphans()
                break
            elif exchange.is_over():
                self._command(End())
                exchange.end_asked()
            elif exchange.is_stuck():
                self._kill_server()
            else:
                on_tick()
        self._trial = None
        return exchange.outcome()

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
        """End the workers of the current trial, which a dead forkserver can no longer end."""
        if self._trial is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._trial, signal.SIGKILL)


class _Exchange:
    """The events of one trial so far."""

    def __init__(self, asked: float, limit_seconds: float) -> None:
        self._asked = asked
        self._limit = limit_seconds
        self._result: Result | None = None
        self.ended: Ended | None = None
        self._end_asked_at: float | None = None

    def take(self, event: Event) -> None:
        if isinstance(event, Result):
            self._result = event
        elif isinstance(event, Ended):
            self.ended = event

    def end_asked(self) -> None:
        """Note that the trial was asked to end."""
        self._end_asked_at = time.monotonic()

    def patience(self) -> float:
        """Seconds until the trial's limit."""
        return max(self._asked + self._limit - time.monotonic(), 0.01)

    def is_over(self) -> bool:
        return self._end_asked_at is None and time.monotonic() > self._asked + self._limit

    def is_stuck(self) -> bool:
        since = self._end_asked_at
        return since is not None and time.monotonic() > since + _END_SECONDS

    def outcome(self) -> Outcome:
        return Outcome(
            result=self._result,
            over_limit=self._limit if self._end_asked_at is not None else None,
            ended=self.ended,
            asked_at=self._asked,
            seconds=time.monotonic() - self._asked,
        )


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
