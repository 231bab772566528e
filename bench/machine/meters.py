"""A trial's resources besides time, which the parent reads from outside at the windows' edges.

Every meter has the same interface: `read()` takes a reading, and `used()` sums up several.
Neither raises: a figure that the system does not provide is missing from the result of `used()`.

The parent shares the cores with the trial, so an edge must cost little: it takes 2 to 3 ms here
without a GPU, less than a 300th of the shortest window.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Sequence
from typing import Self

import msgspec

from feedbench.bench.machine.cores import usable_cores
from feedbench.bench.machine.gpu import GpuMeter, GpuReading
from feedbench.bench.machine.other_programs import user_seconds, watched_cores
from feedbench.bench.machine.process_tree import Snapshot, TreeMeter
from feedbench.bench.records.conditions.usage import NoGpu, Usage
from feedbench.bench.records.messages import Edge, Event, Phase
from feedbench.bench.records.windows import Window, counted, counted_from

_LEAST_SPAN = 0.5  # of the windows' time: readings that are nearer together were taken late


class Meters:
    """The meters of a run. Opens NVML once, and closes it at the end of the context."""

    def __init__(self, gpus: GpuMeter | None = None) -> None:
        self._gpus = GpuMeter() if gpus is None else gpus

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._gpus.close()

    @property
    def have_gpu(self) -> bool:
        """Whether there is a GPU that TensorFlow may use."""
        hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
        return not isinstance(self._gpus.read(), str) and hidden not in {"", "-1"}

    def of_trial(
        self, forkserver: Callable[[], int | None], pinned: Collection[int] = ()
    ) -> Recorder:
        """Return a recorder for one trial; `forkserver` returns the root of its processes.

        `pinned` are the cores that its processes are limited to; (): all that this one may use.
        """
        return Recorder(TreeMeter(forkserver), self._gpus, len(pinned))


class _Reading(msgspec.Struct, frozen=True):
    at: float  # CLOCK_MONOTONIC
    tree: Snapshot | None
    user_seconds: float | None  # of all programs
    gpus: list[GpuReading] | NoGpu


class Recorder:
    """Reads the meters at each edge of one trial."""

    def __init__(self, tree: TreeMeter, gpus: GpuMeter, pinned: int = 0) -> None:
        self._pinned = pinned  # cores; 0: it is not pinned
        self._tree = tree
        self._gpus = gpus
        self._cores = watched_cores()
        self._readings: list[_Reading] = []
        self._first_epoch: list[Snapshot | None] = []  # at its beginning and its end

    def take(self, event: Event) -> None:
        """Read at an edge, and at both ends of the first epoch; ignore other events."""
        if isinstance(event, Edge):
            now, tree = time.monotonic(), self._tree.read()
            self._readings.append(_Reading(now, tree, user_seconds(self._cores), self._gpus.read()))
        elif isinstance(event, Phase) and event.name in {"open", "first epoch"}:
            self._first_epoch.append(self._tree.read())

    def first_epoch_read_bytes(self) -> int | None:
        """Return the bytes that the first epoch read from devices; None if unknown."""
        if len(self._first_epoch) != 2:  # noqa: PLR2004 - its two ends
            return None
        return self._tree.used(self._first_epoch).read_bytes

    def usage(self, windows: list[Window]) -> Usage | None:
        """Return the usage in the windows that count; None unless every edge has a reading.

        CPU time and traffic are not available if this process was so late, on a busy machine, that
        its readings say little of the windows.
        """
        if not windows or len(self._readings) != len(windows) + 1:
            return None
        readings = self._readings[counted_from(windows) :]
        seconds = readings[-1].at - readings[0].at
        is_late = seconds < _LEAST_SPAN * sum(window.seconds for window in counted(windows))
        trees = [] if is_late else [reading.tree for reading in readings]
        tree = self._tree.used(trees)
        return Usage(
            seconds=seconds,
            cores=usable_cores(),
            pinned=self._pinned,
            cpu_seconds=tree.cpu_seconds,
            main_cpu_seconds=tree.main_cpu_seconds,
            others_cpu_seconds=_of_others(readings, tree.user_seconds),
            read_bytes=tree.read_bytes,
            written_bytes=tree.written_bytes,
            gpus=self._gpus.used([reading.gpus for reading in readings]),
        )


def _of_others(readings: Sequence[_Reading], tree_seconds: float | None) -> float | None:
    first, last = readings[0].user_seconds, readings[-1].user_seconds
    if tree_seconds is None or first is None or last is None:
        return None
    return max(last - first - tree_seconds, 0.0)
