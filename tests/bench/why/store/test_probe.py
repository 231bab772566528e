"""The store's throughput: as many requests at once as raise it, and no more."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from feedbench.bench.why.store.probe import Throughput, highest
from feedbench.bench.why.store.readers import Concurrency


def claimed(rate: Callable[[int, int], float]) -> tuple[list[tuple[int, int]], Throughput]:
    """What is measured of a store that has this rate by processes and requests, and the result."""
    measured: list[tuple[int, int]] = []

    def measure(given: Concurrency) -> Throughput:
        measured.append((given.processes, given.requests))
        return Throughput(given, round(1000 * rate(*measured[-1])), 1, 1000.0)

    return measured, highest(measure, most_processes=8)


def by_latency(processes: int, requests: int) -> float:
    """Each request takes 0.2 s, and no core limits it."""
    return processes * requests / 0.2


def test_a_store_that_answers_late_is_asked_by_as_many_requests_as_there_may_be() -> None:
    measured, best = claimed(by_latency)
    assert measured == [(1, 16), (1, 32), (1, 64), (2, 64), (4, 64), (8, 64)]
    assert best.concurrency == Concurrency(8, 64)
    assert best.rate == pytest.approx(2560)


def test_more_requests_of_a_process_that_is_busy_are_not_tried() -> None:
    measured, best = claimed(lambda processes, _: 300.0 * min(processes, 2))
    assert measured == [(1, 16), (1, 32), (2, 16), (4, 16)]
    assert best.concurrency == Concurrency(2, 16)


def test_the_highest_rate_counts_even_where_it_gains_little() -> None:
    measured, best = claimed(lambda processes, requests: 300 + 0.1 * requests - processes)
    assert measured == [(1, 16), (1, 32), (2, 32)]
    assert best.concurrency == Concurrency(1, 32)
