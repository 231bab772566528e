"""A run folder in every format, with the same interface."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
from pandas.api.types import is_string_dtype

from feedbench.pipelines.errors import RequestError
from feedbench.reports import markdown
from feedbench.reports.html import page
from feedbench.reports.tables import frames
from feedbench.reports.text.escaping import no_formula

PAGE = page.NAME  # in the run's folder


def html(folder: Path) -> str:
    """Return the page."""
    return page.read(folder)


def as_markdown(folder: Path) -> str:
    """Return the tables for a pull request."""
    return markdown.render(frames.read(folder)[0])


def csv(folder: Path) -> str:
    """Return a line a pipeline, with every figure; a missing one is empty.

    No text is a formula to a spreadsheet that opens it.
    """
    frame = frames.pipelines(frames.read(folder)[0])
    for name in frame.columns:
        if is_string_dtype(frame[name]):
            frame[name] = frame[name].map(no_formula, na_action="ignore")
    return frame.to_csv(index=False, lineterminator="\n")


def json(folder: Path) -> str:
    """Return the run's record, and each block's rate and ratio; a missing figure is null."""
    # msgspec writes null where there is NaN, for which JSON has no word.
    whole = msgspec.json.encode(frames.as_data(*frames.read(folder)))
    return msgspec.json.format(whole, indent=2).decode() + "\n"


FORMATS: dict[str, Callable[[Path], str]] = {
    "html": html,
    "markdown": as_markdown,
    "csv": csv,
    "json": json,
}


def render(name: str, folder: Path) -> str:
    """Return a run folder in the format of that name. Raises RequestError for an unknown one."""
    if name not in FORMATS:
        names = ", ".join(FORMATS)
        raise RequestError(f"--format {name}: expected one of {names}")
    return FORMATS[name](folder)
