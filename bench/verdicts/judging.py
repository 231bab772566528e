"""The rule by which a gate has measured enough blocks: its answer is clear. Pure."""

from __future__ import annotations

from feedbench.bench.records.proof import is_equal
from feedbench.bench.records.run import Stopped
from feedbench.bench.verdicts.block_counts.stopping import Rule
from feedbench.bench.verdicts.comparison import judged
from feedbench.bench.verdicts.intervals import differs_from_itself
from feedbench.bench.verdicts.rows import Summary

_PAIR = 2  # the pipelines of a gate


def when_judged(tolerance: float) -> Rule:
    """Stop when the second pipeline is slower than the baseline by a share, or is not.

    The run's intervals must be those of a run that may stop after any block. Stop as well when one
    of the two failed, or the work of one is not equal: more blocks would not change that.
    """

    def rule(summary: Summary, labels: tuple[str, ...]) -> Stopped | None:
        works = {row.proof.work for row in summary.rows if row.proof is not None}
        unequal = any(not is_equal(row.proof) for row in summary.rows)
        if len(labels) < _PAIR or unequal or len(works) > 1:
            return Stopped.INCOMPARABLE
        _, new = summary.rows
        ratio = summary.intervals.get(new.label)
        if ratio is None or new.verdict == "withheld":
            return None
        if differs_from_itself(summary.control_interval):
            return None
        return None if judged(ratio, tolerance) == "cannot tell" else Stopped.DECIDED

    return rule
