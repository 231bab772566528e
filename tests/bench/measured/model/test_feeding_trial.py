"""The phases of a trial that feeds a model, under a claimed clock."""

from __future__ import annotations

from itertools import pairwise

import pytest

from feedbench.bench.measured.model.feeding_trial import FeedingTrial
from feedbench.bench.records.demand.demand import ModelRecord
from feedbench.bench.records.measurement import Measurement
from feedbench.bench.records.messages import Edge, Event, Fed, Phase
from feedbench.bench.verdicts.demand.curve import TARGETS, Point, crossing_of
from feedbench.pipelines.errors import WrongWorkError
from tests.support.clock import ClaimedClock
from tests.support.pipelines.claimed_feeds import Offered, a_request, a_workload
from tests.support.pipelines.producers import BATCH, Producer

STEP = 0.03125
APPETITE = BATCH / STEP


class FedTrial:
    """A trial of a producer that is so many times as fast as the model, and its events."""

    def __init__(self, times: float, **given: int) -> None:
        self.clock = ClaimedClock()
        self.events: list[Event] = []
        producer = Producer(clock=self.clock, batch_seconds=STEP / times, **given)
        pipeline = Offered(producer, self.clock)
        self.trial = FeedingTrial(
            pipeline,
            a_workload(producer.images),
            self.events.append,
            clock=self.clock,
            sleep=self.clock.sleep,
        )

    def feed(self) -> Measurement:
        model = ModelRecord(name="a", is_emulated=True, appetite=APPETITE, step_seconds=STEP)
        return self.trial.feed(a_request(purpose="model", fed=Fed(model=model)))

    def curve(self, rate: float) -> Measurement:
        fed = Fed(rate=rate, guesses=[rate, rate])
        return self.trial.feed(a_request(purpose="curve", fed=fed))


def test_the_model_comes_after_a_first_epoch_without_it() -> None:
    trial = FedTrial(0.5)
    measured = trial.feed()
    phases = [event.name for event in trial.events if isinstance(event, Phase)]
    assert phases == ["open", "first batch", "first epoch", "continuous"]
    assert measured.first_epoch_images == BATCH
    (feeding,) = measured.feedings
    assert feeding.utilisation == pytest.approx(1 / 3, abs=0.01)
    assert feeding.is_steady


def test_the_parent_gets_an_edge_for_each_window() -> None:
    trial = FedTrial(2.0)
    measured = trial.feed()
    edges = [event.at for event in trial.events if isinstance(event, Edge)]
    assert len(edges) == len(measured.windows) + 1 == len(measured.feedings[0].windows) + 1
    assert [after - before for before, after in pairwise(edges)] == [
        window.seconds for window in measured.windows
    ]


@pytest.mark.parametrize("buffer", [0, 2])
def test_a_curve_finds_both_crossings_in_one_trial(buffer: int) -> None:
    rate = 4 * APPETITE
    measured = FedTrial(4.0, buffer=buffer).curve(rate)
    points = [Point(each.appetite or 0.0, each.utilisation) for each in measured.feedings]
    for target in TARGETS:
        expected = rate / target if buffer else rate * (1 / target - 1)
        assert crossing_of(points, target) == pytest.approx(expected, rel=0.06)


def test_a_curve_is_not_measured_where_a_step_would_take_too_long() -> None:
    measured = FedTrial(0.01).curve(0.01 * APPETITE)  # 2.56 images/s, 3.1 s a batch
    appetites = [each.appetite or 0.0 for each in measured.feedings]
    assert min(appetites) >= BATCH / 2.5


def test_a_first_epoch_of_too_few_images_is_wrong_work() -> None:
    trial = FedTrial(1.0)
    trial.trial.workload = a_workload(2 * BATCH)
    with pytest.raises(WrongWorkError):
        trial.feed()
