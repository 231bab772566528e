"""A run folder in every format, with the same interface."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from pandas.api.types import is_string_dtype

from feedbench.pipelines.errors import RequestError
from feedbench.reports import latex, markdown
from feedbench.reports.sentences.answer import why_no_ratios
from feedbench.reports.tables import frames
from feedbench.reports.text.escaping import no_formula

if TYPE_CHECKING:
    from feedbench.reports.charts.pictures import Form

PAGE = "report.html"  # in the run's folder


def html(folder: Path) -> str:
    """Return the page."""
    from feedbench.reports.html import page  # its charts are made by matplotlib

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


def as_latex(folder: Path) -> str:
    """Return the tables for a paper."""
    return latex.render(frames.read(folder)[0])


def picture(form: Form, folder: Path) -> bytes:
    """Return the chart of ratios. Raises RequestError if the run has no ratios."""
    from feedbench.reports.charts import pictures

    run, trials = frames.read(folder)
    drawn = pictures.ratios(run, frames.blocks(run, trials), form)
    if drawn is None:
        raise RequestError(
            f"{folder}: there are no ratios to draw, because {why_no_ratios(run)}",
            hint="the other formats show what was measured",
        )
    return drawn


FORMATS: dict[str, Callable[[Path], str]] = {
    "html": html,
    "markdown": as_markdown,
    "csv": csv,
    "json": json,
    "latex": as_latex,
}
PICTURES: tuple[Form, ...] = ("svg", "png", "pdf")
NAMES = (*FORMATS, *PICTURES)

ENDINGS = {  # of a file's name
    ".html": "html",
    ".htm": "html",
    ".md": "markdown",
    ".markdown": "markdown",
    ".csv": "csv",
    ".json": "json",
    ".tex": "latex",
    **{f".{form}": form for form in PICTURES},
}


def chosen(given: str | None, file: Path | None) -> str:
    """Return the name of the format: as `given`, else by the ending of the file's name, else html.

    Raises RequestError for an unknown one, and if the ending is that of another one.
    """
    if given is not None and given not in NAMES:
        raise RequestError(f"--format {given}: expected one of {', '.join(NAMES)}")
    if file is None:
        return given or "html"
    ending = file.suffix
    by_name = ENDINGS.get(ending.lower())
    if given is None and by_name is None:
        raise RequestError(
            f"--out {file}: expected a name that ends in {', '.join(ENDINGS)};"
            f" found {ending or 'none'}",
            hint=f"name the file so, or add --format with one of {', '.join(NAMES)}",
        )
    if given is not None and by_name not in {None, given}:
        endings = " or ".join(end for end, name in ENDINGS.items() if name == given)
        raise RequestError(
            f"--out {file}: expected a name that ends in {endings} for --format {given};"
            f" found {ending}, which is {by_name}",
            hint=f"leave --format out for {by_name}, or name another file for {given}",
        )
    return given or by_name or "html"


def render(name: str, folder: Path) -> str:
    """Return a run folder in the format of that name, if it is text.

    Raises RequestError for an unknown one.
    """
    if name not in FORMATS:
        names = ", ".join(FORMATS)
        raise RequestError(f"--format {name}: expected one of {names}")
    return FORMATS[name](folder)
