"""Sentences on a model and its input."""

from __future__ import annotations

from typing import Any

from feedbench.bench.records.demand.demand import (
    CorePoint,
    CoreScaling,
    CoresNeeded,
    Cost,
    Demand,
    DemandCurve,
    Estimate,
    FedRow,
    ModelRecord,
)
from feedbench.bench.records.demand.published import PUBLISHED
from feedbench.reports import markdown
from feedbench.reports.sentences.demand import scaling, waiting
from tests.support.builders import a_row, a_run

REAL = ModelRecord(name="mnist_cnn", is_emulated=False)


def an_estimate(value: float) -> Estimate:
    return Estimate(value=value, low=0.9 * value, high=1.1 * value, blocks=8, level=0.99)


def a_fed_row(label: str, wait: float, verdict: Any, **given: Any) -> FedRow:
    return FedRow(label=label, wait=an_estimate(wait), verdict=verdict, **given)


def a_demand(*rows: FedRow, **given: Any) -> Demand:
    fields: dict[str, Any] = {"model": REAL, "appetite": an_estimate(820.0), "blocks": 8}
    return Demand(rows=list(rows), **fields | given)


def test_the_sentences_that_people_came_for() -> None:
    demand = a_demand(
        a_fed_row("image_data_generator", 0.64, "waits"),
        a_fed_row("tfdata_tuned:cache=none", 0.01, "does not wait"),
        enough=[Cost(label="tfdata_naive", cpu_seconds_per_1000_images=1.3)],
    )
    assert waiting.sentences(demand) == [
        "Your model takes 820 images/s here.",
        "tfdata_tuned:cache=none (waits 1%) feeds it.",
        "image_data_generator (waits 64%) does not.",
        (
            "The cheapest that is fast enough: tfdata_naive (1.3 CPU-s per 1,000 images, nothing"
            " written)."
        ),
    ]


def test_a_published_appetite_is_named_with_its_source() -> None:
    model = ModelRecord(
        name="resnet50@h100", is_emulated=True, appetite=1786.0, published=PUBLISHED[0]
    )
    demand = a_demand(model=model, appetite=an_estimate(1786.0))
    assert waiting.takes(demand) == (
        "A model like resnet50@h100 takes 1,786 images/s (MLPerf Storage v1.0 and v2.0, 2025)."
    )
    assert "400 images in 0.224 s" in waiting.source(demand)


def test_slower_steps_are_named() -> None:
    demand = a_demand(a_fed_row("a", 0.39, "waits", taken=0.38))
    (sentence,) = waiting.feeders(demand)
    assert sentence == "a (waits 39%; its steps are 38% slower) does not feed it."


def test_a_pipeline_that_failed_is_named_with_the_reason() -> None:
    demand = a_demand(FedRow(label="a", failures=["it raised OSError: gone"]))
    assert waiting.feeders(demand) == ["a could not feed it: it raised OSError: gone."]


def test_many_pipelines_are_counted() -> None:
    rows = [a_fed_row(label, 0.0, "does not wait") for label in "abcde"]
    assert waiting.feeders(a_demand(*rows)) == [
        "a (waits 0.0%), b (waits 0.0%) and 3 more feed it."
    ]


def test_no_pipeline_is_enough_only_if_all_were_judged() -> None:
    waits, unclear = a_fed_row("a", 0.5, "waits"), a_fed_row("b", 0.05, "cannot tell")
    assert waiting.cheapest(a_demand(waits)) == ["No pipeline is fast enough."]
    assert waiting.cheapest(a_demand(waits, unclear)) == []


def test_a_wait_is_never_below_zero() -> None:
    assert waiting.waits(a_fed_row("a", -0.002, "does not wait")) == "0.0%"


def test_a_curve_names_both_appetites_and_their_intervals() -> None:
    curve = DemandCurve(label="a", fed_at_90=an_estimate(1000.0), fed_at_99=an_estimate(800.0))
    assert waiting.fed_at(curve) == (
        "a feeds a model of 1,000 images/s (900 to 1,100) at 90% busy and 800 images/s"
        " (720 to 880) at 99% busy."
    )


