"""A pipeline's trace, recorded by TensorFlow's profiler in the measured process."""

from __future__ import annotations

import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from feedbench.bench.machine.process_tree import TreeMeter
from feedbench.bench.measured.autotune import is_tf_data
from feedbench.bench.measured.batches.batch_checks import consume
from feedbench.bench.records.measurement import Profile

_WARM_SECONDS = 0.7  # before the trace, so that AUTOTUNE has begun
_SECONDS, _LEAST_STEPS = 1.5, 8  # a trace has both ...
_MOST_SECONDS = 6.0  # ... or ends then
_MOST_FUNCTIONS = 5
STEP = "batch"
_HARNESS = "feedbench.bench."  # the consumer is not a part of the loader


def profile(batches: Iterator[Any], folder: Path) -> Profile:
    """Trace some batches into a folder, each as a step; for a Python loader its calls too.

    Raises whatever the profiler raises, such as for missing rights.
    """
    import tensorflow as tf

    by_dataset = is_tf_data(batches)
    begun = time.monotonic()
    while time.monotonic() - begun < _WARM_SECONDS:
        consume(next(batches))
    calls = None if by_dataset else Calls(tf.profiler.experimental.Trace)
    tf.profiler.experimental.start(str(folder))
    images = steps = 0
    cpu = TreeMeter(os.getpid, counts_root=True)
    cpu_before = cpu.read()
    begun = now = time.monotonic()
    with calls or nullcontext():
        while _goes_on(now - begun, steps):
            with tf.profiler.experimental.Trace(STEP, step_num=steps, _r=1):
                images += consume(next(batches))
            steps += 1
            now = time.monotonic()
    cpu_seconds = cpu.used([cpu_before, cpu.read()]).cpu_seconds
    tf.profiler.experimental.stop()
    return Profile(
        images=images,
        steps=steps,
        seconds=now - begun,
        cpu_seconds=cpu_seconds or None,
        is_tf_data=by_dataset,
        functions=calls.longest() if calls else [],
    )


def _goes_on(seconds: float, steps: int) -> bool:
    return seconds < _MOST_SECONDS and (seconds < _SECONDS or steps < _LEAST_STEPS)


class Calls:
    """Traces the calls of Python functions in this thread, and each function's own CPU time.

    TensorFlow 2.21 rejects its profiler's options ("python_tracer_level expects an i value"), so
    its own Python tracer cannot be switched on.
    """

    def __init__(self, trace: Callable[[str], AbstractContextManager[Any]]) -> None:
        self._trace = trace
        self._open: list[tuple[str, float, Any]] = []
        self._inner: list[float] = [0.0]  # for each open call, what the calls within it took
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def __enter__(self) -> Self:
        sys.setprofile(self._called)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        sys.setprofile(None)
        while self._open:
            self._ended()

    def longest(self) -> list[tuple[str, float]]:
        """Return the functions with the most own time, and these seconds."""
        functions = [item for item in self._seconds.items() if not item[0].startswith(_HARNESS)]
        return sorted(functions, key=lambda item: -item[1])[:_MOST_FUNCTIONS]

    def _called(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            self._begun(f"{frame.f_globals.get('__name__', '?')}.{frame.f_code.co_qualname}")
        elif event == "c_call":
            self._begun(_name_of(argument))
        elif self._open:  # a call that was open before the trace has no beginning here
            self._ended()

    def _begun(self, name: str) -> None:
        mark = self._trace(name)
        mark.__enter__()
        self._inner.append(0.0)
        self._open.append((name, time.thread_time(), mark))

    def _ended(self) -> None:
        name, begun, mark = self._open.pop()
        took = time.thread_time() - begun
        mark.__exit__(None, None, None)
        self._seconds[name] += took - self._inner.pop()
        self._inner[-1] += took


def _name_of(function: Any) -> str:
    owner = getattr(function, "__self__", None)
    module = getattr(function, "__module__", None)
    if module is None and owner is not None:
        module = type(owner).__module__
    return f"{module or 'builtins'}.{getattr(function, '__qualname__', function)}"
