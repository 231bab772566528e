"""Whether a rate is possible on this machine, and whether it can be that of new batches. Pure.

Feedbench reads a value of each page of every batch, and no pipeline is faster than that. The
fastest honest one hands out the same arrays again. On the machine of the studies, a list of NumPy
arrays had 1.3 to 2.03 times the rate of the ceiling "ready", whose batches are tensors, in eleven
workloads.
"""

from __future__ import annotations

from feedbench.bench.records.conditions.calm import COPIED_BYTES, Calm
from feedbench.bench.records.diagnosis import Diagnosis
from feedbench.bench.records.row import Row
from feedbench.bench.records.run import WorkloadRecord
from feedbench.pipelines.forms import DTYPE_BYTES

MOST_OF_READY = 5.0
"""Times the ceiling "ready": a single short trial measures that, which may be disturbed."""

MOST_OF_CONSUMER = 2.0
"""Times the windows' time: what taking and checking their batches takes, measured afterwards."""

# Copying in a core's own cache is a few times as fast as in memory, so smaller batches may be new.
_CACHES = 4.0


def ready_rate(diagnosis: Diagnosis | None) -> float | None:
    """Return the rate of batches that are ready in memory, in images/s; None if not measured."""
    ceilings = [] if diagnosis is None else diagnosis.ceilings
    return next((ceiling.rate for ceiling in ceilings if ceiling.name == "ready"), None)


def is_possible(row: Row, ready: float | None) -> bool:
    """Return whether a pipeline can have a row's rate; `ready` is the ceiling in images/s."""
    if (row.consumer_share or 0.0) > MOST_OF_CONSUMER:
        return False
    return row.rate is None or ready is None or row.rate <= MOST_OF_READY * ready


def bytes_per_second(row: Row, work: WorkloadRecord) -> float | None:
    """Return the bytes of images that a pipeline delivers per second; None without a rate."""
    if row.rate is None:
        return None
    return row.rate * work.height * work.width * work.channels * DTYPE_BYTES[work.dtype]


def memory_speed(calm: Calm | None) -> float | None:
    """Return the bytes per second that all cores copy from memory to memory; None if not known."""
    return None if calm is None or calm.good is None else calm.good.copied * COPIED_BYTES


def is_by_reference(delivered: float | None, memory: float | None) -> bool:
    """Return whether these bytes per second are too many to be written: the arrays exist already.

    `memory` is the speed of copying in memory, in bytes per second.
    """
    return delivered is not None and memory is not None and delivered > _CACHES * memory
