"""The machine's speed, probed while no pipeline is open.

The kernel's counters miss what a neighbour on the same hardware takes. In one episode, one of two
cores was unavailable for seconds: the counter of stolen time did not move, and this probe read 0.5.
"""

from __future__ import annotations

import hashlib
import os
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec
import numpy as np

from feedbench.bench.machine.cores import usable_cores
from feedbench.bench.records.conditions.calm import COPIED_BYTES, Share, Speed, is_low
from feedbench.bench.records.pace import USUAL, Pace
from feedbench.pipelines.system.memory import available_bytes
from feedbench.pipelines.system.signals import interrupts_held

_TOGETHER_SECONDS = 10.0  # for all threads to have begun
CALIBRATION_PROBES = 15
_HASHED = bytes(1 << 16)  # far more than the 2,047 bytes from which hashlib lets go of the GIL
# Copying must reach the memory, past every cache. Up to 16 cores each copies 32 MiB. More cores
# share 1 GiB, both ways, which still exceeds their caches; held throughout a run, 32 MiB each would
# be 8 GB at 128 cores. Scarce memory is left to the pipelines.
_MOST_BYTES = 1 << 25  # of a core, each way
_TOGETHER_BYTES = 1 << 30  # of all cores, both ways
_MOST_SHARE = 1 / 16  # of the available memory, for all cores
_A_PAGE = 1 << 12
_DEVIATIONS = 4.0  # of the calibration's own probes: hashing is not low within these
_TO_DEVIATION = 1.4826  # a normal distribution's median absolute deviation to its standard one


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """The reference speed, and the share of it below which a machine is slow.

    Frozen before the first block.
    """

    good: Speed
    low: Share

    def of(self, speed: Speed) -> Share:
        """Return a speed as shares of the reference speed."""
        return Share(speed.hashed / self.good.hashed, speed.copied / self.good.copied)

    def is_low(self, share: Share) -> bool:
        """Return whether a machine at this share of the reference speed is disturbed."""
        return is_low(share, self.low)


def level_of(probes: Sequence[Speed], pace: Pace = USUAL) -> Level:
    """Return the reference speed from these probes: the median of their faster half.

    The faster half, since a disturbance always slows a machine. With a reference speed that is too
    low, every trial would look undisturbed.
    """
    hashed = _better_half([probe.hashed for probe in probes])
    copied = _better_half([probe.copied for probe in probes])
    good = Speed(statistics.median(hashed), statistics.median(copied))
    shares = [probe.hashed / good.hashed for probe in probes]
    middle = statistics.median(shares)
    deviation = _TO_DEVIATION * statistics.median(abs(share - middle) for share in shares)
    low_hashed = max(min(pace.low_hashed, 1 - _DEVIATIONS * deviation), pace.least_low_hashed)
    return Level(good=good, low=Share(low_hashed, pace.low_copied))


def copied_bytes(cores: int, available: int) -> int:
    """Return how many bytes each core copies at once; its two buffers hold twice that.

    `available` is the memory that this process may still take, in bytes.
    """
    together = min(_TOGETHER_BYTES, int(available * _MOST_SHARE))
    return max(min(_MOST_BYTES, together // (2 * cores)), _A_PAGE)


def _better_half(values: Sequence[float]) -> list[float]:
    return sorted(values)[len(values) // 2 :]


class Probe:
    """Probes every core that this process may use, all at once, with buffers that it keeps."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, seconds: float = USUAL.probe_seconds
    ) -> None:
        self._clock = clock
        self._half_seconds = seconds / 2  # hashing, and as long copying, on every core at once
        self.cores = _cores()  # that a thread each is pinned to; None: to any
        self.buffer_bytes = copied_bytes(len(self.cores), available_bytes())
        self._buffers = [
            (np.zeros(self.buffer_bytes, np.uint8), np.ones(self.buffer_bytes, np.uint8))
            for _ in self.cores
        ]
        self()  # the first one touches the buffers' pages

    def __call__(self) -> Speed:
        """Return how fast the cores are now. Takes the probe's seconds."""
        speeds: list[Speed | None] = [None] * len(self.cores)
        units = self.buffer_bytes / COPIED_BYTES  # that are copied at once
        together = threading.Barrier(len(self.cores))

        def work(place: int, core: int | None) -> None:
            if core is not None:
                with suppress(OSError):  # a core that was taken away from this process since
                    os.sched_setaffinity(0, {core})  # of this thread alone, which ends soon
            into, out_of = self._buffers[place]
            with suppress(threading.BrokenBarrierError):
                together.wait(_TOGETHER_SECONDS)
            hashed = self._counted(lambda: hashlib.sha256(_HASHED))
            copied = units * self._counted(lambda: np.copyto(into, out_of))
            speeds[place] = Speed(hashed, copied)

        threads = [
            threading.Thread(target=work, args=(place, core))
            for place, core in enumerate(self.cores)
        ]
        with interrupts_held():  # or a thread would wait forever for one that never started
            for thread in threads:
                thread.start()
        for thread in threads:
            thread.join()
        done = [speed for speed in speeds if speed is not None]
        return Speed(sum(s.hashed for s in done), sum(s.copied for s in done))

    def _counted(self, unit: Callable[[], object]) -> float:
        """Return the units of work done per second."""
        begun = now = self._clock()
        units = 0
        while now - begun < self._half_seconds:
            unit()
            units += 1
            now = self._clock()
        return units / (now - begun)


def _cores() -> list[int | None]:
    """Return the core to pin each thread to; None for any if a quota leaves fewer cores."""
    allowed = int(max(usable_cores(), 1))
    try:
        cores = sorted(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return [None] * allowed
    return [*cores] if allowed >= len(cores) else [None] * allowed
