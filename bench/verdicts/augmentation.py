"""What augmentation costs: a pipeline with it and without it, in the same blocks. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

from msgspec.structs import replace

from feedbench.bench.records.row import Row, Unaugmented
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.verdicts import intervals
from feedbench.bench.verdicts.intervals import LEAST_BLOCKS, Certainty
from feedbench.bench.verdicts.rows import rates_by_block
from feedbench.bench.verdicts.turns.block_rates import log_ratios


def with_unaugmented(
    rows: Sequence[Row],
    trials: Sequence[TrialRecord],
    copies: Mapping[str, str],
    *,
    unequal: Collection[str] = (),
    certainty: Certainty,
    doubt: str = "",
) -> list[Row]:
    """Return the rows with the rates of their copies that do not augment.

    `copies` maps the label of a pipeline to that of its copy. `unequal` are the labels whose equal
    work is not proven. `doubt` is a clause: why no pipeline of the run can be compared.
    """
    undisturbed = rates_by_block(trials, "main")
    of_all = rates_by_block(trials, "main", with_disturbed=True)
    level = certainty.level_of(len(copies))

    def of(row: Row) -> Unaugmented:
        copy, rates = copies[row.label], undisturbed
        is_disturbed = not (rates.get(row.label, {}).keys() & rates.get(copy, {}).keys())
        if is_disturbed:
            rates = of_all
        ours, theirs = rates.get(row.label, {}), rates.get(copy, {})
        if not theirs:
            return Unaugmented(why=_why_unmeasured(copy, trials))
        alone = intervals.rate([block.rate for block in theirs.values()], level, certainty.radius)
        cost = Unaugmented(rate=alone.estimate, is_disturbed=is_disturbed)
        if len(theirs) >= LEAST_BLOCKS:
            cost = replace(cost, rate_low=alone.low, rate_high=_finite(alone.high))
        why = doubt or _why_other_work(row.label, copy, unequal)
        ratios = [*log_ratios(ours, theirs).values()]
        if why or not ratios:
            return replace(cost, why=why or "no block has both")
        ratio = intervals.by_mean(ratios, level, certainty.radius)
        cost = replace(cost, blocks=ratio.n, share=1 - math.exp(ratio.estimate))
        if ratio.n < LEAST_BLOCKS:
            return cost
        return replace(cost, share_low=1 - math.exp(ratio.high), share_high=1 - math.exp(ratio.low))

    return [replace(row, unaugmented=of(row)) if row.label in copies else row for row in rows]


def _why_unmeasured(copy: str, trials: Sequence[TrialRecord]) -> str:
    failed = [trial.why or "" for trial in trials if trial.label == copy and trial.is_failure]
    return f"without it, it failed: {failed[-1].rstrip('.')}" if failed else "it was not measured"


def _why_other_work(label: str, copy: str, unequal: Collection[str]) -> str:
    if label in unequal:
        return "equal work is not proven"
    return "without it, equal work is not proven" if copy in unequal else ""


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
