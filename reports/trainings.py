"""A folder of `feedbench train` in every format that fits it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from feedbench.bench import files
from feedbench.bench.records.trainings.training import FILE, TrainingRecord, read_training
from feedbench.bench.records.trainings.training_table import table
from feedbench.pipelines.errors import RequestError
from feedbench.reports import markdown
from feedbench.reports.formats import PAGE
from feedbench.reports.sentences.trainings import training
from feedbench.reports.tables import trainings as tables


def is_training(folder: Path) -> bool:
    """Return whether a folder is one that `feedbench train` wrote."""
    return (folder / FILE).is_file()


def render(name: str, folder: Path) -> str:
    """Return the folder in the format of that name.

    Raises RequestError if its record cannot be read, and for another format.
    """
    if name not in _FORMATS:
        raise RequestError(
            f"{folder}: expected {', '.join(_FORMATS)} for a folder of feedbench train; found"
            f" {name}"
        )
    return _FORMATS[name](read_training(folder))


def write(folder: Path) -> Path:
    """Write the page of a folder into it, and return the file. Raises RequestError."""
    return files.replace(folder / PAGE, render("html", folder), through_link=False)


def _html(record: TrainingRecord) -> str:
    from feedbench.reports.html import training_page  # its charts are made by matplotlib

    return training_page.render(record)


def _markdown(record: TrainingRecord) -> str:
    titles = [
        f"{each.text}, {each.unit}" if each.unit else each.text for each in tables.titles(record)
    ]
    rows = [(label, *cells) for label, cells in tables.rows(record)]
    parts = [markdown.bold(training.answer(record)), markdown.wrapped(training.chance(record))]
    parts.append(markdown.wrapped(training.heading(record)))
    parts.append(markdown.table(titles, rows))
    parts.append(markdown.bullets(training.remarks(record)))
    return "\n\n".join(filter(None, parts)) + "\n"


def _csv(record: TrainingRecord) -> str:
    return table(record)


def _json(record: TrainingRecord) -> str:
    return msgspec.json.format(msgspec.json.encode(record), indent=2).decode() + "\n"


_FORMATS: dict[str, Callable[[TrainingRecord], str]] = {
    "html": _html,
    "markdown": _markdown,
    "csv": _csv,
    "json": _json,
}
