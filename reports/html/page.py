"""A run as one HTML page that loads nothing from the network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from feedbench.bench import files
from feedbench.bench.records.run import RunRecord
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.records.tuning.tuning import TuningRecord, ended_by
from feedbench.reports.code import fastest
from feedbench.reports.html import sheets
from feedbench.reports.html.page_data import page_data
from feedbench.reports.html.templating import rendered
from feedbench.reports.tables import frames

NAME = "report.html"


def write(folder: Path, to: Path | None = None) -> Path:
    """Write a run folder's page, by default as its report.html, and return its path.

    Raises RequestError if the folder holds no run, or if the page cannot be written.
    """
    return files.replace(to or folder / NAME, read(folder), through_link=to is not None)


def read(folder: Path) -> str:
    """Return the page of a run folder. Raises RequestError if it is not one, or is broken."""
    run, trials = frames.read(folder)
    strips, images = sheets.read(folder, run), fastest.listed(folder, run)
    return render(run, trials, strips, images, ended_by(folder))


def render(
    run: RunRecord,
    trials: Sequence[TrialRecord],
    strips: Sequence[sheets.Sheet] = (),
    images: fastest.Images | None = None,
    tuning: TuningRecord | None = None,
) -> str:
    """Return the page of a run, with its contact sheets and its list of images, if they exist.

    `tuning` is the one that this run ended.
    """
    return rendered("page.html.j2", page_data(run, trials, strips, images, tuning))
