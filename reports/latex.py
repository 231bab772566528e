r"""A run as LaTeX, for a paper: its tables, with the rules of the package booktabs.

The text is for `\input`. The run's notes and its citation are comments in it.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator

from feedbench.bench.records.run import RunRecord
from feedbench.bench.text import WIDTH, capital
from feedbench.reports.sentences.answer import answer, heading, sure
from feedbench.reports.sentences.citation import citation
from feedbench.reports.sentences.notes import warnings
from feedbench.reports.tables import short
from feedbench.reports.text.escaping import visible
from feedbench.reports.text.figures import level

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    "'": r"\textquotesingle{}",
    '"': r"\textquotedbl{}",
    "\N{EN DASH}": "--",
    "\N{PLUS-MINUS SIGN}": r"$\pm$",
    "\N{HORIZONTAL ELLIPSIS}": r"\ldots{}",
    **{char: f"\\{char}" for char in "$&#%_"},
}
_ESCAPES = str.maketrans(_SPECIAL)
_MOST_LABEL = 40  # characters: a longer one is broken over lines


def render(run: RunRecord) -> str:
    """Return the run's short tables, each a `table` of its own."""
    parts = ["\n".join(_comments(run))]
    parts += ["\n".join(_table(run, each)) for each in short.tables(run)]
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Return a text that LaTeX shows as it is, in one line."""
    return " ".join(visible(text).split()).translate(_ESCAPES)


def _comments(run: RunRecord) -> Iterator[str]:
    r"""Yield what a reader of the source should know; no line can end the comment."""
    yield r"% \usepackage{booktabs} and \usepackage[T1]{fontenc} belong before \begin{document}."
    yield r"% In two columns, use table* in place of table."
    for text in (citation(run), answer(run), sure(run), *warnings(run)):
        yield from textwrap.wrap(
            visible(text), WIDTH, initial_indent="% ", subsequent_indent="%   "
        )


def _table(run: RunRecord, table: short.Table) -> Iterator[str]:
    is_long = any(len(label) > _MOST_LABEL for label, *_ in table.rows)
    first = r"p{0.35\linewidth}" if is_long else "l"
    kinds = first + "".join("l" if is_words else "r" for is_words in table.are_words[1:])
    name = f"tab:feedbench-{table.title.lower()}"
    yield r"\begin{table}"
    yield r"\centering\small\setlength{\tabcolsep}{3pt}"
    yield rf"\caption{{{escaped(_caption(run, table))}}}\label{{{name}}}"
    yield rf"\begin{{tabular}}{{{kinds}}}"
    yield r"\toprule"
    yield _line(map(escaped, table.titles))
    yield r"\midrule"
    for label, *cells in table.rows:
        yield _line([_label(label, is_long=is_long), *map(_figure, cells)])
    yield r"\bottomrule"
    yield r"\end{tabular}"
    yield r"\end{table}"


def _caption(run: RunRecord, table: short.Table) -> str:
    caption = f"{table.title}. {capital(heading(run))}."
    has_ratios = "ratio" in table.titles and run.rows
    if not has_ratios:
        return caption
    with_level = f", with its {level(run.rows)} interval" if "interval" in table.titles else ""
    return f"{caption} The ratio is to {run.rows[0].label}{with_level}."


def _line(cells: Iterable[str]) -> str:
    return rf"{' & '.join(cells)} \\"


def _label(label: str, *, is_long: bool) -> str:
    if not is_long:
        return rf"\texttt{{{escaped(label)}}}"
    pieces = map(escaped, re.split(r"(?<=[:,=/_ ])", label))
    return r"\raggedright\texttt{%s}" % r"\allowbreak{}".join(pieces)  # noqa: UP031 - of braces


def _figure(cell: str) -> str:
    """Return a cell; the ends of an interval have a dash between them."""
    return re.sub(r"(?<=\d)-(?=\d)", "--", escaped(cell))
