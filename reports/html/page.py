"""A run as one HTML page that asks the network for nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from feedbench.bench import files
from feedbench.bench.records.messages import DIAGNOSTIC
from feedbench.bench.records.proof import AMPLIFIED, MOST_NEAR, MOST_SAME
from feedbench.bench.records.run import RunRecord
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.verdicts.comparison import within
from feedbench.reports.charts import costs as costplots
from feedbench.reports.charts import rates, stages, time_order
from feedbench.reports.charts.tracks import NARROW, WIDE
from feedbench.reports.code import fastest
from feedbench.reports.html import sheets
from feedbench.reports.html.templating import embedded, rendered
from feedbench.reports.sentences import autotune, calm, comparison, costs, facts, why
from feedbench.reports.sentences.answer import answer, heading, notes, sure
from feedbench.reports.tables import frames, full
from feedbench.reports.text import figures

NAME = "report.html"


def write(folder: Path, to: Path | None = None) -> Path:
    """Write a run folder's page, by default as its report.html, and return where it lies.

    Raises RequestError where the folder holds no run, or the page cannot be written.
    """
    return files.replace(to or folder / NAME, read(folder))


def read(folder: Path) -> str:
    """Return the page of a run folder. Raises RequestError where it is none, or broken."""
    run, trials = frames.read(folder)
    return render(run, trials, sheets.read(folder, run), fastest.listed(folder, run))


def render(
    run: RunRecord,
    trials: Sequence[TrialRecord],
    strips: Sequence[sheets.Sheet] = (),
    images: fastest.Images | None = None,
) -> str:
    """Return the page of a run, with its contact sheets and its list of images, if there are."""
    spent = costs.costs(run)
    reigning = costs.reigns(run, spent)
    codes = fastest.codes(run, images)
    found: dict[str, Any] = {
        "title": f"Feedbench: {Path(run.workload.folder).name}",
        "started": facts.moment(run.started_at),
        "interrupted": run.status != "complete",
        "is_empty": not any(figures.is_known(row.rate) for row in run.rows),
        "answer": answer(run),
        "sure": sure(run),
        "heading": heading(run),
        "baseline": run.rows[0].label if run.rows else "",
        "charts": dict(_charts(run, trials, spent, reigning)),
        "against": _against(run, trials),
        "tables": {each.name: each for each in full.tables(run, spent)},
        "colours": rates.colours(run),
        "sheets": strips,
        "notes": notes(run),
        "advice": why.by_pipeline(run),
        "limits": why.limits(run),
        "ceilings": why.ceilings(run.diagnosis) if run.diagnosis else None,
        "waterfalls": _waterfalls(run),
        "conclusions": why.conclusions(run),
        "autotune": autotune.by_stage(run),
        "autotune_titles": autotune.TITLES,
        "reigns": costs.sentence(reigning, spent, run.margin),
        "calm_sentence": calm.sentence(run.calm),
        "calm_cost": calm.cost(run),
        "machine": calm.by_block(run, trials),
        "knobs": [(row.label, row.spec, figures.knobs(row)) for row in run.rows],
        "failed": [facts.failure(trial) for trial in trials if _has_failed(trial)],
        "left_out": run.workload.left_out,
        "facts": facts.facts(run),
        "command": facts.command(run),
        "codes": codes,
        "code_sentence": fastest.sentence(run, codes),
        "data": embedded(frames.as_data(run, trials)),
    }
    found |= _limits(run, trials)
    return rendered("page.html.j2", contents=list(_contents(found)), **found)


def _limits(run: RunRecord, trials: Sequence[TrialRecord]) -> dict[str, str | int]:
    """Return the figures that the page's own sentences need."""
    return {
        "amplified": AMPLIFIED,
        "most_same": f"{MOST_SAME:g}",
        "most_near": f"{MOST_NEAR:g}",
        "folder_images": f"{run.workload.folder_images:,}",
        "part": f"{run.workload.images:,}" if run.workload.is_part else "",
        "margin": f"{100 * run.margin:.4g}%",
        "level": figures.level(run.rows) or "99%",
        "time_reach": _times(time_order.reach(run, trials)),
        "machine_reach": _times(time_order.machine_reach(run, trials)),
    }


def _times(most: float) -> str:
    return f"1/{most:.3g} and {most:.3g} times that"


def _contents(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the sections that a reader looks for, and what they are called."""
    yield from (("ratios", "Ratios"), ("rates", "Rates"))
    if found["against"]:
        yield "against", f"Beside {found['against'][0]}"
    if (
        any(map(found.get, ("advice", "limits", "waterfalls", "autotune")))
        or "why" in found["tables"]
    ):
        yield "reasons", "Why"
    yield from (("costs", "Costs"), ("equal", "Equal work"), ("calm", "Calm"))
    if "time" in found["charts"]:
        yield "time", "Time order"
    yield "notes", "Notes"
    if found["failed"]:
        yield "failed", "Failed trials"
    yield from (("environment", "Machine"), ("repeat", "Repeat it"))
    if found["code_sentence"]:
        yield "code", "Code"
    yield "glossary", "How to read it"


def _against(
    run: RunRecord, trials: Sequence[TrialRecord]
) -> tuple[str, str, list[tuple[str, tuple[str, ...]]], list[str]] | None:
    """Return the other environment, the answer, each pipeline's cells beside it, and the notes."""
    if run.against is None:
        return None
    found = within(("", run, trials), run.margin)
    rows = [(one.label, comparison.cells(one)) for one in found.pipelines]
    return run.against.name, comparison.answer(found), rows, comparison.notes(found)


def _has_failed(trial: TrialRecord) -> bool:
    return trial.ended == "failed" and trial.purpose not in DIAGNOSTIC


def _waterfalls(run: RunRecord) -> list[tuple[str, str, why.Steps]]:
    """Return each pipeline that was cut off step by step, what stood in for it, and its steps."""
    found = run.diagnosis
    if found is None:
        return []
    return [
        (each.label, each.like, why.steps(each, found.traces.get(each.label)))
        for each in found.waterfalls
    ]


def _charts(
    run: RunRecord,
    trials: Sequence[TrialRecord],
    spent: Sequence[costs.Cost],
    reigning: Sequence[costs.Reign],
) -> Iterator[tuple[str, tuple[Markup, Markup]]]:
    """Yield each chart that there is, for a wide and for a narrow page."""
    blocks = frames.blocks(run, trials)
    drawn: dict[str, Callable[[int], str | None]] = {
        "ratios": lambda width: rates.ratios(run, blocks, width),
        "rates": lambda width: rates.rates(run, blocks, width),
        "stages": lambda width: stages.stages(run, width),
        "epochs": lambda width: costplots.epochs(run, spent, reigning, width),
        "calm": lambda width: time_order.calm(run, trials, width),
        "time": lambda width: time_order.blocks(run, trials, width),
    }
    for name, chart in drawn.items():
        wide, narrow = chart(WIDE), chart(NARROW)
        if wide is not None and narrow is not None:
            yield name, (Markup(wide), Markup(narrow))  # noqa: S704 - escaped in svg.py
