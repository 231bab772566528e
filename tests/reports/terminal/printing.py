"""What a terminal shows of a run, and its parts."""

from __future__ import annotations

import io
import re
from itertools import pairwise
from pathlib import Path

from rich.console import Console

from feedbench.bench.records.run import RunRecord
from feedbench.reports.terminal.run import show
from tests.support.builders import (
    a_proof,
    a_row,
    a_run,
    a_shuffle,
    compared,
)

USED = {"cpu_seconds_per_1000_images": 1.056, "cpu_utilisation": 0.91, "peak_memory_bytes": 8.33e8}
FOLDER = Path("/runs/today")
LONG = "x" * 200
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
TUNED = "tfdata_tuned:cache=none,shuffle=full,prefetch=autotune,parallel_calls=autotune"
LABELS = ["tuned", LONG, TUNED, "[red]x[/red]", "[/red]", "<script>alert(1)</script>", "猫" * 100]


def printed(run: RunRecord, columns: int | None = None, folder: Path = FOLDER) -> str:
    """What comes out on a terminal of so many columns, or in a file where there is no terminal."""
    file = io.StringIO()
    is_terminal = columns is not None
    show(run, folder, Console(width=columns, force_terminal=is_terminal, file=file, no_color=True))
    return ESCAPE.sub("", file.getvalue())


def lines(run: RunRecord, columns: int | None = None) -> list[str]:
    return printed(run, columns).splitlines()


SPEED, PHASES, PREPARATIONS = range(3)  # the tables, where there is room


def tables(run: RunRecord, columns: int | None = None) -> list[list[str]]:
    """The lines of each table, those below its rule."""
    parts = "\n".join(lines(run, columns)).split("\n\n")
    whole = [part.splitlines() for part in parts if "\n───" in part]
    rules = [next(place for place, line in enumerate(of) if line.startswith("─")) for of in whole]
    return [of[rule + 1 :] for of, rule in zip(whole, rules, strict=True)]


def titles(run: RunRecord, columns: int | None = None) -> list[str]:
    """Each table's last line of titles."""
    found = lines(run, columns)
    return [above for above, line in pairwise(found) if line.startswith("───")]


def cells(run: RunRecord, label: str, table: int = SPEED) -> list[str]:
    """The figures of the row that has the label."""
    (line,) = [line for line in tables(run)[table] if line.startswith(f"{label} ")]
    return line.removeprefix(label).split()


def unbroken(text: str) -> str:
    """A text in one line."""
    return " ".join(text.split())


def a_wide_run(*labels: str) -> RunRecord:
    """A run whose figures are as wide as they get."""
    wide = [
        compared(
            label,
            1234.5,
            "inconclusive",
            first_batch_seconds=1234.5,
            first_epoch_seconds=12_345.6,
            turnover_seconds=1234.5,
            epoch_seconds=123_456.7,
            more_blocks=9_999,
            proof=a_proof("different", shuffle=a_shuffle("partial", ahead=99_999)),
        )
        for label in labels
    ]
    return a_run(a_row("naive"), *wide, best=["naive", *labels])
