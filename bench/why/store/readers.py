"""Processes that read files of a store, each many at once, and do nothing else."""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Self

import msgspec

from feedbench.bench.processes.command import command_of

_MOST_FILES = 10_000  # of a process: it reads them again and again
_CHUNK = 1 << 16
_OPENING_SECONDS = 10.0  # at most, until each process has its connections


class Concurrency(msgspec.Struct, frozen=True, order=True):
    """How many requests are on their way at once."""

    processes: int
    requests: int  # of each process


class Task(msgspec.Struct, frozen=True):
    """What a process reads."""

    files: list[str]
    requests: int


class Readers:
    """Reads files over and over, as long as this context lasts.

    Each process has an event loop and a client of its own: one process of Python takes milliseconds
    of a core for each request, whatever the store does.
    """

    def __init__(self, files: Sequence[str], concurrency: Concurrency) -> None:
        self.concurrency = Concurrency(min(concurrency.processes, len(files)), concurrency.requests)
        self._files = files
        self._ended = ExitStack()
        self._selector = selectors.DefaultSelector()
        self._incomplete: dict[int, bytes] = {}  # the line that a process has begun, by its pipe
        self._answers: dict[int, int] = {}  # of each process, by its pipe

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(self._selector.close)
            for number in range(self.concurrency.processes):
                self._start(number, stack)
            self._ended = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.close()

    def _start(self, number: int, stack: ExitStack) -> None:
        files = self._files[number :: self.concurrency.processes]
        files = files[:: -(-len(files) // _MOST_FILES)]
        task = Task(list(files), self.concurrency.requests)
        process = stack.enter_context(
            subprocess.Popen(
                command_of("feedbench.bench.why.store.reading_task", str(os.getpid())),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        )
        stack.callback(process.kill)
        assert process.stdin is not None
        assert process.stdout is not None
        with process.stdin:
            process.stdin.write(msgspec.json.encode(task))
        pipe = process.stdout.fileno()
        self._incomplete[pipe], self._answers[pipe] = b"", 0
        self._selector.register(pipe, selectors.EVENT_READ)

    def warm_up(self) -> None:
        """Wait until each process has had an answer to its first requests: connections are open."""
        ends_at = time.monotonic() + _OPENING_SECONDS
        while min(self._answers.values()) < self.concurrency.requests:
            if (remaining := ends_at - time.monotonic()) <= 0:
                return
            self.take(remaining)

    def take(self, seconds: float | None = None) -> list[int]:
        """Return the bytes of each file that was read since the last call.

        Waits for one, at most so many seconds. Raises OSError if a file cannot be read.
        """
        sizes: list[int] = []
        for key, _ in self._selector.select(seconds):
            chunk = os.read(key.fd, _CHUNK)
            if not chunk:
                raise OSError("a process that reads the store ended")
            *lines, self._incomplete[key.fd] = (self._incomplete[key.fd] + chunk).split(b"\n")
            self._answers[key.fd] += len(lines)
            for line in lines:
                size = msgspec.json.decode(line, type=int | str)
                if isinstance(size, str):
                    raise OSError(size)
                sizes.append(size)
        return sizes
