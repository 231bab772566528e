"""Output in an encoding that lacks some of its characters, such as Latin-1 or ASCII.

Common signs become the nearest ones in ASCII, any other character a question mark.
"""

from __future__ import annotations

import codecs
import io
import sys

_HANDLER = "feedbench.legible"
_SIGNS = {
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "\N{MULTIPLICATION SIGN}": "x",
    "\N{PLUS-MINUS SIGN}": "+/-",
    "\N{HORIZONTAL ELLIPSIS}": "...",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{RIGHTWARDS ARROW}": "->",
    "\N{MICRO SIGN}": "u",
}


def encodable() -> None:
    """Let standard output and standard error take every character."""
    codecs.register_error(_HANDLER, _legible)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_HANDLER)


def _legible(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    characters = error.object[error.start : error.end]
    return "".join(_SIGNS.get(each, "?") for each in characters), error.end
