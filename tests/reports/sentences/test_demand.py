"""Sentences on a model and its input."""

from __future__ import annotations

from typing import Any

from feedbench.bench.records.demand.demand import (
    Cost,
    Demand,
    DemandCurve,
    Estimate,
    FedRow,
    ModelRecord,
)
from feedbench.bench.records.demand.published import PUBLISHED
from feedbench.reports import markdown
from feedbench.reports.sentences.demand import waiting
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
        "tfdata_tuned:cache=none (waits 1 %) feeds it.",
        "image_data_generator (waits 64 %) does not.",
        "The cheapest that is enough: tfdata_naive (1.3 CPU-s per 1,000 images, nothing written).",
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
    assert sentence == "a (waits 39 %; its steps are 38 % slower) does not feed it."


def test_a_pipeline_that_failed_is_named_with_the_reason() -> None:
    demand = a_demand(FedRow(label="a", failures=["it raised OSError: gone"]))
    assert waiting.feeders(demand) == ["a could not feed it: it raised OSError: gone."]


def test_many_pipelines_are_counted() -> None:
    rows = [a_fed_row(label, 0.0, "does not wait") for label in "abcde"]
    assert waiting.feeders(a_demand(*rows)) == [
        "a (waits 0.0 %), b (waits 0.0 %) and 3 more feed it."
    ]


def test_no_pipeline_is_enough_only_if_all_were_judged() -> None:
    waits, unclear = a_fed_row("a", 0.5, "waits"), a_fed_row("b", 0.05, "cannot tell")
    assert waiting.cheapest(a_demand(waits)) == ["No pipeline is enough."]
    assert waiting.cheapest(a_demand(waits, unclear)) == []


def test_a_wait_is_never_below_zero() -> None:
    assert waiting.waits(a_fed_row("a", -0.002, "does not wait")) == "0.0 %"


def test_a_curve_names_both_appetites_and_their_intervals() -> None:
    curve = DemandCurve(label="a", fed_at_90=an_estimate(1000.0), fed_at_99=an_estimate(800.0))
    assert waiting.fed_at(curve) == (
        "a feeds a model of 1,000 images/s (900 to 1,100) at 90 % busy and 800 images/s"
        " (720 to 880) at 99 % busy."
    )


def test_markdown_has_the_sentences_and_a_table() -> None:
    demand = a_demand(a_fed_row("a", 0.64, "waits", rate=an_estimate(300.0)))
    text = markdown.render(a_run(a_row("a"), demand=demand))
    assert "### Does the model wait?" in text
    assert "| a | waits | 64 % | 300 |" in text
