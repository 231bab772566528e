from __future__ import annotations

import errno
import itertools
import os
import signal
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbench.bench.machine.speed_probe import Level, Probe, copied_bytes, level_of
from feedbench.bench.records.conditions.calm import Share, Speed
from feedbench.bench.records.pace import Pace
from tests.support.waiting import until

COUNTS = st.floats(1.0, 1e6)
SPEEDS = st.builds(Speed, COUNTS, COUNTS)


def steady(count: int = 15, hashed: float = 1000.0, copied: float = 100.0) -> list[Speed]:
    return [Speed(hashed, copied)] * count


def test_a_machine_of_the_good_level_is_one_and_half_of_it_is_a_half() -> None:
    level = level_of(steady())
    assert level.of(Speed(1000, 100)) == Share(1, 1)
    assert level.of(Speed(500, 75)) == Share(0.5, 0.75)


def test_the_good_level_is_that_of_the_better_half_of_the_calibration() -> None:
    disturbed = [Speed(400, 30)] * 7
    level = level_of([*steady(8), *disturbed])
    assert level.good == Speed(1000, 100)
    assert level.is_low(level.of(disturbed[0]))


def test_a_steady_machine_has_a_narrow_limit_and_a_noisy_one_a_wider_but_not_any() -> None:
    assert level_of(steady()).low.hashed == pytest.approx(0.85)
    noisy = [Speed(1000 + 10 * step, 100) for step in range(-7, 8)]
    wild = [Speed(1000 + 130 * step, 100) for step in range(-7, 8)]
    assert 0.7 < level_of(noisy).low.hashed < 0.85
    assert level_of(wild).low.hashed == pytest.approx(0.7)


def test_a_pace_may_have_other_limits() -> None:
    pace = Pace(low_hashed=0.9, least_low_hashed=0.6, low_copied=0.4)
    wild = [Speed(1000 + 130 * step, 100) for step in range(-7, 8)]
    assert level_of(steady(), pace).low == Share(0.9, 0.4)
    assert level_of(wild, pace).low == Share(0.6, 0.4)


def test_copying_which_all_neighbours_share_has_a_wide_limit_on_any_machine() -> None:
    wild = [Speed(1000, 100 + 13 * step) for step in range(-7, 8)]
    assert level_of(steady()).low.copied == level_of(wild).low.copied == 0.5
    assert level_of(wild).low.hashed == pytest.approx(0.85)


@given(st.lists(SPEEDS, min_size=1, max_size=20), st.floats(0.01, 100))
def test_the_unit_of_work_is_of_no_account(probes: list[Speed], scale: float) -> None:
    scaled = [Speed(probe.hashed * scale, probe.copied * scale) for probe in probes]
    ours, theirs = level_of(scaled), level_of(probes)
    assert ours.low.hashed == pytest.approx(theirs.low.hashed, abs=1e-6)
    assert ours.of(scaled[0]).hashed == pytest.approx(theirs.of(probes[0]).hashed)
    assert ours.of(scaled[0]).copied == pytest.approx(theirs.of(probes[0]).copied)


@given(st.lists(SPEEDS, min_size=1, max_size=20))
def test_the_limit_of_hashing_lies_between_fifteen_and_thirty_per_cent_below(
    probes: list[Speed],
) -> None:
    assert 0.7 - 1e-9 <= level_of(probes).low.hashed <= 0.85 + 1e-9


def test_a_share_is_low_only_under_the_limit() -> None:
    level = Level(good=Speed(1, 1), low=Share(0.9, 0.5))
    assert level.is_low(Share(0.89, 1.0))
    assert level.is_low(Share(1.0, 0.49))
    assert not level.is_low(Share(0.9, 0.5))


MIB, GIB = 1 << 20, 1 << 30


@pytest.mark.parametrize("cores", [1, 2, 4, 16])
def test_each_of_a_few_cores_copies_32_mebibytes(cores: int) -> None:
    assert copied_bytes(cores, 16 * GIB) == 32 * MIB


