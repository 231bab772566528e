"""Text from outside, such as labels and output of processes, made harmless to show."""

from __future__ import annotations

import unicodedata

_ACTING = {"Cc", "Cs"}  # control characters; halves of a pair, which UTF-8 cannot hold
_TURNING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # text around them, another way
_FORMULA = tuple("=+-@\t\r\n")


def visible(text: str) -> str:
    r"""Return a text in one line, without control characters: an ESC is shown as \x1b.

    Line breaks and tabs become spaces.
    """
    if text.isprintable():
        return text
    return "".join(map(_visible, text))


def no_formula(text: str) -> str:
    """Return a visible text that a spreadsheet reads as text, with an apostrophe if needed."""
    shown = visible(text)
    return f"'{shown}" if text.startswith(_FORMULA) else shown


def _visible(char: str) -> str:
    if char in "\t\n\v\f\r":
        return " "
    if unicodedata.category(char) in _ACTING or char in _TURNING or _is_no_character(char):
        return char.encode("unicode_escape").decode("ascii")
    return char


def _is_no_character(char: str) -> bool:
    """Whether XML may not hold it: https://www.unicode.org/faq/private_use.html#nonchar1."""
    return ord(char) & 0xFFFE == 0xFFFE or "\ufdd0" <= char <= "\ufdef"  # noqa: PLR2004
