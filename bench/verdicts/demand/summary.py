"""What the trials that feed a model show, pipeline by pipeline. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from feedbench.bench.records.conditions.usage import Usage
from feedbench.bench.records.demand.demand import (
    CoreScaling,
    CostName,
    CurvePoint,
    Demand,
    DemandCurve,
    Estimate,
    FedRow,
    ModelRecord,
)
from feedbench.bench.records.demand.feeding import Feeding
from feedbench.bench.records.demand.published import PUBLISHED
from feedbench.bench.records.messages import Purpose
from feedbench.bench.records.row import Row
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.verdicts.demand.cheapest import enough
from feedbench.bench.verdicts.demand.curve import TARGETS, Point, crossing_of
from feedbench.bench.verdicts.demand.scaling import Enough, is_shared, scaling_of
from feedbench.bench.verdicts.demand.waiting import (
    appetite_of,
    estimate_of,
    is_precise,
    more_blocks,
    rate_of,
    verdict,
    waits_of,
)
from feedbench.bench.verdicts.intervals import ONCE, Certainty
from feedbench.bench.verdicts.resources import gpus_of


@dataclass(frozen=True, kw_only=True)
class Terms:
    """How the trials are judged."""

    model: ModelRecord | None
    margin: float
    cost: CostName
    certainty: Certainty = ONCE
    blocks: int = 0  # that are completed, of those that feed the model
    curve_blocks: int = 0
    core_blocks: int = 0


def demand_of(trials: Sequence[TrialRecord], rows: Sequence[Row], terms: Terms) -> Demand:
    """Return what the completed blocks show; `rows` are those of the main blocks."""
    level = terms.certainty.level_of(len(rows))
    ready = _Fed.of(trials, "appetite", None, terms.blocks)
    appetites = ready.rates
    fed = [
        _row(_Fed.of(trials, "model", row.label, terms.blocks), row.label, ready, level, terms)
        for row in rows
    ]
    curves = [_curve(trials, row.label, level, terms) for row in rows]
    steps = [each.step_seconds for each in ready.feedings.values()]
    return Demand(
        model=terms.model,
        blocks=terms.blocks,
        appetite=rate_of([*appetites.values()], level, terms.certainty) if appetites else None,
        step_seconds=fmean(steps) if steps else None,
        unsteady=ready.unsteady,
        rows=fed if terms.model is not None else [],
        enough=enough(rows, fed, terms.cost),
        cost=terms.cost,
        curves=[curve for curve in curves if curve.points or curve.failures],
        curve_blocks=terms.curve_blocks,
        accelerators=list(PUBLISHED),
        cores=_cores(trials, fed, appetites, level, terms),
        core_blocks=terms.core_blocks,
    )


def _cores(
    trials: Sequence[TrialRecord],
    fed: Sequence[FedRow],
    appetites: Mapping[int, float],
    level: float,
    terms: Terms,
) -> list[CoreScaling]:
    """Return what the completed blocks on fewer cores show of each pipeline that has any."""
    if terms.model is None or not appetites:
        return []
    completed = [trial for trial in trials if 1 <= trial.block <= terms.core_blocks]
    appetite = rate_of([*appetites.values()], level, terms.certainty).value
    enough = Enough(
        appetite=appetite,
        rate=appetite * (1 - terms.margin),
        is_shared=is_shared(terms.model, fed),
    )
    scalings = [scaling_of(row.label, completed, enough, level, terms.certainty) for row in fed]
    return [each for each in scalings if each.points or each.failures]


def are_precise(trials: Sequence[TrialRecord], labels: Sequence[str], terms: Terms) -> bool:
    """Return whether the shares of these pipelines are known as narrowly as the margin asks."""
    level = terms.certainty.level_of(len(labels))
    appetites = _Fed.of(trials, "appetite", None, terms.blocks).rates
    return all(
        is_precise(
            [*waits_of(_Fed.of(trials, "model", label, terms.blocks).rates, appetites).values()],
            level,
            terms.margin,
            terms.certainty,
        )
        for label in labels
    )


@dataclass(frozen=True)
class _Fed:
    """The trials of one pipeline that feed the model, one a block."""

    feedings: Mapping[int, Feeding]  # by block
    usages: Sequence[tuple[Usage, float]]  # with the rate of the same trial
    disturbed: int
    failures: Sequence[str]

    @classmethod
    def of(
        cls, trials: Sequence[TrialRecord], purpose: Purpose, label: str | None, blocks: int
    ) -> _Fed:
        """Collect the trials of a label, or all of a purpose; disturbed ones only if all are."""
        mine = [
            trial
            for trial in trials
            if trial.purpose == purpose and (label is None or trial.label == label)
        ]
        done = [
            trial
            for trial in mine
            if trial.measured is not None
            and trial.measured.feedings
            and 1 <= trial.block <= blocks  # not the trial before the blocks
        ]
        calm = [trial for trial in done if not trial.is_disturbed] or done
        feedings = {
            trial.block: trial.measured.feedings[0] for trial in calm if trial.measured is not None
        }
        return cls(
            feedings=feedings,
            usages=[
                (trial.usage, feedings[trial.block].rate)
                for trial in calm
                if trial.usage is not None
            ],
            disturbed=len(done) - len(calm),
            failures=[trial.why or "" for trial in mine if trial.is_failure],
        )

    @property
    def unsteady(self) -> int:
        return sum(not feeding.is_steady for feeding in self.feedings.values())

    @property
    def rates(self) -> dict[int, float]:
        return {block: feeding.rate for block, feeding in self.feedings.items()}


def _row(fed: _Fed, label: str, ready: _Fed, level: float, terms: Terms) -> FedRow:
    waits = waits_of(fed.rates, ready.rates)
    if not waits:
        return FedRow(label=label, disturbed=fed.disturbed, failures=[*fed.failures])
    wait = estimate_of([*waits.values()], level, terms.certainty)
    word = verdict(wait, terms.margin)
    more = None
    if word == "cannot tell":
        more = more_blocks([*waits.values()], level, terms.margin, terms.certainty)
    pairs = [(fed.feedings[block], ready.feedings[block]) for block in waits]
    return FedRow(
        label=label,
        verdict=word,
        wait=wait,
        rate=rate_of([*fed.rates.values()], level, terms.certainty),
        utilisation=fmean(mine.utilisation for mine, _ in pairs),
        busy_rate=1 / fmean(1 / mine.busy_rate for mine, _ in pairs),
        taken=fmean(1 - mine.busy_rate / other.busy_rate for mine, other in pairs),
        cpu_seconds_per_1000_images=_cpu(fed.usages),
        gpus=gpus_of([usage.gpus for usage, _ in fed.usages]),
        more_blocks=more,
        unsteady=fed.unsteady,
        disturbed=fed.disturbed,
        failures=[*fed.failures],
    )


def _cpu(usages: Sequence[tuple[Usage, float]]) -> float | None:
    figures = [
        1000 * usage.cpu_seconds / (usage.seconds * rate)
        for usage, rate in usages
        if usage.cpu_seconds is not None and usage.seconds * rate
    ]
    return fmean(figures) if figures else None


def _curve(trials: Sequence[TrialRecord], label: str, level: float, terms: Terms) -> DemandCurve:
    mine = [trial for trial in trials if trial.purpose == "curve" and trial.label == label]
    points = [
        CurvePoint(appetite=feeding.appetite, utilisation=feeding.utilisation, block=trial.block)
        for trial in mine
        if trial.measured is not None and trial.block <= terms.curve_blocks
        for feeding in trial.measured.feedings
        if feeding.appetite is not None
    ]
    at_90, at_99 = (_crossing(points, target, level, terms.certainty) for target in TARGETS)
    return DemandCurve(
        label=label,
        points=sorted(points, key=lambda point: point.appetite),
        fed_at_90=at_90,
        fed_at_99=at_99,
        failures=[trial.why or "" for trial in mine if trial.is_failure],
    )


def _crossing(
    points: Sequence[CurvePoint], target: float, level: float, certainty: Certainty
) -> Estimate | None:
    """Return the mean over blocks of the appetite at which the curve crosses a target."""
    crossings = []
    for block in sorted({point.block for point in points}):
        of_block = [Point(p.appetite, p.utilisation) for p in points if p.block == block]
        if (crossing := crossing_of(of_block, target)) is not None:
            crossings.append(crossing)
    return appetite_of(crossings, level, certainty) if crossings else None
