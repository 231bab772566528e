"""The machine's speed, probed while no pipeline is open.

The kernel's own counters do not see what a neighbour on the same hardware takes: in an episode in
which one of two cores was gone for seconds, the counter of stolen time stood still and this probe
read 0.5.
"""

from __future__ import annotations

import hashlib
import os
import statistics
import threading
import time
from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from feedbench.bench.cores import usable_cores
from feedbench.pipelines.system import interrupts_held

HALF_SECONDS = 0.05  # hashing, and as long copying, on every core at once
CALIBRATION_PROBES = 15
_HASHED = bytes(1 << 16)  # far more than the 2,047 bytes from which hashlib lets go of the GIL
_COPIED_BYTES = 1 << 25  # two of these are larger than a processor's last cache
# Hashing is low where it is under the good level by this, or by so many deviations of the
# calibration's own probes, whichever is more; but what is under the last is low anywhere. On the
# shared machine of the studies hashing varies by 3 % (0.90 to 1.05 of its median in a minute), and
# copying, which shares the memory with all neighbours, by 14 % (0.78 to 1.54), from one probe to
# the next and for minutes: 21 trials of tfdata_naive in a slow spell of copying were 2 % slower.
# To hold both to one limit left out 33 of 40 trials. So copying is low at half its good level.
_LEAST_DROP, _DEVIATIONS, _MOST_DROP = 0.15, 4.0, 0.3
_LOW_COPIED = 0.5
_TO_DEVIATION = 1.4826  # a normal distribution's median absolute deviation to its standard one


class Speed(msgspec.Struct, frozen=True):
    """What a probe counted, over all cores: units of work a second."""

    hashed: float
    copied: float


class Share(msgspec.Struct, frozen=True):
    """A speed beside the good one, as shares of it."""

    hashed: float
    copied: float


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """The good level, and what is low beside it. Frozen before the first block."""

    good: Speed
    low: Share

    def of(self, speed: Speed) -> Share:
        """Return a speed as shares of the good level."""
        return Share(speed.hashed / self.good.hashed, speed.copied / self.good.copied)

    def is_low(self, share: Share) -> bool:
        """Tell whether a machine of this share is not what it was."""
        return is_low(share, self.low)


def is_low(share: Share, low: Share) -> bool:
    """Tell whether either kind of work is slower than is good."""
    return share.hashed < low.hashed or share.copied < low.copied


def level_of(probes: Sequence[Speed]) -> Level:
    """Return the level that these probes calibrate: the median of their better half.

    The better half, since whatever disturbs a machine slows it: a good level that is too low
    would call every trial undisturbed.
    """
    hashed = _better_half([probe.hashed for probe in probes])
    copied = _better_half([probe.copied for probe in probes])
    good = Speed(statistics.median(hashed), statistics.median(copied))
    shares = [probe.hashed / good.hashed for probe in probes]
    middle = statistics.median(shares)
    deviation = _TO_DEVIATION * statistics.median(abs(share - middle) for share in shares)
    drop = min(max(_LEAST_DROP, _DEVIATIONS * deviation), _MOST_DROP)
    return Level(good=good, low=Share(1 - drop, _LOW_COPIED))


def _better_half(values: Sequence[float]) -> list[float]:
    return sorted(values)[len(values) // 2 :]


class Probe:
    """Probes every core that this process may use, all at once. Its buffers are made once."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._cores = _cores()
        self._buffers = [
            (np.zeros(_COPIED_BYTES, np.uint8), np.ones(_COPIED_BYTES, np.uint8))
            for _ in self._cores
        ]
        self()  # the first one touches the buffers' pages

    def __call__(self) -> Speed:
        """Return how fast the cores are now; takes 0.1 s."""
        found: list[Speed | None] = [None] * len(self._cores)
        together = threading.Barrier(len(self._cores))

        def work(place: int, core: int | None) -> None:
            if core is not None:
                os.sched_setaffinity(0, {core})  # of this thread alone, which ends soon
            into, out_of = self._buffers[place]
            together.wait()
            hashed = self._counted(lambda: hashlib.sha256(_HASHED))
            copied = self._counted(lambda: np.copyto(into, out_of))
            found[place] = Speed(hashed, copied)

        threads = [
            threading.Thread(target=work, args=(place, core))
            for place, core in enumerate(self._cores)
        ]
        with interrupts_held():  # or one would wait for ever for another that was not started
            for thread in threads:
                thread.start()
        for thread in threads:
            thread.join()
        done = [speed for speed in found if speed is not None]
        return Speed(sum(s.hashed for s in done), sum(s.copied for s in done))

    def _counted(self, unit: Callable[[], object]) -> float:
        """Return how many units of work a second were done."""
        begun = now = self._clock()
        units = 0
        while now - begun < HALF_SECONDS:
            unit()
            units += 1
            now = self._clock()
        return units / (now - begun)


def _cores() -> list[int | None]:
    """Return the cores to pin a thread to each; None where a quota leaves fewer than there are."""
    allowed = int(max(usable_cores(), 1))
    try:
        cores = sorted(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return [None] * allowed
    return [*cores] if allowed >= len(cores) else [None] * allowed
