"""What the page of a run shows: the values of its template. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from feedbench.bench.records.messages import DIAGNOSTIC
from feedbench.bench.records.proof import AMPLIFIED, MOST_NEAR, MOST_SAME
from feedbench.bench.records.run import LeftOut, RunRecord
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.records.tuning.tuning import TuningRecord
from feedbench.bench.verdicts.comparison import within
from feedbench.bench.verdicts.two_runs import Run
from feedbench.reports.charts import costs as costplots
from feedbench.reports.charts import demand as demandplots
from feedbench.reports.charts import rates, stages, time_order
from feedbench.reports.charts.tracks import NARROW, WIDE
from feedbench.reports.code import fastest
from feedbench.reports.html.sheets import Sheet
from feedbench.reports.html.templating import embedded
from feedbench.reports.html.waiting_data import Waiting, waiting_of
from feedbench.reports.sentences import autotune, costs, facts, why
from feedbench.reports.sentences.answer import answer, heading, no_ratios, sure
from feedbench.reports.sentences.citation import citation
from feedbench.reports.sentences.comparisons import comparison
from feedbench.reports.sentences.conditions import calm
from feedbench.reports.sentences.notes import notes
from feedbench.reports.sentences.tuning import answer as tuning_answer
from feedbench.reports.sentences.tuning import on_page as tuning_sentences
from feedbench.reports.tables import frames, full
from feedbench.reports.text import figures
from feedbench.reports.text.titles import Title


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The figures that the page's own sentences need, as text."""

    amplified: int
    most_same: str
    most_near: str
    folder_images: str
    part: str  # images, where a part of them was measured; else ""
    margin: str
    level: str
    time_reach: str
    machine_reach: str


@dataclass(frozen=True, kw_only=True)
class Beside:
    """The other environment of a run, and each pipeline's cells in both."""

    name: str
    answer: str
    rows: list[tuple[str, tuple[str, ...]]]  # by label
    notes: list[str]


@dataclass(frozen=True, kw_only=True)
class Reasons:
    """Why pipelines are as fast as they are."""

    advice: list[tuple[str, list[str]]]  # by label
    limits: list[str]
    ceilings: str | None
    waterfalls: list[tuple[str, str, why.Steps]]  # label, what stood in for it, its steps
    conclusions: list[tuple[str, str]]  # by label
    autotune: list[tuple[str, str, list[tuple[str, str, str, str]]]]  # label, budgets, stages
    autotune_titles: Sequence[Title]


@dataclass(frozen=True, kw_only=True)
class Calm:
    """How calm the machine was."""

    sentence: str | None
    cost: str | None
    titles: Sequence[Title]
    rows: list[tuple[str, ...]]  # a block each


@dataclass(frozen=True, kw_only=True)
class Code:
    """How to repeat the run, and the fastest pipelines as code."""

    command: str
    texts: list[tuple[str, str]]  # by label
    sentence: str


@dataclass(frozen=True, kw_only=True)
class PageData:
    """All that the template shows; `None`, "" or an empty collection for a missing part."""

    title: str
    started: str
    is_interrupted: bool
    is_empty: bool  # no pipeline has a rate
    answer: str
    sure: str
    heading: str
    no_ratios: str  # why; "" if there are some
    baseline: str
    colours: Mapping[str, str]  # by label
    charts: Mapping[str, tuple[Markup, Markup]]  # for a wide and for a narrow page
    tables: Mapping[str, full.Table]
    waiting: Waiting | None
    beside: Beside | None
    reasons: Reasons
    reigns: str | None
    sheets: Sequence[Sheet]
    calm: Calm
    notes: list[str]
    failed: list[facts.Failure]
    left_out: Sequence[LeftOut]
    facts: Sequence[tuple[str, str]]
    knobs: list[tuple[str, str, list[str]]]  # label, SPEC, knobs in effect
    citation: str
    code: Code
    limits: Limits
    data: Markup  # JSON
    tuning: list[str]  # sentences on the tuning that this run ended

    @property
    def has_reasons(self) -> bool:
        """Whether there is anything to say on why pipelines are as fast as they are."""
        reasons = self.reasons
        parts = (reasons.advice, reasons.limits, reasons.waterfalls, reasons.autotune)
        return any(parts) or "why" in self.tables

    @property
    def contents(self) -> list[tuple[str, str]]:
        """The sections that a reader looks for, by their ids, and what they are called."""
        sections = [
            ("waits", "Does my model wait?", self.waiting is not None),
            ("tuning", "Tuning", bool(self.tuning)),
            ("ratios", "Ratios", True),
            ("rates", "Rates", True),
            ("waits", "Does my model wait?", self.waiting is None),
            (
                "against",
                f"Compared with {self.beside.name}" if self.beside else "",
                bool(self.beside),
            ),
            ("reasons", "Why", self.has_reasons),
            ("costs", "Costs", True),
            ("equal", "Equal work", True),
            ("calm", "Calm", True),
            ("time", "Time order", "time" in self.charts),
            ("notes", "Notes", True),
            ("failed", "Failed trials", bool(self.failed)),
            ("environment", "Machine", True),
            ("repeat", "Repeat it", True),
            ("cite", "Cite it", True),
            ("code", "Code", bool(self.code.sentence)),
            ("glossary", "How to read it", True),
        ]
        return [(name, title) for name, title, is_there in sections if is_there]


