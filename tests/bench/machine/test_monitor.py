"""The machine around a trial, probed by a probe that is told and a clock that is claimed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from msgspec.structs import replace

from feedbench.bench.machine.monitor import Monitor, level_kept
from feedbench.bench.machine.speed_probe import CALIBRATION_PROBES, Level
from feedbench.bench.records.conditions.calm import Around, Share, Speed
from feedbench.bench.records.pace import USUAL, Pace
from tests.support.pace import CALM, RESTLESS

PROBE_SECONDS = USUAL.probe_seconds


class Told:
    """A machine whose probes read as told, after its calibration, and the clock that they take."""

    def __init__(self, shares: Iterable[float], pace: Pace = USUAL, **given: Any) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self.probes = 0
        calibration = [] if "level" in given else [1.0] * CALIBRATION_PROBES
        self._shares = iter([*calibration, *shares])
        pace = replace(pace, wait_seconds=2.0)
        self.monitor = Monitor(
            self._probe, clock=lambda: self.now, sleep=self._sleep, pace=pace, **given
        )

    def _probe(self) -> Speed:
        self.now += PROBE_SECONDS
        self.probes += 1
        share = next(self._shares, 1.0)
        return Speed(1000 * share, 100 * share)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_a_trial_between_two_good_probes_is_not_disturbed() -> None:
    told = Told([1.0, 0.97])
    told.monitor.begin()
    around = told.monitor.end()
    assert (around.before, around.after) == (Share(1.0, 1.0), Share(0.97, 0.97))
    assert not around.is_disturbed
    assert around.waited_seconds == 0.0
    assert told.slept == []


def test_a_low_probe_before_is_waited_out() -> None:
    told = Told([0.5, 0.6, 1.0, 1.0])
    told.monitor.begin()
    around = told.monitor.end()
    assert around.before == Share(1.0, 1.0)
    assert not around.is_disturbed
    assert len(told.slept) == 2
    assert around.waited_seconds == pytest.approx(2 * (told.slept[0] + PROBE_SECONDS))


def test_a_machine_that_stays_slow_is_waited_for_up_to_a_limit_and_the_trial_is_disturbed() -> None:
    told = Told([0.5] * 100)
    told.monitor.begin()
    around = told.monitor.end()
    assert around.is_disturbed
    assert 2.0 <= around.waited_seconds < 3.0


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 0.3, 0.7, 1.2])
def test_a_slow_machine_is_not_waited_for_when_there_is_time_for_the_trial_alone(
    seconds: float,
) -> None:
    told = Told([0.5] * 100)
    told.monitor.begin()
    told.monitor.end()
    begun = told.now
    told.monitor.begin(begin_by=begun + seconds)
    assert told.now <= begun + max(seconds, 0.0)
    assert (told.now > begun) == (seconds > 0.5)  # a pause and a probe
    told.monitor.begin(begin_by=told.now + 100)
    assert told.monitor.end().waited_seconds < 3.0


@pytest.mark.parametrize(("after", "disturbed"), [(0.5, True), (0.84, True), (0.86, False)])
def test_a_low_probe_after_a_trial_is_a_disturbance(after: float, disturbed: bool) -> None:
    told = Told([1.0, after])
    told.monitor.begin()
    assert told.monitor.end().is_disturbed is disturbed


def test_a_pace_may_call_nothing_or_everything_a_disturbance() -> None:
    slow, good = Told([0.1] * 9, pace=CALM), Told([1.0] * 99, pace=RESTLESS)
    for told, disturbed in ((slow, False), (good, True)):
        told.monitor.begin()
        around = told.monitor.end()
        assert around.is_disturbed is disturbed
        assert around.most_others_share == 1.0


def test_the_probe_after_one_trial_is_that_before_the_next_if_it_follows_at_once() -> None:
    told = Told([])
    for _ in range(3):
        told.monitor.begin()
        told.now += 6
        told.monitor.end()
    assert told.probes == CALIBRATION_PROBES + 1 + 3
    told.now += 60
    told.monitor.begin()
    assert told.probes == CALIBRATION_PROBES + 1 + 3 + 1


def test_the_good_level_is_calibrated_once_and_frozen() -> None:
    told = Told([0.5, 2.0, 2.0, 2.0])
    level = told.monitor.level
    told.monitor.begin()
    told.monitor.end()
    assert told.monitor.level is level


def test_what_probing_took_is_known_and_waiting_is_no_part_of_it() -> None:
    told = Told([0.5, 0.5, 1.0])
    told.monitor.begin()
    told.monitor.end()
    assert told.monitor.probe_seconds == pytest.approx(told.probes * PROBE_SECONDS)


LEVEL = Level(good=Speed(2000.0, 200.0), low=Share(0.8, 0.5))


def test_a_good_level_that_is_given_is_not_calibrated_anew_by_a_machine_that_became_slow() -> None:
    told = Told([0.99] * 9, level=LEVEL)  # half of what it was
    told.monitor.begin()
    around = told.monitor.end()
    assert (around.good, around.low) == (LEVEL.good, LEVEL.low)
    assert around.before == Share(0.495, 0.495)
    assert around.is_disturbed
    assert told.probes < CALIBRATION_PROBES


def test_what_probing_took_before_is_added_to() -> None:
    told = Told([], level=LEVEL, probe_seconds=7.0)
    told.monitor.begin()
    assert told.monitor.probe_seconds == pytest.approx(7.0 + told.probes * PROBE_SECONDS)


def an_around(level: Level | None = None) -> Around:
    told = Told([])
    told.monitor.begin()
    around = told.monitor.end()
    if level is None:
        return replace(around, good=None)
    return replace(around, good=level.good, low=level.low)


def test_the_level_of_a_run_is_that_of_its_last_trial_which_has_one() -> None:
    other = replace(LEVEL, good=Speed(1.0, 1.0))
    assert level_kept([an_around(other), an_around(LEVEL), an_around(), None]) == LEVEL


def test_of_a_run_of_a_version_that_did_not_keep_it_there_is_no_level() -> None:
    assert level_kept([an_around(), None]) is None
    assert level_kept([]) is None
