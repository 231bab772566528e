"""A fresh process for each trial, its time limit, and how it ended: the parent's side."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from feedbench.bench.files import DAMAGED
from feedbench.bench.processes.command import command_of
from feedbench.bench.processes.folders.trial_log import last_line
from feedbench.bench.processes.other_python import environment_of
from feedbench.bench.processes.underway import Outcome, Patience, Underway
from feedbench.bench.records.messages import (
    Command,
    End,
    Ended,
    Event,
    Failed,
    Ready,
    Start,
    decode_event,
    encode,
)
from feedbench.bench.records.trial import Fault
from feedbench.bench.text import listed
from feedbench.pipelines.errors import FeedbenchError
from feedbench.pipelines.system.line_pipes import LinePipes
from feedbench.pipelines.system.regular_files import open_regular
from feedbench.pipelines.system.signals import LOST_EXIT_CODE

_ADDED = os.O_WRONLY | os.O_APPEND | os.O_CREAT

OnEvent = Callable[[Event], None]
OnTick = Callable[[], None]


class ForkserverError(FeedbenchError):
    """The forkserver, which starts the trials' processes, did not start."""


class RemoteTraceback(Exception):  # noqa: N818 - as multiprocessing calls it
    """The traceback of a measured process, as the cause of an error in this one."""

    def __str__(self) -> str:
        """Return the traceback between lines of quotes."""
        return f'\n"""\n{self.args[0]}"""'


class Processes:
    """Starts the trials' processes through a forkserver.

    Several may be alive, but only the one that is followed may run: an event without a process's
    number is that one's. With `modules`, its forkserver imports these in place of TensorFlow.
    `variables` are those of its environment; None: those of this process, as far as they suit.
    """

    def __init__(
        self,
        scratch: Path,
        log: Path,
        python: str = sys.executable,
        patience: Patience = Patience(),  # noqa: B008 - it is frozen
        *,
        modules: tuple[str, ...] | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self._scratch = scratch
        self._log = log
        self._python = python
        self._patience = patience
        self._modules = modules
        self._variables = environment_of(python) if variables is None else variables
        self._server: subprocess.Popen[bytes] | None = None
        self._pipes: LinePipes | None = None
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
        self._ready = None
        with os.fdopen(open_regular(self._log, _ADDED), "ab") as log:
            self._server = subprocess.Popen(
                self._forkserver_command(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self._variables,
                start_new_session=True,  # Ctrl-C is for the parent, which ends the rest
            )
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._pipes = LinePipes(self._server.stdin.fileno(), self._server.stdout.fileno())

    def _forkserver_command(self) -> list[str]:
        words = [str(os.getpid()), str(self._scratch)]
        if self._modules is not None:  # a version of --against may not know the option
            words += ["--import", *self._modules]
        return command_of("feedbench.bench.forkserver", *words, python=self._python)

    def ready(self) -> Ready:
        """Wait until its modules are imported. Raises ForkserverError if that fails."""
        deadline = time.monotonic() + self._patience.ready
        while self._ready is None:
            event = self._next_event(self._patience.tick)
            if isinstance(event, Ready):
                self._ready = event
            elif event is None and self._is_dead():
                raise self._not_ready("cannot import")
            elif time.monotonic() > deadline:
                self._kill_server()
                raise self._not_ready("did not import", f" within {self._patience.ready:.0f} s")
        return self._ready

    def _not_ready(self, what: str, within: str = "") -> ForkserverError:
        why = f"{within}: {last_line(self._log)}"
        if self._modules is None:
            return ForkserverError(
                f"{self._python} {what} TensorFlow{why}",
                hint="install TensorFlow there, and try python -c 'import tensorflow'",
            )
        hint = f"try {self._python} -c 'import {', '.join(self._modules)}'"
        return ForkserverError(
            f"{self._python} {what} {listed([*self._modules]) or 'Feedbench'}{why}",
            hint=hint if self._modules else "",
        )

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
        trial = Underway(time.monotonic(), limit_seconds, self._patience)
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
            event = self._next_event(min(self._patience.tick, trial.patience()))
            if event is not None:
                self._deliver(event, trial)
                if not self._is_of_another(event, trial, trial):
                    on_event(event)
                    if until(event):
                        break
            elif self._is_dead():
                self._end_orphans()
            else:
                on_tick()
            self._keep_limits(trial)  # also of one that reports all the time
        self._alive = [other for other in self._alive if not other.is_over]

    def _keep_limits(self, trial: Underway) -> None:
        """End a trial that is over its limit, or the forkserver if that does not answer."""
        if trial.is_over:
            return
        if trial.is_stuck():
            trial.unanswered()
            self._kill_server()
        elif trial.is_over_limit():
            self._command(End(trial=trial.pid or 0))
            trial.end_asked()

    def close(self) -> None:
        """End the forkserver and everything that it started."""
        if self._server is None:
            return
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.close()
        if self._ready is None:
            self._server.kill()  # it is importing, and has no children yet
        else:
            self._server.send_signal(signal.SIGCONT)  # it ends its children itself, if it can
        try:
            self._server.wait(self._patience.end)
        except subprocess.TimeoutExpired:
            self._kill_server()
        self._server.stdout.close()
        self._server = self._pipes = None

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
        assert self._pipes is not None
        if not self._pipes.send(encode(command), self._patience.end):
            self._kill_server()  # it is stopped, or dead already

    def _next_event(self, timeout: float) -> Event | None:
        assert self._pipes is not None
        line = self._pipes.next(timeout)
        if self._pipes.is_closed:
            self._wait_for_server()  # it is ending: no process has the other end any more
        if line is None:
            return None
        try:
            event: Event = decode_event(line)
        except DAMAGED:  # empty, or what a killed trial could not end
            return None
        return event

    def _is_dead(self) -> bool:
        return self._server is None or self._server.poll() is not None

    def _wait_for_server(self) -> None:
        assert self._server is not None
        try:
            self._server.wait(self._patience.end)
        except subprocess.TimeoutExpired:
            self._kill_server()

    def _kill_server(self) -> None:
        assert self._server is not None
        self._server.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):  # it waits for a disk in the kernel
            self._server.wait(self._patience.end)
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
            is_lost = code == LOST_EXIT_CODE
            how = "lost a process that it needs" if is_lost else f"exited with code {code}"
            return Fault.EXITED, f"it {how} before it had finished"
        case Outcome(is_unanswered=is_unanswered):
            how = "did not answer during it, and was ended" if is_unanswered else "died during it"
            return Fault.FORKSERVER_DIED, f"the forkserver {how}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
