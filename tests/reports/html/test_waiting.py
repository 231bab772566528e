"""What the page of a run shows of a model and its input."""

from __future__ import annotations

import re

from msgspec.structs import replace

from feedbench.bench.records.demand.demand import CorePoint, CoreScaling, CoresNeeded, Estimate
from feedbench.bench.records.run import RunRecord
from feedbench.reports.charts import demand as chart
from feedbench.reports.html import page
from tests.support.runs.demands import a_demand_run, trials_of_it


def text_of(run: RunRecord) -> str:
    return page.render(run, trials_of_it())


def section(whole: str) -> str:
    return whole[whole.index('<h2 id="waits">') :].partition("</section>")[0]


def places(whole: str) -> tuple[int, int]:
    return whole.index('<h2 id="waits">'), whole.index('<h2 id="ratios">')


def test_a_run_with_a_model_answers_right_after_its_head() -> None:
    whole = text_of(a_demand_run())
    waits, ratios = places(whole)
    assert waits < ratios
    shown = section(whole)
    assert "takes 820 images/s" in shown
    assert "The cheapest that is fast enough: tfdata_tuned (" in shown
    assert "21.6 to 22.4" in shown
    assert "\N{ALMOST EQUAL TO} 2.5 (2.3 to 2.6; 2 now)" in shown
    assert "664x664, not 775x775" in shown
    assert 'id="cores"' not in shown


def test_a_run_without_one_has_one_line_on_how_to_ask_after_its_rates() -> None:
    whole = text_of(replace(a_demand_run(), demand=None))
    waits, ratios = places(whole)
    assert waits > ratios
    assert "--appetite 1786" in section(whole)
    assert "<table" not in section(whole)


def test_a_model_without_curves_has_no_chart_of_them() -> None:
    run = a_demand_run()
    assert run.demand is not None
    shown = section(text_of(replace(run, demand=replace(run.demand, curves=[]))))
    assert 'id="demand"' not in shown
    assert "takes 820 images/s" in shown


def test_curves_without_a_model_have_a_chart_and_no_verdict() -> None:
    run = a_demand_run()
    assert run.demand is not None
    alone = replace(run.demand, model=None, appetite=None, rows=[], enough=[])
    shown = section(text_of(replace(run, demand=alone)))
    assert 'id="demand"' in shown
    assert "What it would take" not in shown


def test_the_chart_marks_accelerators_ceilings_and_the_model_with_their_sources() -> None:
    run = a_demand_run()
    marks = {mark.name: mark for mark in chart.marks(run)}
    assert marks["your model"].value == 820
    assert marks["this machine reads and decodes"].value == 2400
    assert "MLPerf Storage" in marks["resnet50@h100"].source
    assert [mark.number for mark in marks.values()] == [str(n) for n in range(1, len(marks) + 1)]
    assert [mark.value for mark in marks.values()] == sorted(mark.value for mark in marks.values())
    drawn = chart.curves(run)
    assert drawn is not None
    assert "tfdata_naive: 714 images/s at 90%" in drawn
    assert all(re.search(f">{mark.number}</text>", drawn) for mark in marks.values())


def test_a_pipeline_on_fewer_cores_has_a_table_and_its_figure_among_the_remedies() -> None:
    run = a_demand_run()
    assert run.demand is not None
    rates = {1: 330.0, 2: 640.0}
    points = [
        CorePoint(cores=cores, rate=Estimate(value=rate, blocks=8)) for cores, rate in rates.items()
    ]
    needed = CoresNeeded(
        rate=779.0, serial_seconds=0.0, spread_seconds=0.003, value=2.7, low=2.55, high=3.3,
        level=0.99, blocks=8,
    )  # fmt: skip
    scaling = CoreScaling(label="tfdata_naive", points=points, needed=needed)
    shown = section(text_of(replace(run, demand=replace(run.demand, cores=[scaling]))))
    assert "Two numbers of cores always fit the law" in shown
    assert shown.count("\N{ALMOST EQUAL TO} 2.7 (2.5 to 3.3)") == 2
