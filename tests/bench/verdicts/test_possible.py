"""Rates that no pipeline can have, and rates of arrays that exist already."""

from __future__ import annotations

from typing import Any

import pytest

from feedbench.bench.records.conditions.calm import COPIED_BYTES, Speed
from feedbench.bench.records.conditions.usage import Latency
from feedbench.bench.records.diagnosis import Ceiling, Diagnosis
from feedbench.bench.verdicts.possible import (
    MOST_OF_CONSUMER,
    MOST_OF_READY,
    bytes_per_second,
    is_by_reference,
    is_possible,
    memory_speed,
    ready_rate,
)
from tests.support.builders import WORKLOAD, a_row
from tests.support.runs.calms import a_calm
from tests.support.runs.summaries import CALM, a_trial, blocks, row_of, summary_of

FAST = [2 * rate for rate in CALM]
FASTEST_LIST = 2.03  # times "ready": the most that a list of arrays had in the study


def test_the_ceiling_is_that_of_ready_batches_and_may_not_be_known() -> None:
    ceilings = [Ceiling(name="decode", rate=900.0), Ceiling(name="ready", rate=5e5)]
    assert ready_rate(Diagnosis(ceilings=ceilings)) == 5e5
    assert ready_rate(Diagnosis(ceilings=ceilings[:1])) is ready_rate(None) is None


@pytest.mark.parametrize(
    ("times", "share", "possible"),
    [
        (0.5, 0.01, True),
        (1.0, 0.9, True),
        (FASTEST_LIST, 1.0, True),
        (2 * FASTEST_LIST, 1.0, True),  # "ready" was measured while the machine was disturbed
        (MOST_OF_READY + 0.1, 0.5, False),
        (0.5, MOST_OF_CONSUMER + 0.1, False),
    ],
)
def test_a_list_of_arrays_is_possible_and_what_is_far_beyond_is_not(
    times: float, share: float, possible: bool
) -> None:
    row = a_row("mine", times * 1e6, consumer_share=share)
    assert is_possible(row, 1e6) is possible


def test_without_a_ceiling_what_feedbench_takes_itself_decides() -> None:
    assert is_possible(a_row("mine", 1e12), None)
    assert not is_possible(a_row("mine", 1e12, consumer_share=50.0), None)
    assert is_possible(a_row("mine", None), 1.0)


def test_a_rate_that_is_impossible_has_no_verdict_and_is_no_answer() -> None:
    summary = summary_of(blocks({"a": CALM, "b": FAST, "c": CALM}), "abc", ready=300)
    row = row_of(summary, "b")
    assert (row.verdict, row.withheld) == ("withheld", "rate")
    assert row.ratio == pytest.approx(2, rel=1e-3)
    assert (row_of(summary, "c").verdict, row_of(summary, "c").withheld) == ("equivalent", None)
    assert summary.best == ["a", "c"]
    assert row_of(summary_of(blocks({"a": CALM, "b": FAST}), ready=500), "b").verdict == "faster"


def test_where_the_baselines_rate_is_impossible_nothing_is_compared_with_it() -> None:
    slow = [rate // 2 for rate in CALM]
    summary = summary_of(blocks({"a": FAST, "b": CALM, "c": slow}), "abc", ready=300)
    assert [row_of(summary, label).withheld for label in "bc"] == ["baseline's rate"] * 2
    assert summary.best == ["b"]


def test_batches_that_come_faster_than_feedbench_takes_them_have_no_verdict() -> None:
    latency = Latency(batches=3_000, p50=0.001, p95=0.001, p99=0.001, longest=0.001)
    taken: dict[str, Any] = {"consumer_seconds": 0.01, "latency": latency}  # 30 s in windows of 3 s
    trials = blocks({"a": CALM})
    trials += [a_trial("b", block, rate, **taken) for block, rate in enumerate(FAST, 1)]
    assert row_of(summary_of(trials), "b").withheld == "rate"


def test_what_memory_cannot_take_is_handed_out_again() -> None:
    memory = memory_speed(a_calm(good=Speed(1e4, 600.0)))
    assert memory == 600 * COPIED_BYTES  # 20 GB/s
    assert memory_speed(None) is memory_speed(a_calm()) is None
    image_bytes = 180 * 240 * 3 * 4
    decoded, handed_out = a_row("decoded", 2_000.0), a_row("list", 8e11 / image_bytes)
    assert bytes_per_second(decoded, WORKLOAD) == 2_000 * image_bytes
    assert not is_by_reference(bytes_per_second(decoded, WORKLOAD), memory)
    assert is_by_reference(bytes_per_second(handed_out, WORKLOAD), memory)
    assert not is_by_reference(bytes_per_second(handed_out, WORKLOAD), None)
    assert not is_by_reference(bytes_per_second(a_row("failed", None), WORKLOAD), memory)
