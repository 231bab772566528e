"""The machine around a trial: probed before and after, and waited for while it is not good.

The choice of what counts looks at the probe, and at what others took (others.py), never at a rate.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from feedbench.bench.machine.kernel_counters import read_counters
from feedbench.bench.machine.speed_probe import (
    CALIBRATION_PROBES,
    HALF_SECONDS,
    Level,
    Probe,
    level_of,
)
from feedbench.bench.records.calm import Around, Counters, Share, Speed
from feedbench.bench.records.pace import USUAL, Pace

WAIT_SECONDS = 5.0  # for a good probe, before a trial is begun all the same
_PAUSE_SECONDS = 0.4  # between two probes while waiting
_A_LOOK_SECONDS = _PAUSE_SECONDS + 2 * HALF_SECONDS  # a pause, and the probe after it
_FRESH_SECONDS = 0.3  # for so long, the probe after one trial is that before the next


def level_kept(arounds: Iterable[Around | None]) -> Level | None:
    """Return the level beside which the last of these trials stood; None where it was not kept.

    A run that is gone on with goes on with it: calibrated anew, a machine that has become slow
    would call all that is slow undisturbed.
    """
    found = None
    for around in arounds:
        if around is not None and around.good is not None:
            found = Level(good=around.good, low=around.low)
    return found


class Machine:
    """Probes the machine while nothing of a trial is alive.

    `level` is the good level where it is known, and `probe_seconds` what probes took before: both
    of a run that is gone on with.
    """

    def __init__(
        self,
        probe: Callable[[], Speed] | None = None,
        *,
        level: Level | None = None,
        probe_seconds: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        wait_seconds: float = WAIT_SECONDS,
        pace: Pace = USUAL,
    ) -> None:
        self._probe = Probe() if probe is None else probe
        self._clock = clock
        self._sleep = sleep
        self._wait_seconds = wait_seconds
        self._level = level
        self._pace = pace
        self._latest: tuple[Share, float] | None = None  # a share, and when it was taken
        self._counters = Counters()
        self._before = Share(1.0, 1.0)
        self._waited = 0.0
        self.probe_seconds = probe_seconds  # that all probes took, waiting not counted

    @property
    def level(self) -> Level:
        """The good level. Calibrated at the first asking where none was given, and frozen."""
        if self._level is None:
            begun = self._clock()
            probes = [self._probe() for _ in range(CALIBRATION_PROBES)]
            self._level = level_of(probes, self._pace)
            self.probe_seconds += self._clock() - begun
        return self._level

    def begin(self, begin_by: float | None = None) -> None:
        """Wait for a good probe, up to a limit; a trial begins then.

        `begin_by`, on this machine's clock: it is waited for no longer, or there would be no time
        left for the trial.
        """
        level = self.level  # calibrated before anything is waited for
        share = self._fresh() or self._share()
        begun = self._clock()
        until = begun + self._wait_seconds
        if begin_by is not None:
            until = min(until, begin_by - _A_LOOK_SECONDS)
        while level.is_low(share) and self._clock() < until:
            self._sleep(_PAUSE_SECONDS)
            share = self._share()
        self._before, self._waited = share, self._clock() - begun
        self._counters = read_counters()

    def end(self) -> Around:
        """Probe after a trial, of which nothing is alive any more, and return what was around."""
        counters = read_counters().since(self._counters)
        return Around(
            before=self._before,
            after=self._share(),
            low=self.level.low,
            waited_seconds=self._waited,
            counters=counters,
            good=self.level.good,
            most_others_share=self._pace.most_others_share,
        )

    def _share(self) -> Share:
        level = self.level
        begun = self._clock()
        share = level.of(self._probe())
        now = self._clock()
        self.probe_seconds += now - begun
        self._latest = share, now
        return share

    def _fresh(self) -> Share | None:
        """Return the probe that has just been taken, if one has."""
        if self._latest is None or self._clock() - self._latest[1] > _FRESH_SECONDS:
            return None
        return self._latest[0]
