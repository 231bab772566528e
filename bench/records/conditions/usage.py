"""A pipeline's resources besides time: the figures that the meters read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

Missing = Literal["not available", "not supported"]
"""Why a figure is missing: the system does not provide it, or the device has no such sensor."""

Figure = float | Missing

NoGpu = Literal["no GPU", "not available"]
"""There is no GPU, or its driver does not answer."""


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds between one batch's arrival and the next one's, in the windows that count."""

    batches: int
    p50: float
    p95: float
    p99: float
    longest: float


class GpuUsage(msgspec.Struct, frozen=True, kw_only=True):
    """One GPU, read at the windows' edges; each figure is a number or says why it is missing."""

    name: str
    utilisation: Figure  # mean; the share of time in which a kernel was active, 0 to 1
    memory_bytes: Figure  # the most in use on the device, by all programs
    watts: Figure  # mean


def combined(how: Callable[[list[float]], float], figures: Sequence[Figure]) -> Figure:
    """Return one figure for several, such as their mean; missing if one of them is missing."""
    values: list[float] = []
    for figure in figures:
        if isinstance(figure, str):
            return figure
        values.append(figure)
    return how(values)


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What a trial's whole process tree used in the windows that count; null: not available."""

    seconds: float  # between the readings at the first and at the last edge
    cores: float  # that Feedbench could use: by affinity and by the cgroup's quota
    pinned: int = 0  # of these, that the trial was limited to; 0: it was not
    cpu_seconds: float | None = None  # children that have ended included
    main_cpu_seconds: float | None = None  # of these, the trial's own process, which takes batches
    others_cpu_seconds: float | None = None  # of other programs, on the same cores
    read_bytes: int | None = None  # from the device, not from the page cache
    written_bytes: int | None = None  # to the device, sooner or later
    gpus: list[GpuUsage] | NoGpu = "no GPU"

    @property
    def trial_cores(self) -> float:
        """The cores that the trial could use."""
        return min(self.pinned or self.cores, self.cores)

    @property
    def others_share(self) -> float | None:
        """The share of the cores that other programs used, 0 to 1."""
        if self.others_cpu_seconds is None or self.seconds <= 0:
            return None
        return self.others_cpu_seconds / (self.seconds * self.cores)
