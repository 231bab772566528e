"""What is measured and what is computed never look the same."""

from __future__ import annotations

import pytest

from feedbench.bench.records.conditions.usage import Usage
from feedbench.bench.records.scaling.scaling import Axis
from feedbench.reports.charts.scaling import curve_chart
from feedbench.reports.sentences import scaling
from tests.support.runs.scalings import a_curve, a_record, an_appetite, arms, trials, usl

LAW = usl(100.0, 0.05)


def test_a_computed_rate_is_in_parentheses_and_has_a_tilde_and_says_by_which_law() -> None:
    of = arms((1, 2, 4))
    rows = scaling.rows(a_curve(of, trials(of, LAW)))
    assert [row[0] for row in rows] == [
        "1 worker", "2 workers", "4 workers", "(8 workers)", "(16 workers)",
    ]  # fmt: skip
    assert [row[4] for row in rows] == ["measured"] * 3 + ["extrapolated, USL"] * 2
    for row in rows:
        is_computed = row[0].startswith("(")
        assert row[1].startswith("~") == row[3].startswith("~") == is_computed


def test_the_answer_says_how_many_a_model_takes_and_whether_that_was_measured() -> None:
    of = arms((1, 2, 4))
    measured = trials(of, LAW, noise=0.01)
    curve = a_curve(of, measured, needed=150 * 0.95)
    answer = scaling.answer(a_record(curve, **an_appetite(150.0)))
    assert answer == ("Your model takes 150 images/s. 2 workers are enough, measured.")
    curve = a_curve(of, measured, needed=500 * 0.95)
    answer = scaling.answer(a_record(curve, **an_appetite(500.0)))
    assert "It would take 6 workers" in answer
    assert answer.endswith("extrapolated by the universal scalability law.")


def test_without_a_model_the_answer_is_the_measured_growth() -> None:
    of = arms((1, 2), "cores")
    curve = a_curve(of, trials(of, LAW))
    assert scaling.answer(a_record(curve)) == (
        "2 cores have 1.90 times the rate of 1 core: 190 images/s, measured."
    )


def test_what_no_number_reaches_is_said() -> None:
    of = arms((1, 2, 4))
    curve = a_curve(of, trials(of, usl(100.0, 0.5)), needed=950.0)
    record = a_record(curve, **an_appetite(1000.0))
    assert scaling.answer(record) == (
        "Your model takes 1,000 images/s. No number of workers up to 1,024 is enough, extrapolated"
        " by the universal scalability law."
    )


def test_one_block_has_no_interval_and_the_answer_says_so() -> None:
    of = arms((1, 2, 4))
    curve = a_curve(of, trials(of, usl(100.0, 0.5), blocks=1), needed=950.0)
    answer = scaling.answer(a_record(curve, **an_appetite(1000.0)))
    assert "is enough (too few blocks for an interval), extrapolated by" in answer


def test_the_answer_names_a_model_once_for_workers_and_cores() -> None:
    curves = []
    axes: tuple[Axis, ...] = ("workers", "cores")
    for axis in axes:
        of = arms((1, 2, 4), axis)
        curves.append(a_curve(of, trials(of, usl(100.0, 0.5)), needed=950.0))
    answer = scaling.answer(a_record(*curves, **an_appetite(1000.0)))
    assert answer.count("Your model takes") == 1
    assert answer.count("No number of") == len(curves)


def test_notes_name_workers_that_share_cores_and_a_client_without_one() -> None:
    of = arms((1, 2, 4), alone=2)
    notes = scaling.notes(a_record(a_curve(of, trials(of, LAW))))
    assert any(note.startswith("4 workers shared 2 cores") for note in notes)
    assert any(note.startswith("With 2 workers, the client had no core") for note in notes)
    assert "It passes through every point, so nothing checks it." in " ".join(notes)


def test_a_busy_machine_is_named() -> None:
    of = arms((1, 2))
    used = Usage(seconds=10.0, cores=2.0, cpu_seconds=3.0, others_cpu_seconds=4.0)
    notes = scaling.notes(a_record(a_curve(of, trials(of, LAW, usage=used))))
    assert (
        "Other programs used up to 20.0% of the cores during the trials. The figures are those of"
        " a busy machine."
    ) in notes


@pytest.mark.thorough
def test_the_chart_has_a_broken_line_for_the_law_and_hollow_dots_for_shared_cores() -> None:
    of = arms((1, 2, 4), alone=2)
    curve = a_curve(of, trials(of, LAW))
    picture = curve_chart(a_record(curve), curve)
    assert picture is not None
    assert "stroke-dasharray" in picture
    assert "8 workers: about" in picture
    assert "1 worker: 100 images/s, measured" in picture
