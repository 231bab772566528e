"""Cores for workers, as a knob writes them."""

from __future__ import annotations

import os
from collections.abc import Sequence

from feedbench.pipelines.errors import RequestError


def listed_cores(text: str) -> tuple[int, ...]:
    """Return the cores of a text such as 0-3 or 0+2, in its order.

    Raises RequestError for a range that has none.
    """
    cores: list[int] = []
    for part in text.split("+"):
        first, _, last = part.partition("-")
        cores += range(int(first), int(last or first) + 1)
    if not cores:
        raise RequestError(f"cores={text}: expected the lower core first, such as 0-3")
    return tuple(cores)


def refuse_cores(cores: Sequence[int]) -> None:
    """Raise RequestError if this process may not use one of these cores."""
    usable = sorted(os.sched_getaffinity(0))
    for core in cores:
        if core not in usable:
            raise RequestError(
                f"cores: expected some of {', '.join(map(str, usable))}; found {core}",
                hint="use cores that this machine has, and that this process may use",
            )
