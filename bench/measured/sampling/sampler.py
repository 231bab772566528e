"""Samples the stacks of a measured process and its workers with py-spy, as their own child."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from feedbench.bench.machine.process_tree import TreeMeter
from feedbench.bench.measured.batches.batch_checks import consume
from feedbench.bench.records.measurement import Profile
from feedbench.pipelines.errors import FeedbenchError
from feedbench.pipelines.system.signals import allow_tracing

STACKS = "stacks.txt"
"""The samples, in the folder of the trace: py-spy's raw format, which flame graphs are made of."""

_WARM_SECONDS = 0.7
_CPU_SECONDS = 1.5  # the time in which CPU time is measured, without the sampler
_SAMPLED_SECONDS, _RATE = 3, 100  # samples a second, of each thread
_LIMIT_SECONDS = 30.0  # for py-spy to end: it reads the symbols of all libraries first
_REMEDY = (
    "it must be allowed to trace processes: in a container by --cap-add SYS_PTRACE, elsewhere by"
    " sysctl kernel.yama.ptrace_scope=1"
)


def be_sampled() -> None:
    """Let this process, and those that it forks from now on, be sampled by a child of its own."""
    allow_tracing()
    os.register_at_fork(after_in_child=allow_tracing)


def sample(batches: Iterator[Any], folder: Path, program: str) -> Profile:
    """Write samples of the stacks into a folder while batches are delivered.

    `program` is py-spy. CPU time is measured before that: each sample stops the process for a
    moment. Raises FeedbenchError if py-spy ends without samples.
    """
    _deliver(batches, _until(_WARM_SECONDS))
    cpu = TreeMeter(os.getpid, counts_root=True)
    threads = _PythonThreads()
    before, process_before, begun = cpu.read(), time.process_time(), time.monotonic()
    images, steps = _deliver(batches, _until(_CPU_SECONDS), threads.look)
    seconds = time.monotonic() - begun
    native_seconds = time.process_time() - process_before - threads.seconds
    cpu_seconds = cpu.used([before, cpu.read()]).cpu_seconds
    folder.mkdir(parents=True, exist_ok=True)
    # Without the stacks of C, where it cannot read them.
    if not _sampled(batches, folder, [program, *_words(folder), "--native"]):
        log = folder / "py-spy.log"
        if not _sampled(batches, folder, [program, *_words(folder)]):
            why = log.read_text(errors="replace").strip().splitlines()
            raise FeedbenchError(
                f"py-spy took no samples ({why[0] if why else 'it printed nothing'})", hint=_REMEDY
            )
    return Profile(
        images=images,
        steps=steps,
        seconds=seconds,
        cpu_seconds=cpu_seconds or None,
        is_tf_data=False,
        native_seconds=max(native_seconds, 0.0),
    )


def _words(folder: Path) -> list[str]:
    return [
        *("record", "--pid", str(os.getpid()), "--subprocesses", "--format", "raw"),
        *("--duration", str(_SAMPLED_SECONDS), "--rate", str(_RATE)),
        *("--output", str(folder / STACKS)),
    ]


def _sampled(batches: Iterator[Any], folder: Path, command: list[str]) -> bool:
    """Deliver batches until py-spy has ended, and return whether it wrote samples."""
    with (folder / "py-spy.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    late = _until(_LIMIT_SECONDS)
    try:
        _deliver(batches, lambda: process.poll() is not None or late())
    finally:
        process.kill()
        process.wait()
    stacks = folder / STACKS
    return process.returncode == 0 and stacks.exists() and stacks.stat().st_size > 0


def _until(seconds: float) -> Callable[[], bool]:
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end


def _deliver(
    batches: Iterator[Any], is_over: Callable[[], bool], look: Callable[[], object] = lambda: None
) -> tuple[int, int]:
    """Take batches until it is over; return how many images and batches there were."""
    images = steps = 0
    while not is_over():
        images += consume(next(batches))
        steps += 1
        look()
    look()
    return images, steps


class _PythonThreads:
    """The CPU time of the threads of this process that Python knows; others are of C and C++."""

    def __init__(self) -> None:
        self._first = {thread: _cpu_of(thread) for thread in threading.enumerate()}
        self._latest = dict(self._first)

    def look(self) -> None:
        """Read the clocks of all threads: one that ends takes its clock with it."""
        for thread in threading.enumerate():
            self._latest[thread] = max(_cpu_of(thread), self._latest.get(thread, 0.0))

    @property
    def seconds(self) -> float:
        """What they used since the beginning."""
        return sum(at - self._first.get(thread, 0.0) for thread, at in self._latest.items())


def _cpu_of(thread: threading.Thread) -> float:
    try:
        assert thread.ident is not None
        return time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
    except (OSError, AssertionError):  # it ended just now, or has not begun
        return 0.0
