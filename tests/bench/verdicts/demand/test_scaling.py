"""Pipelines on fewer cores and on all, and how many would be enough, by known laws."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedbench.bench.records.demand.demand import CoresNeeded, Estimate, FedRow, ModelRecord
from feedbench.bench.records.demand.feeding import Feeding, Steps
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.verdicts.demand.scaling import (
    READY,
    SHARED,
    Enough,
    is_too_slow,
    needed_of,
    scaling_of,
)
from feedbench.bench.verdicts.demand.summary import Terms, demand_of
from feedbench.bench.verdicts.intervals import LEVEL, ONCE
from feedbench.bench.verdicts.scaling.amdahl import Amdahl
from tests.support.builders import a_measurement, a_record, a_row

ENOUGH = Enough(appetite=1000.0, rate=950.0, is_shared=False)
MODEL = ModelRecord(name="32ms", is_emulated=True, appetite=1000.0, step_seconds=0.032)


def a_trial(label: str, cores: int, block: int, rate: float) -> TrialRecord:
    """A trial on some of the cores, in which the model takes `rate` images/s."""
    steps = [Steps(steps=50, images=800, seconds=800 / rate, waiting_seconds=0.0)] * 3
    return a_record(
        label=label,
        purpose="cores",
        block=block,
        ended="measured",
        measured=a_measurement(feedings=[Feeding(windows=steps, cores=cores)]),
    )


def trials(label: str, rates: Mapping[int, float], blocks: int = 4) -> list[TrialRecord]:
    return [
        a_trial(label, cores, block, rate)
        for block in range(1, blocks + 1)
        for cores, rate in rates.items()
    ]


def needed(
    law: Amdahl, rate: float, *, noise: float = 0.0, blocks: int = 6, cores: Sequence[int] = (1, 2)
) -> CoresNeeded:
    """Return the cores for a rate, by blocks in which times differ from a law by chance."""
    chance = random.Random(3)
    rates = {
        n: {block: 1 / (law.seconds(n) * chance.gauss(1.0, noise)) for block in range(blocks)}
        for n in cores
    }
    found = needed_of(rates, rate, LEVEL, ONCE)
    assert found is not None
    return found


@settings(max_examples=30)
@given(
    serial=st.floats(0.0001, 0.001),
    spread=st.floats(0.001, 0.01),
    cores=st.floats(2.0, 1000.0),
)
def test_a_pipeline_that_follows_the_law_is_fast_enough_on_the_cores_that_are_named(
    serial: float, spread: float, cores: float
) -> None:
    law = Amdahl(serial, spread)
    found = needed(law, 1 / law.seconds(cores), blocks=4)
    assert found.value == pytest.approx(cores, rel=0.005)
    assert found.low == pytest.approx(cores, rel=0.005)
    assert found.high == pytest.approx(cores, rel=0.005)


def test_no_number_of_cores_is_enough_beyond_the_part_in_sequence() -> None:
    found = needed(Amdahl(0.001, 0.004), 1001.0)
    assert (found.value, found.low, found.high) == (None, None, None)


def test_noise_widens_the_interval_to_both_sides_of_the_truth() -> None:
    found = needed(Amdahl(0.0005, 0.004), 950.0, noise=0.01, blocks=8)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.004 / (1 / 950 - 0.0005) < found.high


def test_no_number_may_be_enough_at_one_end_of_the_interval_alone() -> None:
    found = needed(Amdahl(0.00095, 0.004), 950.0, noise=0.05, blocks=4)
    assert found.high is None
    assert found.low is not None


def test_work_is_not_spread_better_than_in_proportion_to_the_cores_that_were_measured() -> None:
    faster_than_twice = {1: dict.fromkeys(range(4), 100.0), 2: dict.fromkeys(range(4), 300.0)}
    found = needed_of(faster_than_twice, 3000.0, LEVEL, ONCE)
    assert found is not None
    assert found.value == pytest.approx(20.0, rel=0.005)


def test_a_pipeline_that_more_cores_do_not_help_has_no_number() -> None:
    assert needed_of({1: {1: 100.0}, 2: {1: 99.0}}, 300.0, LEVEL, ONCE) is None


def test_three_blocks_have_an_estimate_and_no_interval() -> None:
    found = needed(Amdahl(0.0, 0.004), 1000.0, blocks=3)
    assert found.value == pytest.approx(4.0, rel=0.005)
    assert (found.level, found.low, found.high) == (None, None, None)


def test_more_than_two_numbers_of_cores_show_how_well_the_law_holds() -> None:
    assert needed(Amdahl(0.001, 0.004), 500.0).misfit is None
    found = needed(Amdahl(0.001, 0.004), 500.0, cores=(1, 2, 4))
    assert found.misfit == pytest.approx(0.0, abs=1e-9)


def test_what_was_measured_is_apart_from_what_is_extrapolated() -> None:
    found = scaling_of("a", trials("a", {1: 250.0, 2: 500.0}), ENOUGH, LEVEL, ONCE)
    assert [point.cores for point in found.points] == [1, 2]
    assert [point.rate.value for point in found.points] == pytest.approx([250.0, 500.0])
    assert [point.wait for point in found.points] == [pytest.approx(0.75), pytest.approx(0.5)]
    assert found.needed is not None
    assert found.needed.value == pytest.approx(3.8, rel=0.005)


def test_a_model_on_the_same_cores_has_its_appetite_there_and_nothing_is_extrapolated() -> None:
    both = [*trials("a", {1: 250.0, 2: 500.0}), *trials(READY, {1: 500.0, 2: 1000.0})]
    shared = Enough(appetite=1000.0, rate=950.0, is_shared=True)
    found = scaling_of("a", both, shared, LEVEL, ONCE)
    assert [point.wait for point in found.points] == [pytest.approx(0.5)] * 2
    assert found.needed is None
    assert found.why_not == SHARED


def test_only_completed_blocks_of_pipelines_that_were_measured_count() -> None:
    fed = [
        a_record(
            label=label,
            purpose=purpose,
            block=1,
            ended="measured",
            measured=a_measurement(
                feedings=[
                    Feeding(
                        windows=[
                            Steps(steps=50, images=800, seconds=800 / rate, waiting_seconds=0.0)
                        ]
                    )
                ]
            ),
        )
        for label, purpose, rate in (("a", "model", 500.0), (READY, "appetite", 1000.0))
    ]
    terms = Terms(model=MODEL, margin=0.05, cost="cpu", blocks=1, core_blocks=1)
    unfinished = a_trial("a", 1, 2, 1.0)
    rows = [a_row("a"), a_row("b")]
    demand = demand_of([*fed, *trials("a", {1: 250.0, 2: 500.0}, 1), unfinished], rows, terms)
    (only,) = demand.cores
    assert only.label == "a"
    assert only.points[0].rate.value == pytest.approx(250.0)
    assert demand.core_blocks == 1


@pytest.mark.parametrize(("wait", "expected"), [(0.2, True), (0.04, False), (None, False)])
def test_a_pipeline_is_measured_on_fewer_cores_if_the_model_waits_for_it(
    wait: float | None, *, expected: bool
) -> None:
    estimate = None if wait is None else Estimate(value=wait, blocks=1)
    assert is_too_slow(FedRow(label="a", wait=estimate), 0.05) == expected
