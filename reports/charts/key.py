"""The key of a chart of lines: each line's colour, dashes, letter and label."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

from matplotlib.figure import Figure
from rich.cells import cell_len

from feedbench.reports.charts import svg
from feedbench.reports.charts.tracks import EDGE, LEADING, TEXT, WIDE
from feedbench.reports.text import palette
from feedbench.reports.text.escaping import visible

_SAMPLE = 40  # pixels of a line in the key: a dash and a half
_NAME_FROM = _SAMPLE + 32  # pixels to a name there
_COLUMN = 0.61 * TEXT  # pixels of a character, at most
# Five, where the colours are six: up to the 31st, no line has both of another one.
_DASHES = ("-", (0, (7, 2)), (0, (1.2, 1.5)), (0, (7, 1.6, 1.2, 1.6)), (0, (3, 1.8)))
PLAIN: dict[str, Any] = {
    "color": svg.INK,
    "family": "monospace",
    "va": "baseline",
    "parse_math": False,
}
"""The style of labels and letters."""


@dataclass(frozen=True, kw_only=True)
class KeyLine:
    """A pipeline's line."""

    label: str
    letter: str
    style: dict[str, Any]


def lines(labels: Sequence[str], drawn: Sequence[str]) -> list[KeyLine]:
    """Return the lines of the labels that are drawn; `labels` are all of the run, in order.

    So a pipeline has the same colour and dashes in every chart of the run.
    """
    colours = palette.colours(labels)
    dashes = {label: _DASHES[place % len(_DASHES)] for place, label in enumerate(labels)}
    return [
        KeyLine(
            label=label,
            letter=letter(place),
            style={"color": colours[label], "linestyle": dashes[label], "linewidth": 1.8},
        )
        for place, label in enumerate(drawn)
    ]


def letter(place: int) -> str:
    """Return A to Z, then AA, AB and so on."""
    before, last = divmod(place, len(ascii_uppercase))
    return (letter(before - 1) if before else "") + ascii_uppercase[last]


Entry = tuple[KeyLine, list[str]]
"""A line of the chart, and its label broken over lines of text."""


def columns(drawn: Sequence[KeyLine], width: int) -> list[list[Entry]]:
    """Return the columns of the key: two on a wide chart, all labels whole."""
    count = 2 if width >= WIDE else 1
    most = int((width / count - _NAME_FROM - 2 * EDGE) / _COLUMN)
    each = -(-len(drawn) // count)
    entries = [(line, _folded(line.label, most)) for line in drawn]
    return [entries[start : start + each] for start in range(0, len(entries), each)]


def _folded(label: str, most: int) -> list[str]:
    """Break a label over lines, after a : or , if it has one."""
    text = visible(label)
    columns = most if cell_len(text) == len(text) else most // 2  # some take two
    most_of_it = f".{{1,{columns}}}"
    pattern = rf"{most_of_it}\Z|.{{1,{columns - 1}}}[:,/\s]|{most_of_it}"
    return re.findall(pattern, text, re.DOTALL) or [""]


def height(columns: Sequence[Sequence[Entry]]) -> int:
    """Return the pixels of the key below a chart."""
    return max(
        (LEADING * sum(len(text) for _, text in column) + EDGE for column in columns), default=0
    )


def draw(drawn: Figure, columns: Sequence[Sequence[Entry]], width: int) -> None:
    """Draw a piece of each line at the bottom of the figure, with its letter and its label."""
    tall = height(columns)
    axes = drawn.add_axes((0, 0, 1, tall / (drawn.get_figheight() * drawn.dpi)))
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(-tall, 0)
    style: dict[str, Any] = {**PLAIN, "fontsize": TEXT}
    for place, column in enumerate(columns):
        left, y = EDGE + place * width / len(columns), -LEADING + 4
        for line, text in column:
            axes.plot([left, left + _SAMPLE], [y + 4] * 2, **line.style)
            axes.text(left + _SAMPLE + 8, y, line.letter, **style)
            for part in text:
                axes.text(left + _NAME_FROM, y, part, **style)
                y -= LEADING
