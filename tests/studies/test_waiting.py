"""How exactly an emulated model waits, in real time: for pipelines of known rates."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from feedbench.bench.measured.model.emulated import EmulatedModel
from feedbench.bench.measured.model.feeder import feed
from feedbench.bench.records.pace import USUAL
from feedbench.bench.records.windows import Windows

pytestmark = pytest.mark.study

BATCH, STEP = 32, 0.03
_AT_ONCE_SECONDS = 0.005
DATA = np.zeros((BATCH, 4, 4, 3), np.float32), np.zeros(BATCH, np.int32)


def made(seconds: float, burst: int) -> Iterator[Any]:
    """Make `burst` batches at once, each of so many seconds, when asked for the first of them."""
    due = 0.0
    while True:
        now = time.monotonic()
        # What was asked for at once goes on from when the last should have been ready.
        due = (due if now - due < _AT_ONCE_SECONDS else now) + burst * seconds
        time.sleep(max(due - time.monotonic(), 0.0))
        for _ in range(burst):
            yield DATA


def buffered(batches: Iterator[Any], size: int) -> Iterator[Any]:
    ready: queue.Queue[Any] = queue.Queue(size)

    def produce() -> None:
        for batch in batches:
            ready.put(batch)

    threading.Thread(target=produce, daemon=True).start()
    while True:
        yield ready.get()


@pytest.mark.parametrize("burst", [1, 4])
@pytest.mark.parametrize("times", [0.5, 0.9, 1.1, 2.0])
def test_how_long_a_model_waits(
    times: float, burst: int, capsys: pytest.CaptureFixture[str]
) -> None:
    appetite = BATCH / STEP
    for size in (0, 2 * burst):
        batches = made(STEP / times, burst)
        model = EmulatedModel(appetite)
        source = buffered(batches, size) if size else batches
        steps = feed(source, model, Windows(8.0, USUAL))
        rate = sum(each.images for each in steps) / sum(each.seconds for each in steps)
        expected = max(0.0, 1 - times) if size else 1 / (1 + times)
        with capsys.disabled():
            print(
                f"\n{times} times the appetite, bursts of {burst}, buffer {size}:"
                f" waits {1 - rate / appetite:.2%}, by arithmetic {expected:.2%};"
                f" late {model.late_seconds:.4f} s"
            )
