"""The rules by which a run has measured enough blocks, before its time is up. Pure."""

from __future__ import annotations

from collections.abc import Callable

from feedbench.bench.records.row import Row, Withheld
from feedbench.bench.records.run import Stopped
from feedbench.bench.verdicts.rows import Summary

_FINAL: frozenset[Withheld | None] = frozenset(
    {"work", "baseline's work", "photos changed", "augmentation"}
)

Rule = Callable[[Summary, tuple[str, ...]], Stopped | None]
"""From the completed blocks, and the labels that still run, to the reason to stop.

None: a further block should run. Blocks as requested, and the time, are no matter of a rule.
"""


def exact_blocks(summary: Summary, labels: tuple[str, ...]) -> None:
    """Never stop: the number of blocks was requested."""


def when_undisturbed(blocks: int) -> Rule:
    """Stop when each pipeline was undisturbed in so many blocks."""

    def rule(summary: Summary, labels: tuple[str, ...]) -> Stopped | None:
        rows = (row for row in summary.rows if row.label in labels)
        # Of a pipeline whose trials were all disturbed, the row counts the disturbed blocks.
        enough = all(row.blocks >= blocks and row.disturbed < row.attempts for row in rows)
        return Stopped.BLOCKS if enough else None

    return rule


def when_precise(margin: float) -> Rule:
    """Stop when more blocks would hardly narrow the intervals; `margin` is a share."""

    def rule(summary: Summary, labels: tuple[str, ...]) -> Stopped | None:
        return Stopped.PRECISE if summary.is_precise(margin, labels) else None

    return rule


def when_decided(margin: float) -> Rule:
    """Stop when every pipeline has a verdict that is not inconclusive, or never gets one.

    The intervals must be those of a run that may stop after any block. If nothing but the baseline
    still runs, stop as `when_precise` does.
    """
    precise = when_precise(margin)

    def rule(summary: Summary, labels: tuple[str, ...]) -> Stopped | None:
        _, *others = summary.rows
        judged = [row for row in others if row.label in labels]
        if not judged:
            return precise(summary, labels)
        return Stopped.DECIDED if all(map(_is_decided, judged)) else None

    return rule


def _is_decided(row: Row) -> bool:
    """Return whether more blocks would not change that a row has a verdict, or has none."""
    if row.verdict == "withheld":
        return row.withheld in _FINAL
    return row.verdict is not None and row.verdict != "inconclusive"
