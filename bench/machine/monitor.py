"""Monitors the machine around each trial: probes it before and after, and waits while it is slow.

Which trials count depends on the probe and on other programs' CPU time (other_programs.py), never
on a rate.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from feedbench.bench.machine.kernel_counters import read_counters
from feedbench.bench.machine.speed_probe import (
    CALIBRATION_PROBES,
    Level,
    Probe,
    level_of,
)
from feedbench.bench.records.conditions.calm import Around, Counters, Share, Speed
from feedbench.bench.records.pace import USUAL, Pace

_PAUSE_SECONDS = 0.4  # between two probes while waiting
_FRESH_SECONDS = 0.3  # the probe after a trial serves the next one if that starts within this


def level_kept(arounds: Iterable[Around | None]) -> Level | None:
    """Return the reference speed that the last of these trials recorded; None if none did.

    A resumed run keeps it. A machine that has become slower would calibrate a lower one, and every
    trial would look undisturbed.
    """
    level = None
    for around in arounds:
        if around is not None and around.good is not None:
            level = Level(good=around.good, low=around.low)
    return level


class Monitor:
    """Probes the machine between trials, when no process of a trial is alive.

    A resumed run passes its reference speed as `level`, and its earlier `probe_seconds`.
    """

    def __init__(
        self,
        probe: Callable[[], Speed] | None = None,
        *,
        level: Level | None = None,
        probe_seconds: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        pace: Pace = USUAL,
    ) -> None:
        self._probe = Probe(seconds=pace.probe_seconds) if probe is None else probe
        self._clock = clock
        self._sleep = sleep
        self._level = level
        self._pace = pace
        self._latest: tuple[Share, float] | None = None  # a share, and when it was taken
        self._counters = Counters()
        self._before = Share(1.0, 1.0)
        self._waited = 0.0
        self.probe_seconds = probe_seconds  # of all probes, without the waiting

    @property
    def level(self) -> Level:
        """The reference speed. If none was given, it is calibrated once, at the first use."""
        if self._level is None:
            begun = self._clock()
            probes = [self._probe() for _ in range(CALIBRATION_PROBES)]
            self._level = level_of(probes, self._pace)
            self.probe_seconds += self._clock() - begun
        return self._level

    def begin(self, begin_by: float | None = None) -> None:
        """Wait until a probe is good, up to a limit. The trial starts when this returns.

        `begin_by`, on this monitor's clock, is when the waiting must end at the latest, so that
        there is time left for the trial.
        """
        level = self.level  # calibrated before the waiting begins
        share = self._fresh() or self._share()
        begun = self._clock()
        until = begun + self._pace.wait_seconds
        if begin_by is not None:
            until = min(until, begin_by - (_PAUSE_SECONDS + self._pace.probe_seconds))
        while level.is_low(share) and self._clock() < until:
            self._sleep(_PAUSE_SECONDS)
            share = self._share()
        self._before, self._waited = share, self._clock() - begun
        self._counters = read_counters()

    def end(self) -> Around:
        """Probe after a trial, when its processes have ended; return the state around the trial."""
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
        """Return the latest probe if it was taken just now."""
        if self._latest is None or self._clock() - self._latest[1] > _FRESH_SECONDS:
            return None
        return self._latest[0]
