"""A run as one HTML page that asks the network for nothing."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from markupsafe import Markup

from feedbench.bench.comparison import within
from feedbench.bench.contactsheet import AMPLIFIED
from feedbench.bench.equality import MOST_NEAR, MOST_SAME
from feedbench.bench.protocol import DIAGNOSTIC
from feedbench.bench.results import RunRecord, TrialRecord
from feedbench.bench.say import counted, duration, size
from feedbench.reports import columns, comparison, figures, files, plots, sheets, table, why
from feedbench.reports.answer import answer, heading, notes
from feedbench.reports.figures import MISSING
from feedbench.reports.templating import rendered

NAME = "report.html"


def write(folder: Path, to: Path | None = None) -> Path:
    """Write a run folder's page, by default as its report.html, and return where it lies.

    Raises RequestError where the folder holds no run, or the page cannot be written.
    """
    return files.replace(to or folder / NAME, read(folder))


def read(folder: Path) -> str:
    """Return the page of a run folder. Raises RequestError where it is none, or broken."""
    run, trials = table.read(folder)
    return render(run, trials, sheets.read(folder, run))


def render(
    run: RunRecord, trials: Sequence[TrialRecord], strips: Sequence[sheets.Sheet] = ()
) -> str:
    """Return the page of a run, with the contact sheets that there are."""
    return rendered(
        "page.html.j2",
        title=f"Feedbench: {Path(run.workload.folder).name}",
        started=_moment(run.started_at),
        interrupted=run.status != "complete",
        answer=answer(run),
        heading=heading(run),
        baseline=run.rows[0].label if run.rows else "",
        charts=_charts(run, trials),
        against=_against(run, trials),
        tables=columns.tables(run),
        colours=plots.colours(run),
        sheets=strips,
        amplified=AMPLIFIED,
        most_same=f"{MOST_SAME:g}",
        most_near=f"{MOST_NEAR:g}",
        notes=notes(run),
        why=why.sentences(run),
        ceilings=why.ceilings(run.diagnosis) if run.diagnosis else None,
        waterfalls=_waterfalls(run),
        knobs=[(row.label, row.spec, figures.knobs(row)) for row in run.rows],
        failed=[_failure(trial) for trial in trials if _has_failed(trial)],
        left_out=run.workload.left_out,
        facts=_facts(run),
        part=f"{run.workload.images:,}" if run.workload.is_part else "",
        margin=f"{100 * run.margin:.4g}%",
        level=_level(run),
    )


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


def _waterfalls(run: RunRecord) -> list[tuple[str, str, list[tuple[str, str, str]]]]:
    """Return each pipeline that was cut off step by step, what stood in for it, and its steps."""
    found = run.diagnosis.waterfalls if run.diagnosis else []
    return [(each.label, each.like, why.step_cells(each)) for each in found]


def _charts(run: RunRecord, trials: Sequence[TrialRecord]) -> dict[str, tuple[Markup, Markup]]:
    """Return each chart that there is, for a wide and for a narrow page."""
    blocks = table.blocks(run, trials)
    found = {}
    for chart in (plots.rates, plots.ratios):
        wide, narrow = (chart(run, blocks, width) for width in (plots.WIDE, plots.NARROW))
        if wide is not None and narrow is not None:
            found[chart.__name__] = (Markup(wide), Markup(narrow))  # noqa: S704 - escaped in svg.py
    return found


def _failure(trial: TrialRecord) -> dict[str, str]:
    end = MISSING
    if trial.signal is not None:
        end = f"signal {trial.signal}"
    elif trial.exit_code is not None:
        end = f"exit code {trial.exit_code}"
    return {
        "label": trial.label,
        "when": f"block {trial.block}" if trial.block else trial.purpose,
        "why": trial.why or MISSING,
        "end": end,
        "last_words": trial.last_words or MISSING,
    }


def _facts(run: RunRecord) -> list[tuple[str, str]]:
    """Return what was measured, on what, and how it was asked for."""
    work, machine = run.workload, run.environment
    images = f"{work.images:,} of {work.folder_images:,}" if work.is_part else f"{work.images:,}"
    low, high = work.value_range
    shape = f"{work.height}x{work.width}x{work.channels} {work.dtype} in [{low:g}, {high:g}]"
    how = f"in batches of {work.batch_size}; labels {work.label_mode}; seed {work.seed}"
    software = {"Python": machine.python} | machine.packages
    stopped = f", because {run.stopped_because}" if run.stopped_because else ""
    given = f" of {duration(run.time_seconds)} given" if run.time_seconds is not None else ""
    return [
        ("Command", shlex.join(run.command)),
        ("Started", _moment(run.started_at)),
        ("Took", f"{duration(run.seconds)}{given}; {counted(run.blocks, 'whole block')}{stopped}"),
        ("Photos", work.folder),
        ("Images measured", f"{images}, in {counted(len(work.classes), 'class', 'classes')}"),
        ("Files ignored", f"{work.ignored_files:,}"),
        *(("Note", note) for note in work.notes),
        ("Classes", ", ".join(f"{name} ({count:,})" for name, count in work.classes.items())),
        ("Delivered", f"{shape}, {how}"),
        ("System", machine.system),
        (
            "Processor",
            f"{machine.processor}; {machine.cores:g} of {counted(machine.cores_online, 'core')}",
        ),
        ("Memory", size(machine.memory_bytes)),
        ("Software", ", ".join(f"{name} {version}" for name, version in software.items())),
    ]


def _level(run: RunRecord) -> str:
    return next((f"{100 * row.level:.4g}%" for row in run.rows if row.level), "99%")


def _moment(text: str) -> str:
    """Return an ISO 8601 moment in UTC as people read it."""
    try:
        return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return text
