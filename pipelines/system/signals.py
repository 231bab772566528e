"""Signals and orphans: no process outlives its run, and none is interrupted halfway."""

from __future__ import annotations

import ctypes
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_PR_SET_CHILD_SUBREAPER = 36


def signal_at_parent_death(signal_number: int) -> None:
    """Let Linux send this process a signal when its parent dies in any way; 0 turns it off."""
    _prctl(_PR_SET_PDEATHSIG, signal_number)


def adopt_orphans() -> None:
    """Make this process, on Linux, the parent of all descendants whose own parent dies."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


@contextmanager
def interrupts_held(*signals: signal.Signals) -> Iterator[None]:
    """Delay Ctrl-C, and other `signals`, until the end of the block.

    Processes forked within the block never get them. It uses a handler, not a signal mask: a
    thread of NumPy's BLAS would receive a signal that is masked here. Use it in the main thread.
    """
    held: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: held.append(number))
        for number in (signal.SIGINT, *signals)
    }
    try:
        yield
    finally:
        _restore(before)
        if held:
            signal.raise_signal(held[0])


class Gate:
    """Once shut, it ignores Ctrl-C and SIGTERM until the end of its context, which is near."""

    def __init__(self) -> None:
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        _restore(self._before)

    def shut(self) -> None:
        """Ignore them from now on."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before.setdefault(number, signal.signal(number, signal.SIG_IGN))


def _restore(before: Mapping[signal.Signals, Any]) -> None:
    for number, handler in reversed([*before.items()]):  # SIGINT last: it may come at once
        signal.signal(number, handler)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
