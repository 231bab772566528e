from __future__ import annotations

import time
from array import array

import numpy as np
import pytest

from feedbench.bench.measured.batches.batch_checks import consume
from feedbench.bench.measured.consumer import Consumer, consumer_seconds
from feedbench.bench.records.windows import Windows
from feedbench.pipelines.errors import WrongWorkError
from tests.support.pipelines.claimed_feeds import a_workload

BATCH = (np.zeros((8, 4, 4, 3), np.float32), np.zeros(8, np.int32))


class Slow:
    """Images that take five milliseconds to become an array."""

    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        time.sleep(0.005)
        return BATCH[0]


def test_it_notes_when_each_batch_came_and_tells_the_edges() -> None:
    now = iter(range(100))
    arrivals, edges = array("d"), list[float]()
    consumer = Consumer(consume, 16, Windows(), arrivals, edges.append, lambda: float(next(now)))
    ends = [consumer.take(BATCH) for _ in range(9)]
    assert list(arrivals) == [float(second) for second in range(9)]
    assert edges == [0.0, 4.0, 8.0]  # 4 batches in 4 s are a window
    assert ends == [True, *[False] * 3, True, *[False] * 3, True]


def test_it_refuses_a_batch_over_the_end_of_an_epoch() -> None:
    consumer = Consumer(consume, 12, Windows(), array("d"), lambda _: None)
    consumer.take(BATCH)
    with pytest.raises(WrongWorkError, match="two epochs of 12"):
        consumer.take(BATCH)


@pytest.mark.alone
def test_its_cost_is_that_of_one_batch_and_soon_known_however_much_it_is() -> None:
    assert 0 < consumer_seconds(BATCH, a_workload(8)) < 0.001
    begun = time.monotonic()
    assert 0.005 <= consumer_seconds((Slow(), BATCH[1]), a_workload(8)) < 0.05
    assert time.monotonic() - begun < 1
