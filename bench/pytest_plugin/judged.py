"""Whether a run could judge a pipeline, and why not. Pure."""

from __future__ import annotations

from enum import StrEnum

from feedbench.bench.records.row import Row, Withheld
from feedbench.bench.records.run import RunRecord, Stopped
from feedbench.bench.verdicts.intervals import LEAST_BLOCKS

_BUSY: frozenset[Withheld | None] = frozenset(
    {"control", "exclusions", "other programs", "baseline's other programs", "slow turns"}
)


class Unjudged(StrEnum):
    """Why a pipeline has no verdict, or no figure at all, as a clause."""

    BUSY = "the machine was busy"
    TIME = "the time was up"


def why_unjudged(run: RunRecord, row: Row) -> Unjudged | None:
    """Return why a pipeline that did equal work has no verdict; None if it has one.

    The baseline has none, and a run of few blocks has none if these were requested: None as well.
    """
    if row.withheld in _BUSY:
        return Unjudged.BUSY
    is_baseline = row.label == run.rows[0].label
    is_cut = run.stopped_because is Stopped.TIME and row.blocks < LEAST_BLOCKS
    return Unjudged.TIME if is_cut and row.verdict is None and not is_baseline else None
