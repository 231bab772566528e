"""What tests wait for: processes that end, files that are written, conditions that hold."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import psutil

T = TypeVar("T")


def alive(pids: Iterable[int]) -> list[int]:
    """Return those of the processes that are there and are no zombies."""
    found = []
    for pid in pids:
        try:
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                found.append(pid)
        except psutil.NoSuchProcess:
            continue
    return found


def gone(pids: Iterable[int], seconds: float = 10.0) -> bool:
    """Wait until none of the processes is left."""
    deadline = time.monotonic() + seconds
    while alive(pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def until(condition: Callable[[], T], seconds: float = 120.0) -> T:
    """Wait until something holds, and return what it is. Fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain"
        time.sleep(0.005)
    return found


def written(file: Path) -> list[int]:
    """Return the processes that loaders have written down."""
    return [int(line) for line in file.read_text().split()] if file.exists() else []
