"""What a comparison of two runs says: the answer, the warning, the notes and the cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from feedbench.bench.text import listed
from feedbench.reports.text import figures
from feedbench.reports.text.figures import MISSING, shown

if TYPE_CHECKING:
    from feedbench.bench.verdicts.comparison import Compared, Comparison

TITLES = ("base", "new", "ratio", "interval", "verdict")
"""The titles of the cells."""
UNPAIRED = (
    "Two runs compare less sharply than two pipelines of one run: they share no blocks, so that"
    " what slowed one run does not cancel, and blocks of one sitting say nothing about another"
    " day's machine."
)
PAIRED = (
    "Each pipeline beside itself in the environment {base}, the base here: both in the same blocks,"
    " so that what slowed one slowed the other."
)


def answer(found: Comparison) -> str:
    """Return the one sentence that a person came for."""
    slower = [one.label for one in found.pipelines if one.word == "slower"]
    unsure = [one.label for one in found.pipelines if one.word == "cannot tell"]
    most = f"{100 * found.tolerance:.4g}%"
    if slower:
        are = "is" if len(slower) == 1 else "are"
        return f"{listed(slower)} {are} slower by more than {most}."
    known = [one.label for one in found.pipelines if one.label in unsure and _is_slower(one)]
    if known:
        are = "is" if len(known) == 1 else "are"
        return f"{listed(known)} {are} slower; whether by more than {most} cannot be told."
    if unsure:
        return (
            f"It cannot be told whether {listed(unsure, 'or')} became slower by more than {most}."
        )
    return f"Nothing is slower by more than {most}."


def _is_slower(one: Compared) -> bool:
    """Tell whether the whole interval lies under 1, with nothing that speaks against it."""
    return one.why is None and one.ratio_high is not None and one.ratio_high < 1


def warning(found: Comparison) -> str | None:
    """Return what must be known before a figure is read: what differs, of two runs."""
    if found.is_paired or not found.differences:
        return None
    return (
        "WARNING: the runs were not made alike, and what differs may be the"
        f" reason: {'; '.join(found.differences)}."
    )


def notes(found: Comparison) -> list[str]:
    """Return the sentences below the table. What differs is there where it was meant to."""
    told: list[str] = []
    if found.differences and found.is_paired:
        told.append(f"What differs between them: {'; '.join(found.differences)}.")
    return [*told, *remarks(found)]


def remarks(found: Comparison) -> list[str]:
    """Return the sentences on the pipelines, on the runs, and on how sharply they compare."""
    told = [f"{one.label}: {one.why}." for one in found.pipelines if one.why is not None]
    last = PAIRED.format(base=found.base) if found.is_paired else UNPAIRED
    return [*told, *found.remarks, last]


def as_record(found: Comparison) -> dict[str, Any]:
    """Return the comparison for JSON, with what follows from it: the answer, in two forms."""
    return {"word": found.word, "answer": answer(found), **msgspec.structs.asdict(found)}


def cells(one: Compared) -> tuple[str, ...]:
    """Return a pipeline's cells: both rates, the ratio, its interval, the verdict."""
    return (
        shown(one.base_rate),
        shown(one.rate),
        shown(one.ratio),
        figures.interval(one.ratio_low, one.ratio_high, MISSING),
        one.word,
    )
