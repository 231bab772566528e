"""Work in several processes, which end when the calling process ends, and work ahead in a pool."""

from __future__ import annotations

import errno
import math
import pickle
import signal
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import Any, TypeVar

from feedbench.pipelines.errors import FeedbenchError
from feedbench.pipelines.system.signals import interrupts_held
from feedbench.pipelines.system.workers import LostError, each

Item = TypeVar("Item")
Result = TypeVar("Result")

_HINT = "free some memory, or raise the limit of this process (ulimit -v, its cgroup)"


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

    `on_done` runs in the calling process. Call this in a process's only thread. Raises what a call
    or `on_done` raises. Raises FeedbenchError if a process dies, or if memory runs out. After such
    an error of a call, calls that have begun are completed, and the others are dropped.
    """
    # Not a ProcessPoolExecutor: its calls go through threads of the calling process. If memory is
    # short and one of these cannot start, the executor waits for ever.
    given, done = list(calls), 0
    failures: list[BaseException] = []

    def begin() -> Callable[[int], bytes]:
        return lambda number: _failure(work, given[number])

    answers = each(begin, len(given), processes, math.inf, tries=1, is_over=lambda: bool(failures))
    try:
        for _, answer in answers:
            if isinstance(answer, LostError):
                failures.append(_lost(answer))
            elif answer:
                failures.append(pickle.loads(answer))  # noqa: S301 - of a fork of this process
            elif not failures:
                done += 1
                on_done(done)
    except LostError as error:  # at its start
        raise _lost(error) from None
    except OSError as error:
        if error.errno != errno.ENOMEM:
            raise
        raise _no_memory() from error
    finally:
        with interrupts_held():  # a second Ctrl-C must not leave workers writing to a lost folder
            answers.close()
    if failures:
        raise failures[0]


def _failure(work: Callable[..., object], arguments: tuple[Any, ...]) -> bytes:
    """Call `work`, and return the exception that it raises, for another process; b"" if none."""
    try:
        work(*arguments)
    except MemoryError:
        return pickle.dumps(_no_memory())
    except BaseException as error:  # noqa: BLE001 - whatever it raises is for the caller
        error.add_note("".join(traceback.format_exception(error)))
        try:
            pickled = pickle.dumps(error)
            pickle.loads(pickled)  # noqa: S301 - of this process
        except Exception:  # noqa: BLE001 - its type decides what fails
            return pickle.dumps(RuntimeError(f"{type(error).__name__}: {error}"))
        return pickled
    return b""


def _lost(error: LostError) -> FeedbenchError:
    if error.exit_code == -signal.SIGKILL:
        return FeedbenchError("a process that wrote files was killed (out of memory?)", hint=_HINT)
    return FeedbenchError(f"a process that wrote files ended before it had finished ({error.how})")


def _no_memory() -> FeedbenchError:
    return FeedbenchError("there was no memory left to write files", hint=_HINT)