def test_markdown_has_the_sentences_and_a_table() -> None:
    demand = a_demand(a_fed_row("a", 0.64, "waits", rate=an_estimate(300.0)))
    text = markdown.render(a_run(a_row("a"), demand=demand))
    assert "### Does the model wait?" in text
    assert "| a | waits | 64% | 300 |" in text


def a_scaling(**given: Any) -> CoreScaling:
    """A pipeline that was measured on one core and on two, as a model waits for it."""
    points = [
        CorePoint(cores=cores, rate=an_estimate(rate), wait=1 - rate / 820)
        for cores, rate in ((1, 205.0), (2, 410.0))
    ]
    return CoreScaling(label="tfdata_naive", points=points, **given)


def an_extrapolation(**given: Any) -> CoresNeeded:
    usual: dict[str, Any] = {"value": 3.8, "low": 3.6, "high": 4.1, "level": 0.99, "blocks": 8}
    return CoresNeeded(rate=779.0, serial_seconds=0.0, spread_seconds=1 / 205, **usual | given)


def test_what_was_measured_on_fewer_cores_is_apart_from_what_is_extrapolated() -> None:
    assert scaling.sentence(a_scaling(needed=an_extrapolation())) == (
        "tfdata_naive, measured: 205 images/s on 1 core (waits 75%) and 410 images/s on 2 cores"
        " (waits 50%). Extrapolated by Amdahl's law: \N{ALMOST EQUAL TO} 3.8 (3.6 to 4.1) cores"
        " for 779 images/s."
    )


def test_where_no_number_of_cores_is_enough_that_is_shown() -> None:
    none = an_extrapolation(value=None, low=None, high=None)
    assert "no number of cores gives 779 images/s." in scaling.sentence(a_scaling(needed=none))
    perhaps = an_extrapolation(value=None, low=31.0, high=None)
    assert scaling.needed(perhaps) == (
        "\N{ALMOST EQUAL TO} no number is enough"
        " (at the low end of the interval: \N{ALMOST EQUAL TO} 31)"
    )


def test_few_blocks_have_no_interval() -> None:
    few = an_extrapolation(low=None, high=None, level=None, blocks=1)
    assert scaling.needed(few) == "\N{ALMOST EQUAL TO} 3.8 (1 block, so no interval)"


def test_a_reason_stands_for_an_extrapolation_that_is_not_made() -> None:
    shown = scaling.sentence(a_scaling(why_not="on more cores it is not faster"))
    assert shown.endswith("Nothing is extrapolated: on more cores it is not faster.")


def test_the_table_has_a_column_for_each_number_of_cores() -> None:
    scalings = [a_scaling(needed=an_extrapolation()), CoreScaling(label="b", failures=["it died"])]
    assert [title for title, _, _ in scaling.titles(scalings)] == [
        "pipeline",
        "on 1 core",
        "on 2 cores",
        "in sequence",
        "cores that are enough",
    ]
    assert {len(cells) for cells in scaling.rows(scalings)} == {5}
    assert scaling.rows(scalings)[0][1] == "205 (184 to 226); waits 75.0%"


def test_how_well_the_law_holds_is_shown_where_it_was_checked() -> None:
    checked = [a_scaling(needed=an_extrapolation(misfit=0.031))]
    assert scaling.titles(checked)[4][0] == "law misses by"
    assert scaling.rows(checked)[0][4] == "3.1"


def test_steps_that_did_not_become_steady_are_shown() -> None:
    row = a_fed_row("a", 0.2, "waits", rate=an_estimate(600.0), unsteady=3)
    steps = "the steps of the model did not become steady in"
    assert waiting.notes(a_demand(row, unsteady=1)) == [
        f"With a batch that is ready, {steps} 1 of 8 trials.",
        f"With a, {steps} 3 of 8 trials.",
    ]


def test_disturbed_trials_that_were_left_out_are_counted() -> None:
    rows = [a_fed_row(label, 0.2, "waits", disturbed=2) for label in "ab"]
    assert waiting.notes(a_demand(*rows)) == [
        "Other programs disturbed 4 trials with the model, which were left out."
    ]
