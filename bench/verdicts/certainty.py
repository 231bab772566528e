"""How sure the intervals of a run are, by how its number of blocks came about. Pure."""

from __future__ import annotations

from feedbench.bench.records.run import RunRecord
from feedbench.bench.verdicts.intervals import LEAST_BLOCKS, Certainty


def certainty_of(run: RunRecord) -> Certainty:
    """Return it from the run's record: each extension of a run with verdicts is a further report.

    A resumption without an addition is none: the run measures what was requested at first.
    """
    extensions = [
        each for each in run.resumed if each.extended_to is not None and each.blocks >= LEAST_BLOCKS
    ]
    return Certainty(reports=1 + len(extensions))
