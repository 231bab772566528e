"""How sure the intervals of a run are, by how its number of blocks came about. Pure."""

from __future__ import annotations

from feedbench.bench.records.run import RunRecord
from feedbench.bench.verdicts.intervals import LEAST_BLOCKS, Certainty
from feedbench.bench.verdicts.sequential import radius


def certainty_of(*runs: RunRecord) -> Certainty:
    """Return that of a run, or of several that are compared, from their records.

    Each extension of a run with verdicts is a further report. A resumption without an addition is
    none: the run measures what was requested at first. The intervals of a run that may stop after
    any block hold at all of them, however often it is extended.
    """
    if any(run.sequential for run in runs):
        return Certainty(radius=radius)
    return Certainty(reports=1 + max(_extensions(run) for run in runs))


def _extensions(run: RunRecord) -> int:
    return sum(each.extended_to is not None and each.blocks >= LEAST_BLOCKS for each in run.resumed)
