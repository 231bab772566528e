"""Several runs side by side as one HTML page: ratios inside each run only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from feedbench.bench.records.row import Row
from feedbench.bench.records.run import RunRecord
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.text import capital, counted
from feedbench.reports.charts import rates
from feedbench.reports.html.templating import rendered
from feedbench.reports.sentences import facts
from feedbench.reports.sentences.answer import answer, heading, no_ratios
from feedbench.reports.sentences.comparisons.side_by_side import fastest, feeds
from feedbench.reports.tables import frames
from feedbench.reports.text import figures, palette
from feedbench.reports.text.figures import MISSING, percent, seconds, shown

Run = tuple[str, RunRecord, Sequence[TrialRecord]]
"""A run's name, its record and its trials."""

Cell = tuple[str, str]
"""A figure, and what is next to it in small type."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A run's part of the page."""

    name: str
    started: str
    heading: str
    answer: str
    baseline: str
    ratios: Markup | None  # their chart
    no_ratios: str  # why there is no such chart
    rates: Markup | None  # their chart


@dataclass(frozen=True, kw_only=True)
class Figures:
    """A table of one figure: a row a pipeline, a column a run."""

    name: str
    title: str
    unit: str
    rows: list[tuple[str, list[Cell]]]  # by label


@dataclass(frozen=True, kw_only=True)
class RunsData:
    """What the page of several runs shows."""

    title: str
    answer: str
    feeds: str  # which run feeds faster
    names: list[str]
    colours: Mapping[str, str]  # by label
    panels: list[Panel]
    tables: list[Figures]
    differences: list[tuple[str, list[str]]]  # a fact, and what it is in each run


def read(folders: Sequence[Path]) -> str:
    """Return the page of these run folders. Raises RequestError if one is not one, or is broken."""
    names = _names([str(folder) for folder in folders])
    return render([(name, *frames.read(each)) for name, each in zip(names, folders, strict=True)])


def render(runs: Sequence[Run]) -> str:
    """Return the page of these runs, in their order."""
    drawn = [(run, frames.blocks(run, trials)) for _, run, trials in runs]
    labels = list(dict.fromkeys(row.label for _, run, _ in runs for row in run.rows))
    named = [(name, run) for name, run, _ in runs]
    charts = zip(rates.side_by_side(drawn), rates.rates_side_by_side(drawn), strict=True)
    data = RunsData(
        title=f"Feedbench: {counted(len(runs), 'run')}",
        answer=fastest(named),
        feeds=feeds(named),
        names=[name for name, _ in named],
        colours=palette.colours(labels),
        panels=[_panel(*each, *pair) for each, pair in zip(named, charts, strict=True)],
        tables=list(_tables(runs, labels)),
        differences=list(differences([run for _, run in named])),
    )
    return rendered("runs.html.j2", data)


def _panel(name: str, run: RunRecord, ratios: str | None, its_rates: str | None) -> Panel:
    return Panel(
        name=name,
        started=facts.moment(run.started_at),
        heading=capital(heading(run)),
        answer=answer(run),
        baseline=run.rows[0].label if run.rows else MISSING,
        ratios=_markup(ratios),
        no_ratios=no_ratios(run),
        rates=_markup(its_rates),
    )


def _markup(chart: str | None) -> Markup | None:
    return None if chart is None else Markup(chart)  # noqa: S704 - escaped in svg.py


def differences(runs: Sequence[RunRecord]) -> Iterator[tuple[str, list[str]]]:
    """Yield each property that differs between the runs, with its value in each."""
    for term, fact in _FACTS.items():
        values = [fact(run) for run in runs]
        if len(set(values)) > 1:
            yield term, values
    for label in dict.fromkeys(row.label for run in runs for row in run.rows):
        rows = [_row(run, label) for run in runs]
        if len({row.spec for row in rows if row is not None}) > 1:
            yield label, [MISSING if row is None else row.spec for row in rows]
    packages = dict.fromkeys(name for run in runs for name in run.environment.packages)
    for name in packages:
        versions = [run.environment.packages.get(name, MISSING) for run in runs]
        if len(set(versions)) > 1:
            yield name, versions


def _tables(runs: Sequence[Run], labels: Sequence[str]) -> Iterator[Figures]:
    """Yield a table a figure: what it is for each pipeline in each run."""
    for name, title, unit, cell in _FIGURES:
        rows = [(label, [_cell(run, label, cell) for _, run, _ in runs]) for label in labels]
        yield Figures(name=name, title=title, unit=unit, rows=rows)


def _cell(run: RunRecord, label: str, cell: Callable[[RunRecord, Row], Cell]) -> Cell:
    row = _row(run, label)
    return (MISSING, "not in this run") if row is None else cell(run, row)


def _ratio(run: RunRecord, row: Row) -> Cell:
    """Return a pipeline's ratio in a run, and its interval and verdict."""
    if row is run.rows[0]:
        return "1", "the baseline"
    interval = figures.interval(row.ratio_low, row.ratio_high, "")
    return shown(row.ratio), ", ".join(filter(None, [interval, _word(row)]))


def _rate(_: RunRecord, row: Row) -> Cell:
    half = figures.spread(row)
    if row.rate is None:
        return MISSING, figures.no_rate(row)
    return shown(row.rate), "" if half is None else f"\N{PLUS-MINUS SIGN} {percent(half)}%"


def _row(run: RunRecord, label: str) -> Row | None:
    return next((row for row in run.rows if row.label == label), None)


def _word(row: Row) -> str:
    return row.verdict or ("no verdict" if row.rate is not None else figures.no_rate(row))


def _names(folders: Sequence[str]) -> list[str]:
    """Return the folders' last names if these differ, and their whole paths otherwise."""
    short = [Path(folder).name or folder for folder in folders]
    names = short if len(set(short)) == len(short) else list(folders)
    again = [names[:place].count(name) for place, name in enumerate(names)]
    return [
        f"{name} ({count + 1})" if count else name for name, count in zip(names, again, strict=True)
    ]


def _delivered(run: RunRecord) -> str:
    work = run.workload
    return f"{facts.form(work)}, batches of {work.batch_size}, labels {work.label_mode}"


_FACTS: dict[str, Callable[[RunRecord], str]] = {
    "baseline": lambda run: run.rows[0].label if run.rows else MISSING,
    "photos": lambda run: run.workload.folder,
    "images": lambda run: f"{run.workload.images:,} of {run.workload.folder_images:,}",
    "delivered": _delivered,
    "page cache": lambda run: run.page_cache,
    "margin": lambda run: f"{100 * run.margin:.4g}%",
    "blocks": lambda run: f"{run.blocks:,}",
    "system": lambda run: run.environment.system,
    "processor": lambda run: run.environment.processor,
    "cores": lambda run: f"{run.environment.cores:g} of {run.environment.cores_online}",
    "memory": lambda run: f"{run.environment.memory_bytes / 1e9:.1f} GB",
    "Python": lambda run: run.environment.python,
}

_FIGURES: tuple[tuple[str, str, str, Callable[[RunRecord, Row], Cell]], ...] = (
    ("beside", "Ratio", "to the run's own baseline", _ratio),
    ("rate", "Rate", "images/s", _rate),
    (
        "cpu",
        "CPU",
        "s per 1,000 images",
        lambda _, row: (shown(row.cpu_seconds_per_1000_images), ""),
    ),
    (
        "first-batch",
        "First batch",
        "s from opening the pipeline",
        lambda _, row: (shown(row.first_batch_seconds, seconds), ""),
    ),
)
