"""A run or a comparison as markdown, for a pull request: the answer, the tables, the notes.

No line is wider than a terminal, so that it can be read in a log as it is.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Sequence

from rich.cells import cell_len, chop_cells

from feedbench.bench.records.run import RunRecord
from feedbench.bench.text import WIDTH, capital
from feedbench.bench.verdicts.comparison import Comparison
from feedbench.reports.sentences import why
from feedbench.reports.sentences.answer import answer, heading, sure
from feedbench.reports.sentences.citation import citation
from feedbench.reports.sentences.comparisons import comparison
from feedbench.reports.sentences.demand import waiting
from feedbench.reports.sentences.notes import warnings
from feedbench.reports.tables import short
from feedbench.reports.text.escaping import visible

# An underscore within a word is none to markdown; @ and # would call people and pages.
_SPECIAL = re.compile(r"[\\`*\[\]|~$]|(?<![^\W_])_|_(?![^\W_])")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;", "#": "&#35;"})
_ESCAPE_BEGUN = re.compile(r"(?<!\\)(?:\\\\)*(\\|&[#\w]{0,6})$")
_BEGINS_A_LIST = re.compile(r"([-+]|\d+[.)])(\s|$)")
_LEAST_LABEL = 8  # characters that are left of a long one


def render(run: RunRecord) -> str:
    """Return the run as GitHub's markdown."""
    parts = [bold(answer(run)), wrapped(sure(run)), wrapped(f"{capital(heading(run))}.")]
    parts += _of_demand(run)
    parts += [f"### {each.title}\n\n{_table(each)}" for each in short.tables(run)]
    parts.append(bullets((*why.in_brief(run), *why.failed_traces(run), *warnings(run))))
    parts.append(wrapped(citation(run)))
    return "\n\n".join(filter(None, parts)) + "\n"


def _of_demand(run: RunRecord) -> list[str]:
    """Return for which pipelines the model waits; nothing if none was fed."""
    if run.demand is None:
        return []
    demand, rows = run.demand, waiting.cells(run.demand)
    texts = [*waiting.sentences(demand), waiting.source(demand)]
    parts = ["### Does the model wait?", bullets(filter(None, texts))]
    return [*parts, table(waiting.TITLES, rows, waiting.WORDS)] if rows else parts


def of_comparison(compared: Comparison) -> str:
    """Return a comparison as GitHub's markdown, for a pull request or a job's summary."""
    titles = ("pipeline", "base, images/s", "new, images/s", *comparison.TITLES[2:])
    rows = [(pipeline.label, *comparison.cells(pipeline)) for pipeline in compared.pipelines]
    loud = comparison.warning(compared)
    first = [] if loud is None else [bold(loud)]
    parts = (
        *first,
        bold(comparison.answer(compared)),
        table(titles, rows),
        bullets(comparison.notes(compared)),
    )
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Return a text that shows unchanged in one line, also in a table's cell."""
    line = " ".join(visible(text).split())
    return _SPECIAL.sub(lambda special: f"\\{special[0]}", line).translate(_ENTITIES)


def bold(text: str) -> str:
    """Return a sentence in bold."""
    return _joined([*_lines(f"**{escaped(text)}**", WIDTH)], "")


def wrapped(text: str) -> str:
    """Return a sentence in lines."""
    return _joined([*_lines(escaped(text), WIDTH - 1)], "")


def bullets(sentences: Iterable[str]) -> str:
    """Return a list, an item a sentence."""
    items = [[*_lines(escaped(sentence), WIDTH - 3)] for sentence in sentences]
    return "\n".join(f"- {_joined(lines, '  ')}" for lines in items)


def table(
    titles: Sequence[str], rows: Sequence[Sequence[str]], words: Container[str] = ("verdict",)
) -> str:
    """Return a table with the pipelines in its first column; labels that are too long follow.

    The columns called as `words` are aligned to the left, all other but the first to the right.
    """
    rules = [":---", *(":---" if title in words else "---:" for title in titles[1:])]
    lines = [_row(titles), _row(rules)]
    below: list[str] = []
    for label, *cells in rows:
        rest = [escaped(cell) for cell in cells]
        room = WIDTH - cell_len(_row(["", *rest]))
        short = escaped(label)
        if cell_len(short) > room:
            number = f"({len(below) + 1})"
            short = f"{_shortened(label, room - len(number) - 1)} {number}"
            below.append(f"{number} {label}")
        lines.append(_row([short, *rest]))
    text = "\n".join(lines)
    return f"{text}\n\n{bullets(below)}" if below else text


def _table(each: short.Table) -> str:
    words = {title for title, is_words in zip(each.titles, each.are_words, strict=True) if is_words}
    return table(each.titles, each.rows, words)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _shortened(label: str, room: int) -> str:
    """Return the part of a label that fits, escaped; its escapes count."""
    text = " ".join(visible(label).split())
    for length in range(min(len(text), max(room, 0)), _LEAST_LABEL, -1):
        short = f"{escaped(text[:length])}…"
        if cell_len(short) <= room:
            return short
    return f"{escaped(text[:_LEAST_LABEL])}…"


def _lines(text: str, width: int) -> Iterator[str]:
    """Break a text between its words, and within a word only if it is longer than a line."""
    line = ""
    for word in text.split(" "):
        if line and cell_len(line) + 1 + cell_len(word) > width:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
        while cell_len(line) > width:
            first = chop_cells(line, width)[0]
            # Never within an escape: `\\[` and `&lt;` would be read as something else.
            cut = _ESCAPE_BEGUN.search(first)
            first = first[: cut.start(1)] if cut is not None and cut.start(1) else first
            yield first
            line = line[len(first) :]
    yield line


def _joined(lines: Sequence[str], indent: str) -> str:
    """Join a text's lines so that none but the first can begin a list."""
    later = [_BEGINS_A_LIST.sub(r"\\\1\2", line, count=1) if _BEGINS_A_LIST.match(line) else line
             for line in lines[1:]]  # fmt: skip
    return f"\n{indent}".join([*lines[:1], *later])
