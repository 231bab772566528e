"""The machine around a trial, probed by a probe that is told and a clock that is claimed."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from feedbench.bench.machine import Machine
from feedbench.bench.speed import CALIBRATION_PROBES, Share, Speed

PROBE_SECONDS = 0.1


class Told:
    """A machine whose probes read as told, and the clock that they take."""

    def __init__(self, shares: Iterable[float]) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self.probes = 0
        self._shares = iter([*[1.0] * CALIBRATION_PROBES, *shares])
        self.machine = Machine(
            self._probe, clock=lambda: self.now, sleep=self._sleep, wait_seconds=2.0
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
    told.machine.begin()
    around = told.machine.end()
    assert (around.before, around.after) == (Share(1.0, 1.0), Share(0.97, 0.97))
    assert not around.is_disturbed
    assert around.waited_seconds == pytest.approx(PROBE_SECONDS)
    assert told.slept == []


def test_a_low_probe_before_is_waited_out() -> None:
    told = Told([0.5, 0.6, 1.0, 1.0])
    told.machine.begin()
    around = told.machine.end()
    assert around.before == Share(1.0, 1.0)
    assert not around.is_disturbed
    assert len(told.slept) == 2
    assert around.waited_seconds > 0.8


def test_a_machine_that_stays_slow_is_waited_for_up_to_a_limit_and_the_trial_is_disturbed() -> None:
    told = Told([0.5] * 100)
    told.machine.begin()
    around = told.machine.end()
    assert around.is_disturbed
    assert 2.0 <= around.waited_seconds < 3.0


@pytest.mark.parametrize(("after", "disturbed"), [(0.5, True), (0.84, True), (0.86, False)])
def test_a_low_probe_after_a_trial_is_a_disturbance(after: float, disturbed: bool) -> None:
    told = Told([1.0, after])
    told.machine.begin()
    assert told.machine.end().is_disturbed is disturbed


def test_the_probe_after_one_trial_is_that_before_the_next_if_it_follows_at_once() -> None:
    told = Told([])
    for _ in range(3):
        told.machine.begin()
        told.now += 6
        told.machine.end()
    assert told.probes == CALIBRATION_PROBES + 1 + 3
    told.now += 60
    told.machine.begin()
    assert told.probes == CALIBRATION_PROBES + 1 + 3 + 1


def test_the_good_level_is_calibrated_once_and_frozen() -> None:
    told = Told([0.5, 2.0, 2.0, 2.0])
    level = told.machine.level
    told.machine.begin()
    told.machine.end()
    assert told.machine.level is level


def test_what_probing_took_is_known_and_waiting_is_no_part_of_it() -> None:
    told = Told([0.5, 0.5, 1.0])
    told.machine.begin()
    told.machine.end()
    assert told.machine.probe_seconds == pytest.approx(told.probes * PROBE_SECONDS)
