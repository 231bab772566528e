"""How long a consumer waits from one batch to the next."""

from __future__ import annotations

from array import array

import numpy as np

from feedbench.bench.records.conditions.usage import Latency


def latency_of(arrivals: array[float], since: float) -> Latency | None:
    """Return percentiles of the intervals between arrivals from second `since` on.

    `arrivals` are ascending, in seconds. Percentiles interpolate linearly between the nearest two
    intervals: NumPy's default, type 7 of Hyndman and Fan (1996). None if fewer than two batches
    arrived.
    """
    at = np.asarray(arrivals)
    intervals = np.diff(at[at >= since])
    if intervals.size == 0:
        return None
    p50, p95, p99 = np.percentile(intervals, [50, 95, 99])
    return Latency(
        batches=intervals.size,
        p50=float(p50),
        p95=float(p95),
        p99=float(p99),
        longest=float(intervals.max()),
    )
