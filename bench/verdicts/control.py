"""How much equal pipelines differed: the baseline and its second copy, block by block. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from feedbench.bench.records.run import RunRecord
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.verdicts.rows import of_whole_blocks, rates_by_block
from feedbench.bench.verdicts.turns.block_rates import ratios, without_copies


def copy_ratios(trials: Sequence[TrialRecord], blocks: int, baseline: str) -> dict[int, float]:
    """Return the ratio of the second copy's rate to the baseline's, by block.

    Covers the completed blocks, `blocks` in all, in which both have an undisturbed trial.
    """
    whole = of_whole_blocks(trials, blocks)
    rates = rates_by_block(whole, "main").get(baseline, {})
    control = rates_by_block(whole, "control").get(baseline, {})
    return ratios(control, without_copies(rates))


def control_ratios(run: RunRecord, trials: Sequence[TrialRecord]) -> dict[int, float]:
    """Return the ratio of the baseline's second copy to the baseline, by block.

    As recorded; computed from the trials if the run did not record it, as in earlier versions.
    """
    recorded = {
        block.block: block.control
        for block in (run.calm.blocks if run.calm is not None else [])
        if block.control
    }
    label = run.rows[0].label if run.rows else ""
    return recorded or copy_ratios(trials, run.blocks, label)
