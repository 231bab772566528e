"""The self-test's pipelines through a whole trial under a claimed clock: nobody waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from feedbench.bench.measured.trial import Trial
from feedbench.bench.records.measurement import Measurement
from feedbench.bench.records.messages import Request
from feedbench.bench.records.windows import counted
from feedbench.bench.selftest import pipelines
from feedbench.bench.selftest.neighbour import is_touched, neighbours
from feedbench.pipelines.contract import Feed, Workload
from tests.support.clock import ClaimedClock

IMAGES, BATCH = 64, 16
RATE = BATCH / pipelines.PERIOD


@dataclass
class Opened:
    feed: Feed

    def open(self, workload: Workload, prepared: Path, scratch: Path) -> Feed:
        return self.feed


def a_workload(folder: str = "") -> Workload:
    return Workload(
        folder=folder,
        files=tuple(map(str, range(IMAGES))),
        labels=tuple(place % 2 for place in range(IMAGES)),
        class_names=("a", "b"),
        height=4,
        width=4,
        batch_size=BATCH,
        folder_images=IMAGES,
    )


def measured(kind: Callable[..., pipelines.Metronome], **given: Any) -> Measurement:
    clock = ClaimedClock()
    feed = kind(a_workload(), clock=clock, sleep=clock.sleep, **given)
    request = Request(label="a", spec="a", purpose="main", workload="", prepared="", scratch="")
    return Trial(Opened(feed), a_workload(), lambda _: None, clock=clock).run(request)


def rate_of(measurement: Measurement) -> float:
    windows = counted(measurement.windows)
    return sum(window.images for window in windows) / sum(window.seconds for window in windows)


@pytest.mark.parametrize("kind", [pipelines.Metronome, pipelines.Bursts, pipelines.Prefetcher])
def test_a_known_rate_reads_as_it_is_however_the_batches_come(
    kind: type[pipelines.Metronome],
) -> None:
    assert rate_of(measured(kind)) == pytest.approx(RATE, rel=1e-6)


def test_one_that_takes_a_tenth_longer_reads_so() -> None:
    slower = measured(pipelines.Metronome, period=pipelines.PERIOD * pipelines.SLOWER)
    assert rate_of(slower) == pytest.approx(RATE / pipelines.SLOWER, rel=1e-6)


def test_bursts_are_seen_as_the_wait_between_them() -> None:
    measurement = measured(pipelines.Bursts)
    assert measurement.latency is not None
    assert measurement.latency.p99 == pytest.approx(pipelines.BURST * pipelines.PERIOD)
    assert measurement.latency.p50 == pytest.approx(0.0, abs=1e-9)


def test_a_slow_end_is_turnover_and_nothing_else() -> None:
    measurement = measured(pipelines.Metronome, teardown=pipelines.TEARDOWN_SECONDS)
    assert measurement.turnover_seconds == pytest.approx(
        [pipelines.TEARDOWN_SECONDS + pipelines.PERIOD] * len(measurement.turnover_seconds)
    )
    assert rate_of(measurement) == pytest.approx(RATE, rel=1e-6)


def test_a_ramp_is_waited_out() -> None:
    measurement = measured(pipelines.Ramp)
    assert measurement.windows[0].rate < RATE / 2
    assert rate_of(measurement) == pytest.approx(RATE, rel=0.03)


def test_a_ramp_gains_what_an_arithmetic_series_says() -> None:
    ramp = pipelines.Ramp(a_workload())
    taken = np.diff([ramp.moment(number) for number in range(pipelines.RAMP_BATCHES + 3)])
    assert taken[0] == pytest.approx(pipelines.PERIOD * (3 - 2 / pipelines.RAMP_BATCHES))
    assert np.diff(taken)[: pipelines.RAMP_BATCHES - 2] == pytest.approx(
        -2 * pipelines.PERIOD / pipelines.RAMP_BATCHES
    )
    assert taken[-2:] == pytest.approx(pipelines.PERIOD)


def test_a_prefetcher_has_worked_ahead_by_its_buffer_where_nobody_asked_for_a_while() -> None:
    clock = ClaimedClock()
    batches = pipelines.Prefetcher(a_workload(), clock=clock, sleep=clock.sleep).repeat()
    next(batches)
    clock.sleep(100 * pipelines.PERIOD)
    begun = clock.now
    for _ in range(pipelines.BUFFER):
        next(batches)
    assert clock.now == begun
    next(batches)
    assert clock.now > begun


def test_every_pipeline_of_the_loader_delivers_an_epoch_of_the_workload(tmp_path: Path) -> None:
    (tmp_path / pipelines.TOUCHED).touch()
    work = a_workload(str(tmp_path))
    for function in (
        pipelines.metronome,
        pipelines.slower,
        pipelines.teardown,
        pipelines.bursts,
        pipelines.ramp,
        pipelines.prefetcher,
        pipelines.with_neighbour,
    ):
        labels = np.concatenate([labels for _, labels in function(work)._batches])
        assert labels.tolist() == list(work.labels)


def test_one_that_brings_a_neighbour_touches_its_file_at_every_batch(tmp_path: Path) -> None:
    file = tmp_path / pipelines.TOUCHED
    with neighbours(file, 0):
        batches = iter(pipelines.with_neighbour(a_workload(str(tmp_path))))
        for _ in range(2):
            file.write_bytes(bytes(8))  # when the machine was started
            next(batches)
            assert is_touched(file)
