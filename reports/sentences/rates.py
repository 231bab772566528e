"""Rates that no pipeline can have, and those of arrays that exist already, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from feedbench.bench.text import digits, size
from feedbench.bench.verdicts.possible import (
    bytes_per_second,
    is_by_reference,
    is_possible,
    memory_speed,
    ready_rate,
)

if TYPE_CHECKING:
    from feedbench.bench.records.row import Row
    from feedbench.bench.records.run import RunRecord


def impossible(row: Row, run: RunRecord) -> Iterator[str]:
    """Yield that a rate is impossible, and that a pipeline has no verdict because of one."""
    ready, baseline = ready_rate(run.diagnosis), run.rows[0].label
    if row.withheld == "baseline's rate":
        yield f"{row.label} has no verdict: no pipeline can be as fast as {baseline} seems to be."
    if row.rate is None or is_possible(row, ready):
        return
    if ready is not None and row.rate > ready:
        measure = f"{digits(row.rate / ready)} times the rate of batches that are ready in memory"
    else:
        measure = f"{digits(row.consumer_share or 0.0)} times what Feedbench itself can take"
    yield (
        f"{row.label} cannot be this fast: its rate is {measure}. So what was timed is in doubt,"
        " and the rate is not compared."
    )


def by_reference(row: Row, run: RunRecord) -> Iterator[str]:
    """Yield that a pipeline hands out arrays that exist already, if its rate shows this."""
    delivered, memory = bytes_per_second(row, run.workload), memory_speed(run.calm)
    if delivered is None or memory is None or not is_possible(row, ready_rate(run.diagnosis)):
        return
    if is_by_reference(delivered, memory):
        yield (
            f"{row.label} hands out the same arrays again: nothing is read or written. It delivers"
            f" {size(delivered)}/s, and this machine's memory can take about {size(memory)}/s. No"
            " model can read the images that fast."
        )
