"""Several runs side by side as one HTML page: ratios inside each run only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from feedbench.bench.records.row import Row
from feedbench.bench.records.run import RunRecord
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.text import capital, counted, listed
from feedbench.reports.charts import rates
from feedbench.reports.html.templating import rendered
from feedbench.reports.sentences import facts
from feedbench.reports.sentences.answer import answer, heading
from feedbench.reports.tables import frames
from feedbench.reports.text import figures, palette
from feedbench.reports.text.figures import MISSING, shown

Run = tuple[str, RunRecord, Sequence[TrialRecord]]
"""A run's name, its record and its trials."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A run's part of the page."""

    name: str
    started: str
    heading: str
    answer: str
    baseline: str
    chart: Markup | None  # of its ratios


@dataclass(frozen=True, kw_only=True)
class RunsData:
    """What the page of several runs shows."""

    title: str
    answer: str
    names: list[str]
    colours: Mapping[str, str]  # by label
    panels: list[Panel]
    rows: list[tuple[str, list[tuple[str, str, str]]]]  # a label, and its ratio in each run
    differences: list[tuple[str, list[str]]]  # a fact, and what it is in each run


def read(folders: Sequence[Path]) -> str:
    """Return the page of these run folders. Raises RequestError if one is not one, or is broken."""
    names = _names([str(folder) for folder in folders])
    return render([(name, *frames.read(each)) for name, each in zip(names, folders, strict=True)])


def render(runs: Sequence[Run]) -> str:
    """Return the page of these runs, in their order."""
    charts = rates.side_by_side([(run, frames.blocks(run, trials)) for _, run, trials in runs])
    labels = list(dict.fromkeys(row.label for _, run, _ in runs for row in run.rows))
    data = RunsData(
        title=f"Feedbench: {counted(len(runs), 'run')}",
        answer=fastest([(name, run) for name, run, _ in runs]),
        names=[name for name, _, _ in runs],
        colours=palette.colours(labels),
        panels=[
            Panel(
                name=name,
                started=facts.moment(run.started_at),
                heading=capital(heading(run)),
                answer=answer(run),
                baseline=run.rows[0].label if run.rows else MISSING,
                # Escaped in svg.py.
                chart=None if chart is None else Markup(chart),  # noqa: S704
            )
            for (name, run, _), chart in zip(runs, charts, strict=True)
        ],
        rows=[(label, [_ratio(run, label) for _, run, _ in runs]) for label in labels],
        differences=list(differences([run for _, run, _ in runs])),
    )
    return rendered("runs.html.j2", data)


def fastest(runs: Sequence[tuple[str, RunRecord]]) -> str:
    """Return in one sentence which pipeline is the fastest in which run."""
    names_of: dict[str, list[str]] = {}
    for name, run in runs:
        if len(run.best) == 1:
            names_of.setdefault(run.best[0], []).append(name)
    if not names_of:
        return "No run shows one pipeline to be the fastest."
    if len(names_of) == 1 and len(next(iter(names_of.values()))) == len(runs):
        return f"{next(iter(names_of))} is the fastest in each of {counted(len(runs), 'run')}."
    parts = [f"{label} is the fastest in {listed(names)}" for label, names in names_of.items()]
    rest = [name for name, run in runs if len(run.best) != 1]
    without = f"; in {listed(rest)} no single pipeline is" if rest else ""
    return f"{'; '.join(parts)}{without}."


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


def _ratio(run: RunRecord, label: str) -> tuple[str, str, str]:
    """Return a pipeline's ratio in a run, its interval and its verdict."""
    row = _row(run, label)
    if row is None:
        return MISSING, "", "not in this run"
    if row is run.rows[0]:
        return "1", "", "the baseline"
    return shown(row.ratio), figures.interval(row.ratio_low, row.ratio_high, ""), _word(row)


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
