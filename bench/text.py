"""Readable figures: durations, rates, ratios; and the width of lines."""

from __future__ import annotations

from collections.abc import Sequence

WIDTH = 100  # the most columns of a terminal that lines use
_MINUTE = 60
_THOUSAND = 1000
_UNITS = ("kB", "MB", "GB", "TB")


def duration(seconds: float) -> str:
    """Return a duration in seconds as text: 45 s, 4 min 5 s, 3 h 48 min."""
    minutes, rest = divmod(max(round(seconds), 0), _MINUTE)
    if minutes >= _MINUTE:
        hours, minutes = divmod(minutes, _MINUTE)
        return f"{hours:,} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def digits(value: float, count: int = 3) -> str:
    """Return a figure with at least `count` significant digits: 0.0123, 1.23, 12.3, 1,234."""
    # Of what is shown: 0.99996 is 1.00 and not 1.000.
    size = int(f"{value:.{count - 1}e}".partition("e")[2])
    return f"{value:,.{max(count - 1 - size, 0)}f}"


def counted(count: int, singular: str, plural: str | None = None) -> str:
    """Return a count with its noun: 1 block, 2 blocks."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def size(count: float) -> str:
    """Return bytes in the unit that shows them as less than a thousand: 512 B, 37.1 MB."""
    power = 0
    while round(count) >= _THOUSAND and power < len(_UNITS):
        count /= _THOUSAND
        power += 1
    return f"{digits(max(count, 1.0))} {_UNITS[power - 1]}" if power else f"{count:.0f} B"


def listed(labels: Sequence[str], word: str = "and") -> str:
    """Return names as a list in a sentence: a, b and c."""
    return f" {word} ".join([*filter(None, [", ".join(labels[:-1])]), *labels[-1:]])


def capital(text: str) -> str:
    """Return a sentence that begins with a capital letter."""
    return text[:1].upper() + text[1:]
