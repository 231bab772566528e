"""A file of `feedbench.watch` in every format that fits it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import msgspec

from feedbench.bench.records.trainings.watch import WatchRecord
from feedbench.bench.records.trainings.watch_file import read_watch
from feedbench.bench.watching.sentence import report
from feedbench.pipelines.errors import RequestError
from feedbench.reports import markdown
from feedbench.reports.sentences.trainings import waits


def render(name: str, file: Path) -> str:
    """Return the file in the format of that name.

    Raises RequestError if the file is not one of `feedbench.watch`, and for another format.
    """
    if name not in _FORMATS:
        raise RequestError(
            f"{file}: expected {', '.join(_FORMATS)} for a file of feedbench.watch; found {name}"
        )
    return _FORMATS[name](read_watch(file), file)


def _html(record: WatchRecord, file: Path) -> str:
    from feedbench.reports.html import waits_page  # its chart is made by matplotlib

    return waits_page.render(record, file)


def _markdown(record: WatchRecord, file: Path) -> str:  # noqa: ARG001 - as the others
    titles = [f"{title}, {unit}" if unit else title for title, unit in waits.TITLES]
    parts = [markdown.bold(report(record))]
    parts += [markdown.table(titles, waits.rows(record))] if record.epochs else []
    return "\n\n".join([*parts, markdown.bullets(waits.notes(record))]) + "\n"


def _csv(record: WatchRecord, file: Path) -> str:  # noqa: ARG001
    """Return a line a stretch of steps."""
    text = io.StringIO()
    names = ("first_step", "steps", "wait_seconds", "step_seconds")
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(names)
    lines.writerows([getattr(each, name) for name in names] for each in record.stretches)
    return text.getvalue()


def _json(record: WatchRecord, file: Path) -> str:  # noqa: ARG001
    return msgspec.json.format(msgspec.json.encode(record), indent=2).decode() + "\n"


_FORMATS: dict[str, Callable[[WatchRecord, Path], str]] = {
    "html": _html,
    "markdown": _markdown,
    "csv": _csv,
    "json": _json,
}
