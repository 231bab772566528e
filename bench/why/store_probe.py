"""How long a store takes to answer, and how many bytes it sends: what no pipeline can change."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from feedbench.bench.records.diagnosis import StoreProbe
from feedbench.pipelines.remote.file_systems import CONNECTIONS
from feedbench.pipelines.remote.reading import first_bytes, read

_ASKED = 32  # one after another
_SECONDS = 3.0  # at most, for each of the two parts
PROBE_SECONDS = 2 * _SECONDS


def probe(files: Sequence[str]) -> StoreProbe:
    """Measure a store by some of its files, for a few seconds.

    First the time until the first byte of a file is there, one request after another. Then the
    bytes per second of whole files, with CONNECTIONS requests at once. Raises OSError.
    """
    first_bytes(files[0], 1)  # connects
    latencies = []
    ends_at = time.monotonic() + _SECONDS
    for file in files[:: max(len(files) // _ASKED, 1)][:_ASKED]:
        begun = time.monotonic()
        first_bytes(file, 1)
        latencies.append(time.monotonic() - begun)
        if time.monotonic() > ends_at:
            break
    count, total, seconds = _throughput(files)
    return StoreProbe(
        requests=len(latencies),
        latency_ms=1000 * float(np.median(latencies)),
        slow_ms=1000 * float(np.quantile(latencies, 0.9)),
        at_once=CONNECTIONS,
        files=count,
        bytes_per_second=total / seconds,
    )


def _throughput(files: Sequence[str]) -> tuple[int, int, float]:
    """Return how many files were read at once in a few seconds, their bytes, and the seconds."""
    begun = time.monotonic()
    ends_at = begun + _SECONDS

    def size(file: str) -> int | None:
        return len(read(file)) if time.monotonic() < ends_at else None

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        sizes = [each for each in pool.map(size, files) if each is not None]
    return len(sizes), sum(sizes), time.monotonic() - begun
