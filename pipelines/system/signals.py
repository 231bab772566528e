"""Signals and orphans: no process outlives its run, and none is interrupted halfway."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1)
"""The signals that end a command: Ctrl-C, and those of a job scheduler and of a lost terminal."""

CTRL_C = 128 + signal.SIGINT
"""The exit code of a command that Ctrl-C ended, as in a shell."""

LOST_EXIT_CODE = 75
"""Of a trial that ended itself, as a process that it needs was lost: EX_TEMPFAIL of sysexits.h."""

_AT_ONCE_SECONDS = 1.0  # signals within this time are one: they may come in pairs
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_PTRACER, _ANY = 0x59616D61, -1


def signal_at_parent_death(signal_number: int) -> None:
    """Let Linux send this process a signal when its parent dies in any way; 0 turns it off."""
    _prctl(_PR_SET_PDEATHSIG, signal_number)


def die_with(parent: int) -> None:
    """Let Linux kill this worker when its parent ends, even by a signal that cannot be caught."""
    signal_at_parent_death(signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the line above
        os._exit(1)


def adopt_orphans() -> None:
    """Make this process, on Linux, the parent of all descendants whose own parent dies."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def allow_tracing() -> None:
    """Let processes of this user trace this one, where the kernel's Yama would allow only parents.

    It has no effect on the processes that this one starts.
    """
    _prctl(_PR_SET_PTRACER, _ANY)


@contextmanager
def interrupts_held(*signals: signal.Signals) -> Iterator[None]:
    """Delay Ctrl-C, and other `signals`, until the end of the block.

    Processes forked within the block never get them. It uses a handler, not a signal mask: a
    thread of NumPy's BLAS would receive a signal that is masked here. Use it in the main thread.
    """
    held: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: held.append(number))
        for number in {signal.SIGINT: 0, **dict.fromkeys(signals)}
    }
    try:
        yield
    finally:
        _restore(before)
        if held:
            signal.raise_signal(held[0])


class Interrupts:
    """Turns the signals that end a command into KeyboardInterrupt; those at once are one."""

    def __init__(self) -> None:
        self._last: float | None = None  # CLOCK_MONOTONIC
        self.exit_code: int = CTRL_C
        """128 + the number of the last signal, as in a shell: 130 for Ctrl-C, 143 for SIGTERM."""

    @property
    def came(self) -> bool:
        """Whether there was one."""
        return self._last is not None

    def install(self) -> None:
        """Take the signals from now on, except those that are ignored, as by nohup."""
        for number in ENDING:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._take)

    def _take(self, number: int, _: object) -> None:
        now = time.monotonic()
        if self._last is None or now - self._last > _AT_ONCE_SECONDS:
            self._last, self.exit_code = now, 128 + number
            raise KeyboardInterrupt


class Postponed:
    """Notes that a signal came that would end the command. Only a second one interrupts."""

    def __init__(self) -> None:
        self._first: float | None = None  # CLOCK_MONOTONIC
        self._before: dict[signal.Signals, Any] = {}
        self.exit_code: int = CTRL_C
        """128 + the number of the first signal."""

    def __enter__(self) -> Self:
        for number in ENDING:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._take)
        return self

    def __exit__(self, *_: object) -> None:
        _restore(self._before)

    @property
    def came(self) -> bool:
        """Whether there was one."""
        return self._first is not None

    def _take(self, number: int, _: object) -> None:
        now = time.monotonic()
        if self._first is None:
            self._first, self.exit_code = now, 128 + number
        elif now - self._first > _AT_ONCE_SECONDS:
            raise KeyboardInterrupt


class Gate:
    """Once shut, it ignores what ends a command until the end of its context, which is near."""

    def __init__(self) -> None:
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        _restore(self._before)

    def shut(self) -> None:
        """Ignore them from now on."""
        for number in ENDING:
            self._before.setdefault(number, signal.signal(number, signal.SIG_IGN))


def ignore_endings() -> None:
    """Ignore the signals that end a command: it ends, and its exit code is decided."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)


def _restore(before: Mapping[signal.Signals, Any]) -> None:
    for number, handler in reversed([*before.items()]):  # SIGINT last: it may come at once
        signal.signal(number, handler)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, ctypes.c_ulong(value), 0, 0, 0)
