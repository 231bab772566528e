"""What the trials that feed a model show of each pipeline."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from feedbench.bench.records.demand.demand import ModelRecord
from feedbench.bench.records.demand.feeding import Feeding, Steps
from feedbench.bench.records.messages import Purpose
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.verdicts.demand.summary import Terms, are_precise, demand_of
from tests.support.builders import a_measurement, a_proof, a_record, a_row

MODEL = ModelRecord(name="10ms", is_emulated=True, appetite=800.0, step_seconds=0.01)
ROWS = [
    a_row(label, cpu_seconds_per_1000_images=cpu, proof=a_proof("same"))
    for label, cpu in (("a", 2.0), ("b", 1.0))
]


def a_trial(
    label: str, block: int, rate: float, purpose: Purpose = "model", busy: float = 1.0
) -> TrialRecord:
    """A trial in which a model takes `rate` images/s, and is busy for a share of the time."""
    steps = [
        Steps(steps=100, images=800, seconds=800 / rate, waiting_seconds=(1 - busy) * 800 / rate)
    ] * 3
    return a_record(
        label=label,
        purpose=purpose,
        block=block,
        ended="measured",
        measured=a_measurement(feedings=[Feeding(windows=steps)]),
    )


def trials(rates: Mapping[str, float], blocks: int = 4) -> list[TrialRecord]:
    """Blocks in which each pipeline feeds the model, and the model takes 800 images/s."""
    return [
        trial
        for block in range(1, blocks + 1)
        for trial in (
            a_trial("ready batch", block, 800.0, "appetite"),
            *(a_trial(label, block, rate, busy=rate / 800) for label, rate in rates.items()),
        )
    ]


def terms(blocks: int = 4) -> Terms:
    return Terms(model=MODEL, margin=0.05, cost="cpu", blocks=blocks)


def test_each_pipeline_has_its_share_and_its_verdict() -> None:
    demand = demand_of(trials({"a": 200.0, "b": 792.0}), ROWS, terms())
    starving, fed = demand.rows
    assert starving.wait is not None
    assert starving.wait.value == pytest.approx(0.75)
    assert (starving.verdict, fed.verdict) == ("waits", "does not wait")
    assert starving.utilisation == pytest.approx(0.25)
    assert starving.taken == pytest.approx(0.0)
    assert demand.appetite is not None
    assert demand.appetite.value == pytest.approx(800.0)
    assert [cost.label for cost in demand.enough] == ["b"]


def test_slower_steps_are_what_a_pipeline_takes_from_the_model() -> None:
    busy = [
        *trials({"a": 790.0}),
        *(a_trial("b", block, 400.0, busy=1.0) for block in range(1, 5)),
    ]
    row = demand_of(busy, ROWS, terms()).rows[1]
    assert row.taken == pytest.approx(0.5)
    assert row.utilisation == pytest.approx(1.0)
    assert row.busy_rate == pytest.approx(400.0)


def test_an_unfinished_block_does_not_count() -> None:
    unfinished = [*trials({"a": 200.0, "b": 792.0}), a_trial("a", 5, 799.0)]
    assert demand_of(unfinished, ROWS, terms()) == demand_of(
        trials({"a": 200.0, "b": 792.0}), ROWS, terms()
    )


def test_the_trial_before_the_blocks_does_not_count() -> None:
    first = a_trial("ready batch", 0, 10.0, "appetite")
    demand = demand_of([first, *trials({"a": 200.0, "b": 792.0})], ROWS, terms())
    assert demand.appetite is not None
    assert demand.appetite.value == pytest.approx(800.0)


def test_a_pipeline_that_failed_has_no_verdict() -> None:
    failed = a_record(label="b", purpose="model", block=1, ended="failed", why="it raised")
    row = demand_of([*trials({"a": 200.0}), failed], ROWS, terms()).rows[1]
    assert row.verdict is None
    assert row.failures == ["it raised"]


def test_three_blocks_are_too_few_for_a_verdict_or_to_stop() -> None:
    few = trials({"a": 200.0, "b": 792.0}, blocks=3)
    assert [row.verdict for row in demand_of(few, ROWS, terms(3)).rows] == ["cannot tell"] * 2
    assert not are_precise(few, ["a", "b"], terms(3))
    assert are_precise(trials({"a": 200.0, "b": 792.0}), ["a", "b"], terms())
