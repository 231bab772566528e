"""Reads files of a store over and over, in a process that `Readers` starts.

`python -m feedbench.bench.why.store.reading_task PARENT` takes a Task as JSON. For each file it
prints a line: the number of bytes, or why it cannot be read, as JSON. A full pipe stops it.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator, Sequence
from itertools import cycle

import msgspec

from feedbench.bench.why.store.readers import Task
from feedbench.pipelines.remote.asynchronous import content
from feedbench.pipelines.system.signals import die_with


async def read_all(files: Sequence[str], requests: int) -> None:
    """Read the files over and over, so many at once, until a file cannot be read."""
    every = cycle(files)  # all requests take the next file from it
    _answer(len(await content(next(every))))  # the client is made once, not by each request
    await asyncio.gather(*(_read(every) for _ in range(requests)))


async def _read(files: Iterator[str]) -> None:
    for file in files:
        _answer(len(await content(file)))


def _answer(what: int | str) -> None:
    os.write(1, msgspec.json.encode(what) + b"\n")


if __name__ == "__main__":
    die_with(int(sys.argv[1]))
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)
    try:
        asyncio.run(read_all(task.files, task.requests))
    except OSError as error:
        _answer(f"{error.strerror or error}: {error.filename}")
    os._exit(1)  # threads of a library may not end by themselves
