"""Runs that show for which pipelines a model waits."""

from __future__ import annotations

from typing import Any

from feedbench.bench.records.demand.demand import (
    CurvePoint,
    Demand,
    DemandCurve,
    Estimate,
    FedRow,
    ModelRecord,
    Waiting,
)
from feedbench.bench.records.demand.published import PUBLISHED
from feedbench.bench.records.diagnosis import Ceiling, Diagnosis, Stage, Step, Trace, Waterfall
from feedbench.bench.records.row import Row
from feedbench.bench.records.run import RunRecord
from feedbench.bench.verdicts.demand.cheapest import enough
from feedbench.bench.verdicts.demand.curve import TARGETS, Point, crossing_of
from tests.support.builders import a_proof, a_row, a_run, trials_of

RATES = {
    "image_data_generator": 300.0,
    "tfdata_naive": 640.0,
    "tfdata_tuned:cache=none": 1100.0,
    "tfdata_tuned": 5200.0,
}
"""Images/s of each pipeline alone."""

APPETITE = 820.0
MARGIN = 0.05


def a_fed_row(label: str, rate: float, appetite: float = APPETITE, **given: Any) -> FedRow:
    """A pipeline that works while the model does: the model waits if it is the slower one."""
    wait = max(1 - rate / appetite, 0.002)
    verdict: Waiting = "waits" if wait > MARGIN else "does not wait"
    return FedRow(
        label=label,
        verdict=verdict,
        wait=Estimate(value=wait, low=wait - 0.004, high=wait + 0.004, blocks=8, level=0.99),
        rate=Estimate(value=min(rate, appetite), blocks=8),
        **{"taken": 0.012, "cpu_seconds_per_1000_images": 2000 / rate, **given},
    )


def a_curve(label: str, rate: float) -> DemandCurve:
    """The curve of a pipeline that works while the model does, measured in two blocks."""
    points = [
        CurvePoint(
            appetite=rate * factor * (1 + 0.004 * block),
            utilisation=min(1.0, 1 / factor) - 0.002 * block,
            block=block,
        )
        for factor in (0.8, 0.97, 1.02, 1.1, 1.3)
        for block in (1, 2)
    ]
    points.sort(key=lambda point: point.appetite)
    found = [crossing_of([Point(p.appetite, p.utilisation) for p in points], t) for t in TARGETS]
    fed = [None if each is None else _estimate(each) for each in found]
    return DemandCurve(label=label, points=points, fed_at_90=fed[0], fed_at_99=fed[1])


def _estimate(value: float) -> Estimate:
    return Estimate(value=value, low=0.97 * value, high=1.03 * value, blocks=4, level=0.99)


def slow_row(label: str, rate: float, **given: Any) -> Row:
    """A row of a pipeline that keeps both cores busy."""
    return a_row(
        label,
        rate,
        **{
            "rate_low": 0.98 * rate,
            "rate_high": 1.02 * rate,
            "cpu_seconds_per_1000_images": 1900 / rate,
            "cpu_utilisation": 0.95,
            "proof": a_proof(),
            **given,
        },
    )


def a_diagnosis(labels: list[str]) -> Diagnosis:
    """A half of each pipeline's CPU time is decoding, of photos of 0.6 megapixels."""
    stages = [Stage(name="decode", ms=1.0), Stage(name="resize", ms=1.0)]
    return Diagnosis(
        traces={label: Trace(folder="", stages=stages) for label in labels},
        ceilings=[
            Ceiling(name="read", rate=9000.0),
            Ceiling(name="decode", rate=2400.0),
            Ceiling(name="ready", rate=60_000.0),
        ],
        waterfalls=[
            Waterfall(
                label="tfdata_naive",
                steps=[
                    Step(name="read", rate=9000.0, cpu_ms=0.2),
                    Step(name="decode", rate=900.0, cpu_ms=2.2),
                    Step(name="the rest", rate=640.0, cpu_ms=2.97),
                ],
            )
        ],
        source_pixels=600_000.0,
    )


def a_demand_run(
    rates: dict[str, float] = RATES, model: ModelRecord | None = None, **given: Any
) -> RunRecord:
    """A run of these pipelines, a model that they feed, and their demand curves."""
    rows = [slow_row(label, rate) for label, rate in rates.items()]
    fed = [a_fed_row(label, rate) for label, rate in rates.items()]
    demand = Demand(
        model=model or ModelRecord(name="39 ms", is_emulated=True, appetite=APPETITE),
        blocks=8,
        appetite=Estimate(value=APPETITE, low=818.0, high=822.0, blocks=8, level=0.99),
        step_seconds=32 / APPETITE,
        rows=fed,
        enough=enough(rows, fed, "cpu"),
        curves=[a_curve(label, rate) for label, rate in rates.items()],
        curve_blocks=2,
        accelerators=list(PUBLISHED),
        seconds=63.0,
    )
    run = {"diagnosis": a_diagnosis([*rates]), "demand": demand, "margin": MARGIN, **given}
    return a_run(*rows, **run)


def trials_of_it(rates: dict[str, float] = RATES) -> list[Any]:
    """The trials of such a run."""
    return trials_of({label: [round(rate)] * 4 for label, rate in rates.items()})
