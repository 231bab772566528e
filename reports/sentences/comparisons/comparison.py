"""What a comparison of two runs says: the answer, the warning, the notes and the cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from feedbench.bench.text import listed
from feedbench.reports.sentences.more_blocks import of_comparison
from feedbench.reports.text import figures
from feedbench.reports.text.figures import MISSING, shown

if TYPE_CHECKING:
    from feedbench.bench.verdicts.comparison import Compared, Comparison

TITLES = ("base", "new", "ratio", "interval", "verdict")
"""The titles of the cells."""
UNPAIRED = (
    "A comparison of two runs is less precise than one within a run. They share no blocks, so what"
    " slowed one run does not cancel out. And the machine may differ from day to day."
)
PAIRED = (
    "Each pipeline is compared with itself in the environment {base}, which is the base. Both ran"
    " in the same blocks, so what slowed one slowed the other."
)


PAIR = (
    "{new} is compared with {base}, the base. Both ran in the same blocks, so what slowed one"
    " slowed the other."
)


def answer(comparison: Comparison) -> str:
    """Return the answer in one sentence."""
    slower = [pipeline.label for pipeline in comparison.pipelines if pipeline.word == "slower"]
    unsure = [pipeline.label for pipeline in comparison.pipelines if pipeline.word == "cannot tell"]
    most = f"{100 * comparison.tolerance:.4g}%"
    if slower:
        are = "is" if len(slower) == 1 else "are"
        return f"{listed(slower)} {are} slower by more than {most}."
    surely_slower = [
        pipeline.label
        for pipeline in comparison.pipelines
        if pipeline.label in unsure and _is_slower(pipeline)
    ]
    if surely_slower:
        are = "is" if len(surely_slower) == 1 else "are"
        return f"{listed(surely_slower)} {are} slower; it is not clear whether by more than {most}."
    if unsure:
        return f"It is not clear whether {listed(unsure, 'or')} became slower by more than {most}."
    return f"Nothing is slower by more than {most}."


def _is_slower(pipeline: Compared) -> bool:
    """Whether the whole interval is below 1, and the two can be compared."""
    return pipeline.why is None and pipeline.ratio_high is not None and pipeline.ratio_high < 1


def warning(comparison: Comparison) -> str | None:
    """Return a warning that comes before the figures: what differs between two runs."""
    if comparison.is_paired or not comparison.differences:
        return None
    return (
        "WARNING: the runs differ in more than the pipelines. This may explain the"
        f" ratios: {'; '.join(comparison.differences)}."
    )


def notes(comparison: Comparison) -> list[str]:
    """Return the sentences below the table. They say what differs only if that was intended."""
    sentences: list[str] = []
    if comparison.differences and comparison.is_paired:
        sentences.append(f"What differs between them: {'; '.join(comparison.differences)}.")
    return [*sentences, *remarks(comparison)]


def remarks(comparison: Comparison) -> list[str]:
    """Return the sentences on the pipelines, on the runs, and on how sharply they compare."""
    sentences = [
        f"{pipeline.label}: {pipeline.why}."
        for pipeline in comparison.pipelines
        if pipeline.why is not None
    ]
    if (more := of_comparison(comparison)) is not None:
        sentences.append(more)
    sides = {"runs": UNPAIRED, "environments": PAIRED, "pipelines": PAIR}[comparison.sides]
    last = sides.format(base=comparison.base, new=comparison.new)
    return [*sentences, *comparison.remarks, last]


def as_record(comparison: Comparison) -> dict[str, object]:
    """Return the comparison for JSON, with what follows from it: the answer, in two forms."""
    return {
        "word": comparison.word,
        "answer": answer(comparison),
        **msgspec.structs.asdict(comparison),
    }


def cells(pipeline: Compared) -> tuple[str, ...]:
    """Return a pipeline's cells: both rates, the ratio, its interval, the verdict."""
    return (
        shown(pipeline.base_rate),
        shown(pipeline.rate),
        shown(pipeline.ratio),
        figures.interval(pipeline.ratio_low, pipeline.ratio_high, MISSING),
        pipeline.word,
    )
