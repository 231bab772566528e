"""Which pipeline is the cheapest of those that are enough."""

from __future__ import annotations

from typing import Any

from feedbench.bench.records.demand.demand import FedRow
from feedbench.bench.records.row import Row
from feedbench.bench.verdicts.demand.cheapest import enough
from tests.support.builders import a_preparation, a_proof, a_row


def a_cost(label: str, cpu: float | None, memory: int = 1000, **given: Any) -> Row:
    return a_row(
        label,
        cpu_seconds_per_1000_images=cpu,
        peak_memory_bytes=memory,
        **{"proof": a_proof("same"), **given},
    )


def fed(*rows: Row, waiting: tuple[str, ...] = ()) -> list[FedRow]:
    return [
        FedRow(label=row.label, verdict="waits" if row.label in waiting else "does not wait")
        for row in rows
    ]


def test_the_least_cpu_time_is_the_cheapest() -> None:
    rows = [a_cost("a", 2.0), a_cost("b", 1.3), a_cost("c", 9.0)]
    assert [cost.label for cost in enough(rows, fed(*rows), "cpu")] == ["b", "a", "c"]


def test_a_pipeline_for_which_the_model_waits_is_not_enough() -> None:
    rows = [a_cost("a", 2.0), a_cost("b", 1.3)]
    assert [cost.label for cost in enough(rows, fed(*rows, waiting=("b",)), "cpu")] == ["a"]


def test_another_cost_may_be_chosen() -> None:
    rows = [a_cost("a", 2.0, memory=500), a_cost("b", 1.3, memory=900)]
    assert enough(rows, fed(*rows), "memory")[0].label == "a"
    rows = [a_cost("a", 1.0, preparation=a_preparation()), a_cost("b", 2.0)]
    assert enough(rows, fed(*rows), "disk")[0].label == "b"
    assert enough(rows, fed(*rows), "prepare")[0].label == "b"


def test_costs_that_hardly_differ_leave_it_to_the_next_cost() -> None:
    rows = [a_cost("a", 1.0, memory=900), a_cost("b", 1.04, memory=500), a_cost("c", 1.2)]
    assert [cost.label for cost in enough(rows, fed(*rows), "cpu")] == ["b", "a", "c"]


def test_nothing_written_is_cheaper_than_anything_written() -> None:
    rows = [a_cost("a", 1.0, preparation=a_preparation()), a_cost("b", 1.0)]
    assert [cost.label for cost in enough(rows, fed(*rows), "cpu")] == ["b", "a"]


def test_an_unknown_cost_is_the_highest() -> None:
    rows = [a_cost("a", None), a_cost("b", 5.0)]
    assert [cost.label for cost in enough(rows, fed(*rows), "cpu")] == ["b", "a"]


def test_other_work_is_never_enough() -> None:
    rows = [a_cost("a", 1.0, proof=a_proof("different")), a_cost("b", 5.0, proof=None)]
    assert enough(rows, fed(*rows), "cpu") == []
