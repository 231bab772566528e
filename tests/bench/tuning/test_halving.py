"""Candidates leave a rung only when shown slower; epochs count what is prepared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from feedbench.bench.records.row import Row
from feedbench.bench.records.tuning.tuning import Allowance, Gain, Result, Rung
from feedbench.bench.tuning.allowance import Amounts
from feedbench.bench.tuning.halving import (
    Measured,
    challenger,
    chosen_anew,
    gain_in,
    is_slower,
    rung_of,
    staying,
)
from feedbench.bench.tuning.scores import costs_of
from tests.support.builders import a_preparation, a_proof
from tests.support.runs.summaries import blocks, summary_of

AMOUNTS = Amounts(images=1000, file_bytes=1, image_values=1, value_bytes=1)
STEADY = [1000, 1010, 990, 1000]


def run(rates: Mapping[str, list[int]], **rows: dict[str, Any]) -> Measured:
    """The run of these rates by block, with other fields of some rows."""
    trials = blocks(rates)
    summary = summary_of(trials, "".join(rates))
    made: list[Row] = [
        replace(row, **{"proof": a_proof("same"), "spec": "tfdata_naive"} | rows.get(row.label, {}))
        for row in summary.rows
    ]
    count = max(map(len, rates.values()))
    return Measured(folder="rung-1", blocks=count, images=1000, rows=made, trials=trials)


def rung(measured: Measured, **allowed: Any) -> Rung:
    return rung_of(measured, AMOUNTS, Allowance(**allowed), "a")


def of(rung: Rung, label: str) -> Result:
    return next(result for result in rung.results if result.label == label)


def test_a_candidate_whose_interval_is_below_the_best_leaves() -> None:
    made = rung(run({"a": STEADY, "b": [2 * rate for rate in STEADY], "c": STEADY}))
    assert made.best == "b"
    assert of(made, "c").why_out == "it is slower than b"


def test_a_lower_mean_alone_is_no_reason_to_leave() -> None:
    made = rung(run({"a": STEADY, "b": [1100, 1400, 800, 1200], "c": [1000, 1300, 900, 1100]}))
    assert made.best == "b"
    assert not of(made, "c").why_out


def test_a_difference_over_too_few_blocks_is_no_reason_to_leave() -> None:
    few = {"a": [1000, 1001], "b": [2000, 2001], "c": [1000, 1001]}
    assert staying(rung(run(few))) == ["a", "b", "c"]


def test_one_that_is_less_than_half_as_fast_leaves_after_two_blocks() -> None:
    made = rung(run({"a": [100, 101], "b": [2000, 2010], "c": [100, 101], "d": [900, 1300]}))
    assert made.best == "b"
    assert staying(made) == ["a", "b", "d"]  # a is the default, and d varies too much to tell
    assert of(made, "c").why_out == "it is slower than b"


def test_one_that_has_less_than_a_quarter_of_the_rate_leaves_after_one_block() -> None:
    made = rung(run({"a": [100], "b": [2000], "c": [100], "d": [600]}))
    assert staying(made) == ["a", "b", "d"]


def test_a_late_end_of_one_epoch_is_no_reason_to_leave_after_one_block() -> None:
    gain = Gain(times=0.1, low=None, high=None, blocks=1)  # over all epochs
    assert not is_slower(gain, 0.95)
    assert is_slower(gain, 0.1)


def test_the_default_never_leaves_for_its_rate() -> None:
    made = rung(run({"a": STEADY, "b": [3 * rate for rate in STEADY]}))
    assert staying(made) == ["a", "b"]


def test_the_fastest_is_not_the_best_if_its_work_is_other() -> None:
    faster = {"a": STEADY, "b": [2 * rate for rate in STEADY]}
    made = rung(run(faster, b={"proof": a_proof("different")}))
    assert made.best == "a"
    assert of(made, "b").why_out


def test_nothing_is_the_best_if_nothing_is_allowed() -> None:
    assert rung(run({"a": STEADY, "b": STEADY}), memory_bytes=1, disk_bytes=0).best is not None
    other = {"proof": a_proof("different")}
    assert rung(run({"a": STEADY, "b": STEADY}, a=other, b=other)).best is None


def test_a_preparation_counts_for_few_epochs_and_pays_for_itself_over_many() -> None:
    prepared = {"preparation": replace(a_preparation(), seconds=10.0, images=1000, bytes=1)}
    measured = run({"a": STEADY, "b": [2 * rate for rate in STEADY]}, b=prepared)
    assert rung(measured, epochs=3).best == "a"
    assert rung(measured, epochs=100).best == "b"


def test_the_total_is_preparation_first_epoch_and_all_others() -> None:
    prepared = {"preparation": replace(a_preparation(), seconds=10.0, images=1000, bytes=1)}
    made = of(rung(run({"a": STEADY, "b": STEADY}, b=prepared), epochs=5), "b").total
    assert made is not None
    assert made.prepare == 10.0
    assert made.first_epoch == pytest.approx(2.5)
    assert made.other_epochs == pytest.approx(4 * (1.0 + 0.125), rel=0.01)
    assert made.seconds == pytest.approx(made.prepare + made.first_epoch + made.other_epochs)


def test_the_gain_has_the_interval_of_paired_blocks() -> None:
    rough = [1000, 2000, 500, 1500]
    gain = gain_in(run({"a": rough, "b": [2 * rate for rate in rough]}), 1000, None, ("b", "a"))
    assert gain is not None
    assert gain.times == pytest.approx(2.0)
    assert gain.low == pytest.approx(2.0)


def test_the_gain_over_epochs_is_less_than_that_of_the_rate_by_what_happens_once() -> None:
    measured = run({"a": STEADY, "b": [2 * rate for rate in STEADY]})
    few = gain_in(measured, 1000, 2, ("b", "a"))
    many = gain_in(measured, 1000, 1000, ("b", "a"))
    assert few is not None
    assert many is not None
    assert 1 < few.times < many.times < 2


def test_restarts_that_differ_from_block_to_block_are_in_the_interval_of_a_gain() -> None:
    rates = {"a": [100_000] * 4, "b": [100_000] * 4}
    slow = {("a", 1), ("a", 3), ("b", 2)}  # as a second epoch that fills the cache anew
    trials = [
        replace(trial, measured=replace(trial.measured, turnover_seconds=[2.0]))
        if trial.measured is not None and (trial.label, trial.block) in slow
        else trial
        for trial in blocks(rates)
    ]
    rows = summary_of(trials, "ab").rows
    measured = Measured(folder="final", blocks=4, images=1000, rows=rows, trials=trials)
    gain = gain_in(measured, 1000, 30, ("b", "a"))
    assert gain is not None
    assert gain.low is not None
    assert gain.low < 0.5
    assert gain.times > 1


def test_opening_a_pipeline_happens_once_however_many_images_the_folder_has() -> None:
    trials = [
        replace(
            trial,
            measured=replace(
                trial.measured, open_seconds=0.1, first_epoch_seconds=1.0, knobs={"cache": "file"}
            ),
        )
        for trial in blocks({"a": [100_000] * 4})
        if trial.measured is not None
    ]
    rows = summary_of(trials, "a", folder_images=5000).rows
    assert rows[0].folder_first_epoch_seconds is None
    (costs,) = costs_of(rows, trials, images=1000, folder_images=5000).values()
    assert costs.first_seconds == pytest.approx(0.1 + 5 * 1.0)


def test_the_default_is_compared_with_the_best_of_the_others() -> None:
    made = rung(run({"a": [2 * rate for rate in STEADY], "b": [900, 1900, 600, 1900], "c": STEADY}))
    assert made.best == "a"
    assert of(made, "c").why_out
    assert challenger(made, "a") == "b"
    assert challenger(rung(run({"a": STEADY})), "a") is None


@pytest.mark.parametrize(
    ("times", "low", "was_default", "is_chosen"),
    [
        (1.1, 0.9, False, True),
        (0.9, 0.8, False, False),
        (1.1, 0.9, True, False),
        (1.3, 1.1, True, True),
    ],
)
def test_fresh_blocks_overrule_the_rungs_only_by_what_they_show(
    times: float, low: float, was_default: bool, is_chosen: bool
) -> None:
    gain = Gain(times=times, low=low, high=2.0, blocks=5)
    assert chosen_anew(gain, was_default=was_default) is is_chosen
