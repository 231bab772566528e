"""How many examples a test has: few in the quick tests, many under the marker `faults`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

T = TypeVar("T")


def amounts(few: int, many: int) -> pytest.MarkDecorator:
    """Run a test with a few `examples`, and with many where faults are looked for."""
    counts = [
        pytest.param(few, marks=pytest.mark.thorough),
        pytest.param(many, marks=pytest.mark.faults),
    ]
    return pytest.mark.parametrize("examples", counts)


def try_all(strategy: st.SearchStrategy[T], examples: int, check: Callable[[T], object]) -> None:
    """Check this many examples. Few are always the same; many are other ones each time."""

    @settings(
        max_examples=examples,
        derandomize=examples < 200,  # what a quick test checks does not change from run to run
        database=None,
        suppress_health_check=[*HealthCheck],
    )
    @given(strategy)
    def check_one(example: T) -> None:
        check(example)

    check_one()
