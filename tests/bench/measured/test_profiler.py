"""The calls of Python's functions, traced by a trace that only counts."""

from __future__ import annotations

import sys
import time
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

import pytest

from feedbench.bench.measured.profiler import Calls


class Marks:
    """A trace that knows which marks are open."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.open = 0

    def __call__(self, name: str) -> AbstractContextManager[Any]:
        self.names.append(name)
        return _Mark(self)


class _Mark:
    def __init__(self, marks: Marks) -> None:
        self._marks = marks

    def __enter__(self) -> None:
        self._marks.open += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        self._marks.open -= 1


def burn(seconds: float) -> None:
    """Take so much CPU time, however busy the machine is."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def outer() -> None:
    burn(0.02)


@pytest.mark.alone
def test_each_function_has_the_time_of_its_own() -> None:
    marks = Marks()
    with Calls(marks) as calls:
        outer()
        time.sleep(0.05)
    seconds = dict(calls.longest())
    assert seconds.get("time.sleep", 0.0) < 0.02  # to wait is no work
    assert seconds[f"{__name__}.burn"] + seconds["time.thread_time"] >= 0.015
    assert seconds.get(f"{__name__}.outer", 0.0) < 0.015
    assert {"time.sleep", f"{__name__}.burn", f"{__name__}.outer"} <= set(marks.names)


def test_every_mark_is_closed_and_nothing_is_traced_afterwards() -> None:
    marks = Marks()
    with pytest.raises(ValueError, match="gone"), Calls(marks):
        raise ValueError("gone")
    count = len(marks.names)
    outer()
    assert sys.getprofile() is None
    assert (marks.open, len(marks.names)) == (0, count)
