"""The loader file of the ceilings that are feeds of Feedbench's own, measured as a user's are."""

from __future__ import annotations

from feedbench.bench.records.diagnosis import StoreProbe

_READY = "from feedbench.bench.why.ceilings.ready_feed import ready\n"
_READING = """\
from feedbench.bench.why.store.feed import Reading
from feedbench.bench.why.store.readers import Concurrency


def reading(workload):
    return Reading(workload, Concurrency({processes}, {requests}))
"""


def loader_of(probe: StoreProbe | None) -> str:
    """Return the text of a file with `ready`, and with `reading` if the images are in a store.

    It reads by the concurrency that gave the store's highest throughput.
    """
    if probe is None:
        return _READY
    return _READY + _READING.format(processes=probe.processes, requests=probe.at_once)
