"""What follows from the trials of a scaling run: laws, intervals, and how many are enough."""

from __future__ import annotations

import pytest

from feedbench.bench.records.conditions.usage import Usage
from feedbench.bench.verdicts.scaling.curves import curve_of
from feedbench.bench.verdicts.scaling.forecasts import enough, fit
from tests.support.runs.scalings import a_curve, arms, trials, usl

LAW = usl(100.0, 0.05, 0.002)


def test_both_laws_are_fitted_to_counts_that_share_no_core() -> None:
    of = arms((1, 2, 4, 8))
    curve = a_curve(of, trials(of, LAW))
    usl_law, amdahl = curve.laws
    assert (usl_law.name, amdahl.name) == ("USL", "Amdahl")
    assert usl_law.contention.value == pytest.approx(0.05, abs=1e-3)
    assert usl_law.crosstalk.value == pytest.approx(0.002, abs=1e-4)
    assert usl_law.largest_error == pytest.approx(0.0, abs=1e-3)
    assert curve.unfitted == []


def test_workers_that_share_cores_are_shown_and_fitted_to_no_law() -> None:
    of = arms((1, 2, 4), alone=2)
    curve = a_curve(of, trials(of, lambda count: {1: 100.0, 2: 180.0, 4: 181.0}[count]))
    (law,) = curve.laws
    assert (law.name, law.counts, law.largest_error) == ("Amdahl", [1, 2], None)
    assert [point.rate for point in curve.points] == pytest.approx([100.0, 180.0, 181.0])
    (why,) = curve.unfitted
    assert why == (
        "Not fitted to workers: the universal scalability law. It takes 3 counts of workers that"
        " share no cores; measured: 1 and 2."
    )


def test_a_forecast_has_an_interval_over_blocks_that_holds_what_the_law_gives() -> None:
    of = arms((1, 2, 4, 8))
    curve = a_curve(of, trials(of, LAW, blocks=12, noise=0.03))
    assert [each.count for each in curve.forecasts] == [16, 32]
    for each in curve.forecasts:
        assert each.is_beyond
        assert each.rate.low is not None
        assert each.rate.high is not None
        assert each.rate.low < LAW(each.count) < each.rate.high
        assert each.rate.high / each.rate.low > 1.01


def test_intervals_cover_the_true_rate_about_as_often_as_they_promise() -> None:
    import random

    chance, covered = random.Random(3), 0
    for _ in range(60):
        rates = {
            count: {block: LAW(count) * (1 + chance.gauss(0, 0.03)) for block in range(8)}
            for count in (1, 2, 4, 8)
        }
        made = fit("USL", rates)
        assert made is not None
        forecast = made.rate(16)
        assert forecast.low is not None
        assert forecast.high is not None
        covered += forecast.low < LAW(16) < forecast.high
    assert covered >= 54


def test_with_few_blocks_there_is_no_interval() -> None:
    of = arms((1, 2, 4))
    curve = a_curve(of, trials(of, LAW, blocks=3), needed=900.0)
    assert curve.forecasts[0].rate.low is None
    assert curve.needed is not None
    assert not curve.needed.has_interval


def test_a_measured_count_that_is_enough_is_not_extrapolated() -> None:
    of = arms((1, 2, 4, 8))
    needs = a_curve(of, trials(of, LAW, noise=0.01), needed=150.0).needed
    assert needs is not None
    assert (needs.count, needs.is_measured, needs.law) == (2, True, None)


def test_more_than_was_measured_is_computed_by_the_law_with_its_interval() -> None:
    of = arms((1, 2, 4, 8))
    curve = a_curve(of, trials(of, LAW, noise=0.005), needed=600.0)
    needs = curve.needed
    assert needs is not None
    assert (needs.is_measured, needs.law, needs.has_interval) == (False, "USL", True)
    truth = enough(LAW, 600.0)
    assert needs.count is not None
    assert truth is not None
    assert needs.low is not None
    assert needs.low <= truth <= (needs.high or 1024)
    assert needs.low <= needs.count
    assert needs.count in [each.count for each in curve.forecasts]


def test_an_appetite_beyond_what_the_law_reaches_has_no_number() -> None:
    of = arms((1, 2, 4, 8))
    needs = a_curve(of, trials(of, usl(100.0, 0.2)), needed=1000.0).needed  # 500 at the most
    assert needs is not None
    assert needs.count is None


def test_cpu_time_is_that_of_the_process_that_takes_batches_and_of_all_others() -> None:
    of = arms((1, 2))
    used = Usage(seconds=10.0, cores=2.0, cpu_seconds=3.0, main_cpu_seconds=1.0)
    measured = trials(of, lambda _: 100.0, usage=used, received_bytes=5000, first_epoch_images=10)
    point = a_curve(of, measured).points[0]
    assert point.client_cpu_seconds == pytest.approx(1.0)  # of the 1,000 images of ten seconds
    assert point.workers_cpu_seconds == pytest.approx(2.0)
    assert point.received_bytes == 500


def test_an_arm_without_a_row_had_no_time() -> None:
    (arm,) = arms((1,))
    curve = curve_of("workers", [arm], {}, [], 100.0)
    assert curve.points[0].why == "there was no time for it"
    assert curve.needed is None
