"""How long a store takes to answer, and how many files it sends: what no pipeline can change."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec
import numpy as np

from feedbench.bench.machine.cores import usable_cores
from feedbench.bench.records.diagnosis import StoreProbe
from feedbench.bench.why.store.readers import Concurrency, Readers
from feedbench.pipelines.remote.file_systems import CONNECTIONS
from feedbench.pipelines.remote.reading import first_bytes

_ASKED = 32  # one after another
_LATENCY_SECONDS = 3.0  # at most
_COUNTED_SECONDS = 1.0  # of each concurrency, once its connections are open
_FEWEST = 16  # requests of a process
_GAIN = 1.05  # of a rate, by which more requests must raise it

PROBE_SECONDS = 15.0
"""What a probe takes, roughly: longer if more processes than two still raise the rate."""


class Throughput(msgspec.Struct, frozen=True):
    """What so many requests at once gave."""

    concurrency: Concurrency
    files: int
    bytes: int
    seconds: float

    @property
    def rate(self) -> float:
        """Files per second."""
        return self.files / self.seconds


def probe(files: Sequence[str]) -> StoreProbe:
    """Measure a store by some of its files, for some seconds.

    First the time until the first byte of a file is there, one request after another. Then the
    bytes per second of whole files, by as many requests at once as raise it. Raises OSError.
    """
    first_bytes(files[0], 1)  # connects
    latencies = []
    ends_at = time.monotonic() + _LATENCY_SECONDS
    for file in files[:: max(len(files) // _ASKED, 1)][:_ASKED]:
        begun = time.monotonic()
        first_bytes(file, 1)
        latencies.append(time.monotonic() - begun)
        if time.monotonic() > ends_at:
            break
    cores = max(math.ceil(usable_cores()), 1)
    best = highest(lambda concurrency: throughput(files, concurrency), cores)
    return StoreProbe(
        requests=len(latencies),
        latency_ms=1000 * float(np.median(latencies)),
        slow_ms=1000 * float(np.quantile(latencies, 0.9)),
        processes=best.concurrency.processes,
        at_once=best.concurrency.requests,
        files=best.files,
        bytes_per_second=best.bytes / best.seconds,
        files_per_second=best.rate,
    )


def highest(measure: Callable[[Concurrency], Throughput], most_processes: int) -> Throughput:
    """Return the highest throughput. More requests are tried as long as they raise it.

    First those of one process, until its client allows no more connections. Then twice as many
    processes each time, up to `most_processes`.
    """
    best = measure(Concurrency(1, _FEWEST))

    def climb(concurrencies: Iterable[Concurrency]) -> None:
        nonlocal best
        for more in concurrencies:
            tried, before = measure(more), best.rate
            best = max(best, tried, key=lambda each: each.rate)
            if tried.rate <= _GAIN * before:
                return

    climb(Concurrency(1, requests) for requests in _doubled(_FEWEST, CONNECTIONS))
    requests = best.concurrency.requests
    climb(Concurrency(processes, requests) for processes in _doubled(1, most_processes))
    return best


def _doubled(number: int, most: int) -> Iterator[int]:
    """Yield twice a number, and so on, up to `most`."""
    while (number := 2 * number) <= most:
        yield number


def throughput(files: Sequence[str], concurrency: Concurrency) -> Throughput:
    """Read files by so many requests at once, for a second after their connections are open."""
    with Readers(files, concurrency) as readers:
        readers.warm_up()
        sizes: list[int] = []
        begun = now = time.monotonic()
        while now - begun < _COUNTED_SECONDS:
            sizes += readers.take(_COUNTED_SECONDS - (now - begun))
            now = time.monotonic()
        return Throughput(readers.concurrency, len(sizes), sum(sizes), now - begun)
