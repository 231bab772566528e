"""The titles of a table whose cells are text already."""

from __future__ import annotations

from typing import NamedTuple


class Title(NamedTuple):
    """A column's title."""

    text: str
    unit: str = ""
    is_words: bool = False  # else figures
