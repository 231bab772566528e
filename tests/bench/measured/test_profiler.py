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
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def outer() -> None:
    burn(0.02)


def test_each_function_has_the_time_of_its_own() -> None:
    marks = Marks()
    with Calls(marks) as calls:
        outer()
        time.sleep(0.05)
    found = dict(calls.longest())
    assert found.get("time.sleep", 0.0) < 0.02  # to wait is no work
    own = sum(seconds for name, seconds in found.items() if "burn" in name or "perf" in name)
    assert own >= 0.015
    assert found.get(f"{__name__}.outer", 0.0) < 0.015
    assert {"time.sleep", f"{__name__}.burn", f"{__name__}.outer"} <= set(marks.names)


def test_every_mark_is_closed_and_nothing_is_traced_afterwards() -> None:
    marks = Marks()
    with pytest.raises(ValueError, match="gone"), Calls(marks):
        raise ValueError("gone")
    count = len(marks.names)
    outer()
    assert sys.getprofile() is None
    assert (marks.open, len(marks.names)) == (0, count)