def page_data(
    run: RunRecord,
    trials: Sequence[TrialRecord],
    strips: Sequence[Sheet] = (),
    images: fastest.Images | None = None,
    tuning: TuningRecord | None = None,
) -> PageData:
    """Return what the page of a run shows, with its contact sheets and its list of images.

    `tuning` is the one that this run ended.
    """
    spent = costs.costs(run)
    reigning = costs.reigns(run, spent)
    return PageData(
        title=f"Feedbench: {Path(run.workload.folder).name}",
        started=facts.moment(run.started_at),
        is_interrupted=run.status != "complete",
        is_empty=not any(figures.is_known(row.rate) for row in run.rows),
        answer=answer(run) if tuning is None else tuning_answer(tuning),
        sure=sure(run),
        heading=heading(run),
        no_ratios=no_ratios(run),
        baseline=run.rows[0].label if run.rows else "",
        colours=rates.colours(run),
        charts=dict(_charts(run, trials, spent, reigning)),
        tables={table.name: table for table in full.tables(run, spent)},
        waiting=waiting_of(run),
        beside=_beside(run, trials),
        reasons=_reasons(run),
        reigns=costs.sentence(reigning, spent, run.margin) or costs.unpriced(run, spent),
        sheets=strips,
        calm=_calm(run, trials),
        notes=notes(run),
        failed=[facts.failure(trial) for trial in trials if _has_failed(trial)],
        left_out=run.workload.left_out,
        facts=facts.facts(run),
        knobs=[(row.label, row.spec, figures.knobs(row)) for row in run.rows],
        citation=citation(run),
        code=_code(run, images),
        limits=_limits(run, trials),
        data=embedded(frames.as_data(run, trials)),
        tuning=[] if tuning is None else tuning_sentences(tuning, answer(run)),
    )


def _limits(run: RunRecord, trials: Sequence[TrialRecord]) -> Limits:
    return Limits(
        amplified=AMPLIFIED,
        most_same=f"{MOST_SAME:g}",
        most_near=f"{MOST_NEAR:g}",
        folder_images=f"{run.workload.folder_images:,}",
        part=f"{run.workload.images:,}" if run.workload.is_part else "",
        margin=f"{100 * run.margin:.4g}%",
        level=figures.level(run.rows) or "99%",
        time_reach=_times(time_order.reach(run, trials)),
        machine_reach=_times(time_order.machine_reach(run, trials)),
    )


def _times(most: float) -> str:
    return f"1/{most:.3g} and {most:.3g}"


def _beside(run: RunRecord, trials: Sequence[TrialRecord]) -> Beside | None:
    if run.against is None:
        return None
    both = within(Run("", run, trials), run.margin)
    return Beside(
        name=run.against.name,
        answer=comparison.answer(both),
        rows=[(pipeline.label, comparison.cells(pipeline)) for pipeline in both.pipelines],
        notes=comparison.notes(both),
    )


def _reasons(run: RunRecord) -> Reasons:
    diagnosis = run.diagnosis
    waterfalls = [] if diagnosis is None else diagnosis.waterfalls
    traces = {} if diagnosis is None else diagnosis.traces
    return Reasons(
        advice=why.by_pipeline(run),
        limits=why.limits(run),
        ceilings=why.ceilings(diagnosis) if diagnosis else None,
        waterfalls=[
            (each.label, each.like, why.steps(each, traces.get(each.label))) for each in waterfalls
        ],
        conclusions=why.conclusions(run),
        autotune=autotune.by_stage(run),
        autotune_titles=autotune.TITLES,
    )


def _calm(run: RunRecord, trials: Sequence[TrialRecord]) -> Calm:
    titles, rows = calm.by_block(run, trials)
    return Calm(sentence=calm.sentence(run.calm), cost=calm.cost(run), titles=titles, rows=rows)


def _code(run: RunRecord, images: fastest.Images | None) -> Code:
    texts = fastest.codes(run, images)
    return Code(command=facts.command(run), texts=texts, sentence=fastest.sentence(run, texts))


def _has_failed(trial: TrialRecord) -> bool:
    return trial.ended == "failed" and trial.purpose not in DIAGNOSTIC


def _charts(
    run: RunRecord,
    trials: Sequence[TrialRecord],
    spent: Sequence[costs.Cost],
    reigning: Sequence[costs.Reign],
) -> Iterator[tuple[str, tuple[Markup, Markup]]]:
    """Yield each chart, for a wide and for a narrow page."""
    blocks = frames.blocks(run, trials)
    drawn: dict[str, Callable[[int], str | None]] = {
        "ratios": lambda width: rates.ratios(run, blocks, width),
        "rates": lambda width: rates.rates(run, blocks, width),
        "demand": lambda width: demandplots.curves(run, width),
        "stages": lambda width: stages.stages(run, width),
        "epochs": lambda width: costplots.epochs(run, spent, reigning, width),
        "calm": lambda width: time_order.calm(run, trials, width),
        "time": lambda width: time_order.blocks(run, trials, width),
    }
    for name, chart in drawn.items():
        wide, narrow = chart(WIDE), chart(NARROW)
        if wide is not None and narrow is not None:
            yield name, (Markup(wide), Markup(narrow))  # noqa: S704 - escaped in svg.py
