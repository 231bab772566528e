"""Processes many items in workers, any of which may crash, hang or be killed by one item."""

from __future__ import annotations

import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing import connection, get_context
from typing import TYPE_CHECKING

from feedbench.pipelines.system.pool import die_with
from feedbench.pipelines.system.signals import interrupts_held

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

_TRIES = 2  # an item is blamed for a worker's death only the second time
_END_SECONDS = 5.0
_TICK_SECONDS = 1.0

Work = Callable[[int], bytes]


class LostError(Exception):
    """A worker was lost while it processed an item; the text says how, as a clause."""


def each(
    begin: Callable[[], Work], count: int, processes: int, limit_seconds: float
) -> Iterator[tuple[int, bytes | LostError]]:
    """Do the work for each number below `count`, and yield each result as soon as it is ready.

    Each process calls `begin` once. It returns the work, which gets one number at a time. If the
    process dies, only that number is lost, and a new process continues. Call this in a process's
    only thread. Raises LostError if `begin` ends a process.
    """
    waiting = deque((number, 1) for number in range(count))
    workers = [_Worker(begin) for _ in range(min(processes, count))]
    done = 0
    try:
        while done < count:
            for worker in _heard(workers, limit_seconds):
                answer = worker.answer(limit_seconds)
                if isinstance(answer, LostError):
                    if not worker.has_begun:
                        raise answer
                    workers[workers.index(worker)] = _Worker(begin)
                    if worker.number is None:
                        continue  # it was idle: no item is to blame
                    if worker.tried < _TRIES and not worker.is_late:
                        waiting.append((worker.number, worker.tried + 1))
                        continue
                if worker.number is not None:
                    yield worker.number, answer
                    done += 1
                    worker.number = None
                if waiting and not isinstance(answer, LostError):
                    worker.give(*waiting.popleft())
    finally:
        for worker in workers:
            worker.end()


class _Worker:
    """A process, the connection to it, and the item it works on."""

    def __init__(self, begin: Callable[[], Work]) -> None:
        context = get_context("fork")  # pool.py says why
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
                how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
                if not self.has_begun:
                    return LostError(f"a worker process ended at its start ({how})")
                return LostError(f"it crashes the process that decodes it ({how})")
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