def test_many_cores_do_not_hold_gigabytes() -> None:
    assert 128 * 2 * copied_bytes(128, 500 * GIB) <= GIB


@pytest.mark.parametrize(
    ("cores", "sharing", "cache"),
    [(8, 8, 32 * MIB), (128, 16, 32 * MIB), (128, 16, 96 * MIB), (64, 64, 300 * MIB)],
)
def test_what_cores_copy_together_is_larger_than_the_cache_that_they_share(
    cores: int, sharing: int, cache: int
) -> None:
    assert sharing * 2 * copied_bytes(cores, 500 * GIB) > cache


@given(st.integers(1, 512), st.integers(0, 64 * GIB))
def test_no_more_than_a_sixteenth_of_the_memory_is_taken_that_is_available(
    cores: int, available: int
) -> None:
    of_all = cores * 2 * copied_bytes(cores, available)
    assert of_all <= max(available / 16, cores * 2 * 4096)


def test_a_probes_buffers_fit_in_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    at_most = 4 * MIB
    monkeypatch.setattr("feedbench.bench.machine.speed_probe.available_bytes", lambda: 16 * at_most)
    probe = Probe()
    assert len(probe.cores) * 2 * probe.buffer_bytes <= at_most


def test_a_probes_figures_are_in_units_of_one_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feedbench.bench.machine.speed_probe.available_bytes", lambda: 64 * MIB)
    monkeypatch.setattr("feedbench.bench.machine.speed_probe.usable_cores", lambda: 1.0)
    shown = itertools.count()
    # 64 units of work in each half
    probe = Probe(clock=lambda: next(shown) * 0.05 / 64, seconds=0.1)
    assert probe.buffer_bytes == 2 * MIB
    speed = probe()
    assert speed.hashed == pytest.approx(64 / 0.05, rel=0.02)
    assert speed.copied == pytest.approx(64 / 0.05 * 2 / 32, rel=0.02)


@pytest.mark.alone
def test_a_probe_takes_its_seconds_and_leaves_no_thread_and_no_pinning() -> None:
    import threading

    probe = Probe(seconds=0.2)
    cores, threads = os.sched_getaffinity(0), threading.active_count()
    begun = time.monotonic()
    speed = probe()
    seconds = time.monotonic() - begun
    assert speed.hashed > 0
    assert speed.copied > 0
    assert seconds >= 0.2
    assert os.sched_getaffinity(0) == cores
    assert threading.active_count() == threads


def test_ctrl_c_between_two_threads_leaves_none_that_waits_for_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import threading

    class Interrupting(threading.Thread):
        def start(self) -> None:
            self.daemon = True  # one that waits for ever would keep the tests from ending
            super().start()
            signal.raise_signal(signal.SIGINT)

    probe = Probe()
    threads = threading.active_count()
    monkeypatch.setattr(threading, "Thread", Interrupting)
    with pytest.raises(KeyboardInterrupt):
        probe()
    until(lambda: threading.active_count() == threads, seconds=10.0)


def test_a_core_that_is_taken_away_from_the_process_later_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As `docker update --cpuset-cpus` does."""
    probe = Probe()

    def refused(*_: object) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "sched_setaffinity", refused)
    assert probe().hashed > 0


def test_with_one_core_one_is_probed() -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        speed = Probe()()
    finally:
        os.sched_setaffinity(0, before)
    assert speed.hashed > 0


def test_with_a_quota_of_a_core_and_a_half_one_core_is_probed_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("feedbench.bench.machine.speed_probe.usable_cores", lambda: 1.5)
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("there is one core only")
    assert len(Probe().cores) == 1


def test_where_there_is_no_affinity_nothing_is_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    probe = Probe()
    assert set(probe.cores) == {None}
    assert probe().hashed > 0
