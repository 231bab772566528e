"""A run as markdown, for a pull request: the answer, the tables, the notes."""

from __future__ import annotations

import re

from feedbench.bench.results import RunRecord
from feedbench.reports.answer import answer, heading, notes
from feedbench.reports.columns import Column, Table, tables
from feedbench.reports.visible import visible
from feedbench.reports.why import sentences

# An underscore within a word is none to markdown; @ and # would call people and pages.
_SPECIAL = re.compile(r"[\\`*\[\]|~$]|(?<![^\W_])_|_(?![^\W_])")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;", "#": "&#35;"})


def render(run: RunRecord) -> str:
    """Return the run as GitHub's markdown."""
    parts = [f"**{escaped(answer(run))}**", _sentence(escaped(heading(run)))]
    for table in tables(run):
        parts += [f"### {table.title}", _table(table)]
    parts.append("\n".join(f"- {escaped(note)}" for note in (*sentences(run), *notes(run))))
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Return a text that shows as it is, in one line, also within a table's cell."""
    line = " ".join(visible(text).split())
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", line).translate(_ENTITIES)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _table(table: Table) -> str:
    titles = ["pipeline", *map(_title, table.columns)]
    rules = [":---", *(":---" if column.is_words else "---:" for column in table.columns)]
    rows = [
        [escaped(row.label), *(escaped(column.cell(row)) for column in table.columns)]
        for row in table.rows
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (titles, rules, *rows))


def _title(column: Column) -> str:
    return f"{column.title}, {column.unit}" if column.unit else column.title
