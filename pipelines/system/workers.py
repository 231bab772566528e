"""Processes many items in workers, any of which may crash, hang or be killed by one item."""

from __future__ import annotations

import os
import signal
import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import suppress
from multiprocessing import connection, get_context
from typing import TYPE_CHECKING

from feedbench.pipelines.system.signals import die_with, interrupts_held

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

_TRIES = 2  # an item is blamed for a worker's death only the second time
_END_SECONDS = 5.0
_TICK_SECONDS = 1.0

Work = Callable[[int], bytes]


class LostError(Exception):
    """A worker was lost while it processed an item; the text says how, as a clause."""

    def __init__(self, clause: str, exit_code: int | None = None) -> None:
        code = exit_code or 0
        self.how = f"signal {-code}" if code < 0 else f"exit code {code}"
        self.exit_code = exit_code
        """Of the worker; minus the number of a signal; None: it was ended here."""
        super().__init__(clause if exit_code is None else f"{clause} ({self.how})")


def each(
    begin: Callable[[], Work],
    count: int,
    processes: int,
    limit_seconds: float,
    *,
    tries: int = _TRIES,
    is_over: Callable[[], bool] = lambda: False,
) -> Generator[tuple[int, bytes | LostError], None, None]:
    """Do the work for each number below `count`, and yield each result as soon as it is ready.

    Each process calls `begin` once. It returns the work, which gets one number at a time. If the
    process dies, only that number is lost, and a new process continues. Once `is_over`, only the
    numbers that were begun are completed. Call this in a process's only thread. Raises LostError if
    `begin` ends a process, and OSError if no process can be started.
    """
    # Forked, not spawned: spawning would run the caller's `__main__` again, which may be a user's
    # script, and import everything again in each process. Forking is safe where this is called,
    # before TensorFlow's runtime and any threads start.
    waiting = deque((number, 1) for number in range(count))
    workers: list[_Worker] = []
    try:
        for _ in range(min(processes, count)):
            workers.append(_Worker(begin))  # noqa: PERF401 - if one cannot start, the others end
        while waiting or any(worker.number is not None for worker in workers):
            for worker in _heard(workers, limit_seconds):
                answer = worker.answer(limit_seconds)
                if isinstance(answer, LostError) and not worker.has_begun:
                    raise answer
                number, worker.number = worker.number, None
                if number is None:
                    pass  # it is ready, or it was idle when it was lost: no item is to blame
                elif isinstance(answer, LostError) and worker.tried < tries and not worker.is_late:
                    waiting.append((number, worker.tried + 1))
                else:
                    yield number, answer
                if is_over():
                    waiting.clear()
                if isinstance(answer, LostError):
                    workers.remove(worker)
                    workers += [_Worker(begin)] if waiting else []
                elif waiting:
                    worker.give(*waiting.popleft())
    finally:
        _end(workers)


def _end(workers: list[_Worker]) -> None:
    for worker in workers:
        worker.end()


class _Worker:
    """A process, the connection to it, and the item it works on."""

    def __init__(self, begin: Callable[[], Work]) -> None:
        context = get_context("fork")
        self.connection, theirs = context.Pipe()
        self._process: BaseProcess = context.Process(
            target=_serve, args=(begin, theirs, os.getpid()), daemon=True
        )
        with interrupts_held():  # Ctrl-C is for this process, which ends the workers
            self._process.start()
        theirs.close()  # so that its end is seen when it dies
        self.number: int | None = None  # None: it is starting, or has nothing left to do
        self.has_begun = False
        self.tried = 0
        self.is_late = False
        self._since = time.monotonic()

    def give(self, number: int, tried: int) -> None:
        self.number, self.tried, self._since = number, tried, time.monotonic()
        with suppress(OSError):  # it died: the end of the connection says so
            self.connection.send(number)

    def is_over(self, limit_seconds: float) -> bool:
        return self.number is not None and time.monotonic() - self._since > limit_seconds

    def answer(self, limit_seconds: float) -> bytes | LostError:
        """Return its answer; if there is none, end it and return how it was lost."""
        if self.connection.poll():
            try:
                received = self.connection.recv_bytes()
            except (EOFError, OSError):
                self._process.join(_END_SECONDS)
                code = self._process.exitcode
                self.end()
                if not self.has_begun:
                    return LostError("a worker process ended at its start", code)
                return LostError("it crashes the process that decodes it", code)
            self.has_begun = True
            return received
        self.is_late = True
        self.end()
        return LostError(f"it takes more than {limit_seconds:.0f} s to decode")

    def end(self) -> None:
        self._process.kill()
        self._process.join()
        self.connection.close()


def _heard(workers: list[_Worker], limit_seconds: float) -> list[_Worker]:
    """Wait until some workers have answered, died or run out of time, and return these."""
    by_connection = {worker.connection: worker for worker in workers}
    ready = {
        by_connection[readable]
        for readable in connection.wait(list(by_connection), _TICK_SECONDS)
        if isinstance(readable, connection.Connection)
    }
    return [worker for worker in workers if worker in ready or worker.is_over(limit_seconds)]


def _serve(
    begin: Callable[[], Work], numbers: connection.Connection[bytes, int], parent: int
) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # not the parent's handler
    die_with(parent)
    work = begin()
    numbers.send_bytes(b"")  # it is ready
    while True:
        numbers.send_bytes(work(numbers.recv()))
