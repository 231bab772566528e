"""Which of the pipelines that are enough is the cheapest. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from feedbench.bench.records.demand.demand import Cost, CostName, FedRow
from feedbench.bench.records.proof import is_equal
from feedbench.bench.records.row import Row

ALIKE = 1.05
"""Costs within this factor of the lowest one count as the same: the next cost decides."""

_OF: dict[CostName, Callable[[Cost], float | None]] = {
    "cpu": lambda cost: cost.cpu_seconds_per_1000_images,
    "memory": lambda cost: cost.peak_memory_bytes,
    "disk": lambda cost: cost.written_bytes,
    "prepare": lambda cost: cost.prepare_seconds,
}


def cost_of(row: Row) -> Cost:
    """Return what a pipeline costs, by its row."""
    prepared = row.preparation
    return Cost(
        label=row.label,
        cpu_seconds_per_1000_images=row.cpu_seconds_per_1000_images,
        peak_memory_bytes=row.peak_memory_bytes,
        written_bytes=0 if prepared is None else prepared.bytes,
        prepare_seconds=0.0 if prepared is None else prepared.seconds,
    )


def enough(rows: Iterable[Row], fed: Iterable[FedRow], by: CostName) -> list[Cost]:
    """Return the costs of the pipelines for which the model does not wait, the cheapest first.

    The cheapest has the least of the cost that was chosen. Where several are within ALIKE of the
    lowest, the other costs decide among them, in the order CPU, memory, disk, preparation. An
    unknown cost is the highest. Pipelines without a proof of equal work are left out.
    """
    of_label = {row.label: row for row in rows}
    costs = [
        cost_of(of_label[each.label])
        for each in fed
        if each.verdict == "does not wait" and is_equal(of_label[each.label].proof)
    ]
    others: list[CostName] = [name for name in _OF if name != by]
    ordered = []
    while costs:
        cheapest = _cheapest(costs, [by, *others])
        ordered.append(cheapest)
        costs.remove(cheapest)
    return ordered


def _cheapest(costs: list[Cost], by: list[CostName]) -> Cost:
    """Return the first of what is left when each cost in turn has left out the dearer ones."""
    for name in by:
        lowest = min(_figure(cost, name) for cost in costs)
        costs = [cost for cost in costs if _figure(cost, name) <= ALIKE * lowest]
    return costs[0]


def _figure(cost: Cost, name: CostName) -> float:
    figure = _OF[name](cost)
    return math.inf if figure is None else figure
