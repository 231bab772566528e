"""Work in several processes, which end when the calling process ends, and work ahead in a pool."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import Any, TypeVar

from feedbench.pipelines.system.signals import interrupts_held, signal_at_parent_death

Item = TypeVar("Item")
Result = TypeVar("Result")


def ahead(
    pool: Executor, work: Callable[[Item], Result], items: Iterable[Item], count: int
) -> Iterator[Result]:
    """Yield what `work` returns for each item, in order; `count` further calls are begun by then.

    Raises what a call raises.
    """
    waiting: deque[Future[Result]] = deque()
    for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) > count:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def in_processes(
    work: Callable[..., object],
    calls: Iterable[tuple[Any, ...]],
    processes: int,
    on_done: Callable[[int], object] = lambda _: None,
) -> None:
    """Call `work` with each tuple of arguments; `on_done` gets the number of calls done.

    `on_done` runs in the calling process. Call this in the main thread, before other threads start.
    Raises what a call or `on_done` raises, and RuntimeError if a process dies. Calls that have not
    begun are dropped then.
    """
    # Forked, not spawned: spawning would run the caller's `__main__` again, which may be a user's
    # script, and import everything again in each process. Forking is safe where this is called,
    # before TensorFlow's runtime and any threads start. The executor forks all its processes at
    # the first submit, before it starts its own threads.
    pool = ProcessPoolExecutor(processes, get_context("fork"), die_with, (os.getpid(),))
    try:
        with interrupts_held():
            pending = [pool.submit(work, *arguments) for arguments in calls]
        for done, call in enumerate(as_completed(pending), start=1):
            call.result()
            on_done(done)
    finally:
        with interrupts_held():  # a second Ctrl-C must not leave workers writing to a lost folder
            pool.shutdown(cancel_futures=True)


def die_with(parent: int) -> None:
    """Let Linux kill this worker when its parent ends, even by a signal that cannot be caught."""
    signal_at_parent_death(signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the line above
        os._exit(1)
