"""What --resume adds to a run: `--blocks +4`, `--time +5m`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from feedbench.bench.options import values as read
from feedbench.pipelines.errors import RequestError

if TYPE_CHECKING:
    from typing import Self

    from feedbench.bench.options.option import Given


@dataclass(frozen=True)
class Addition:
    """Blocks or seconds to add to a run; with both, the first that is reached ends it."""

    blocks: int | None = None
    seconds: float | None = None

    @classmethod
    def of(cls, given: Given) -> Self | None:
        """Return what was typed; None if neither option was.

        Raises RequestError for a text without a plus, and for one that adds nothing.
        """
        blocks, seconds = given.get("blocks"), given.get("time")
        if blocks is None and seconds is None:
            return None
        return cls(
            blocks=None if blocks is None else _blocks(str(blocks)),
            seconds=None if seconds is None else _seconds(str(seconds)),
        )


def refuse_addition(given: Given) -> None:
    """Raise RequestError for a text with a plus, which only --resume takes."""
    for name in ("blocks", "time"):
        typed = given.get(name)
        if isinstance(typed, str) and typed.startswith("+"):
            raise RequestError(
                f"--{name} {typed}: there is no run to add to",
                hint=f"name one with --resume RUN, or leave out the plus: --{name} {typed[1:]}",
            )


def _blocks(text: str) -> int:
    number = text.removeprefix("+")
    if not re.fullmatch(r"\+[1-9][0-9]*", text):
        example = f"+{number}" if re.fullmatch(r"[1-9][0-9]*", number) else "+4"
        raise RequestError(
            f"--blocks {text} with --resume: expected how many blocks to add, such as {example}",
            hint=f"--blocks {example} adds to the run's completed blocks",
        )
    return int(number)


def _seconds(text: str) -> float:
    time = text.removeprefix("+")
    if text != time and (seconds := read.seconds("--time", time)) > 0:
        return seconds
    example = "+5m" if text != time else f"+{time}"
    raise RequestError(
        f"--time {text} with --resume: expected how much time to add, such as {example}",
        hint=f"--time {example} adds to the time that the run had",
    )
