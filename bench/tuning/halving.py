"""Which candidates leave a rung, and which one is the best. Pure.

A candidate leaves when it is shown slower than the best: its whole interval is below it. A lower
mean alone is no reason. Before there are enough blocks for that, one that is far slower leaves too:
it takes the time that the others need to be told apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from feedbench.bench.records.row import Row
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.records.tuning.tuning import Allowance, Gain, Result, Rung
from feedbench.bench.tuning.allowance import Amounts, why_out
from feedbench.bench.tuning.scores import Costs, costs_of, gain_of, speed
from feedbench.bench.verdicts.intervals import LEAST_BLOCKS, level_of

# Of few blocks, the whole interval is below this share of the best. Simulated: two blocks, a
# million pairs of equal candidates. Where a fifth of the blocks is up to ten times slower, 0.016 %
# of them leave; where half of the blocks is, 0.11 %.
_FEW_BLOCKS_SHARE = 0.5
# One block has no interval. In 1,666 blocks of runs on a shared machine, a pipeline had 0.50 to
# 2.05 times the rate of its own copy.
_ONE_BLOCK_SHARE = 0.25


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What the run of a rung measured."""

    folder: str  # relative to that of the tuning
    blocks: int  # that were completed
    images: int
    rows: Sequence[Row]
    trials: Sequence[TrialRecord]


def rung_of(run: Measured, amounts: Amounts, allowed: Allowance, default: str) -> Rung:
    """Return a rung's results; the default never leaves, since gains are compared with it."""
    costs = costs_of(run.rows, run.trials, images=run.images, folder_images=amounts.images)
    not_allowed = {row.label: why_out(row, amounts, run.images, allowed) for row in run.rows}
    best = best_of(
        {label: each for label, each in costs.items() if not not_allowed[label]}, allowed.epochs
    )
    level = level_of(len(costs) - 1)
    results = []
    for row in run.rows:
        why, gain = not_allowed[row.label], None
        if best is not None and row.label in costs and row.label != best:
            gain = gain_of(costs[row.label], costs[best], allowed.epochs, level)
            of_rates = costs[row.label].rate / costs[best].rate
            if not why and row.label != default and is_slower(gain, of_rates):
                why = f"it is slower than {best}"
        of_row = costs.get(row.label)
        results.append(
            Result(
                label=row.label,
                spec=row.spec,
                rate=row.rate,
                total=of_row.total(allowed.epochs) if of_row and allowed.epochs else None,
                against_best=gain,
                why_out=why,
            )
        )
    return Rung(folder=run.folder, blocks=run.blocks, best=best, results=results)


def best_of(costs: Mapping[str, Costs], epochs: int | None) -> str | None:
    """Return the label with the highest speed; None if there is none."""
    return max(costs, key=lambda label: speed(costs[label], epochs), default=None)


def is_slower(gain: Gain | None, of_rates: float) -> bool:
    """Return whether a candidate is shown slower than the best, or in few blocks far slower.

    In one block its rate has to be far lower too, `of_rates` being their ratio: a single late end
    of an epoch may make all epochs slow.
    """
    if gain is None:
        return False
    if gain.high is None:
        return max(gain.times, of_rates) < _ONE_BLOCK_SHARE
    return gain.high < (1.0 if gain.blocks >= LEAST_BLOCKS else _FEW_BLOCKS_SHARE)


def staying(rung: Rung) -> list[str]:
    """Return the labels that no reason speaks against."""
    return [result.label for result in rung.results if not result.why_out]


def challenger(rung: Rung, default: str) -> str | None:
    """Return the best of the others than the default; None if nothing else stays."""
    others = [result for result in rung.results if not result.why_out and result.label != default]

    def share_of_best(result: Result) -> float:
        return 1.0 if result.against_best is None else result.against_best.times

    best = max(others, key=share_of_best, default=None)
    return None if best is None else best.label


def chosen_anew(gain: Gain, *, was_default: bool) -> bool:
    """Return whether fresh blocks leave the choice to the challenger.

    The winner of the rungs stays unless it is slower. If the default won there, the other one has
    to be shown faster.
    """
    if was_default:
        return gain.low is not None and gain.low > 1
    return gain.times >= 1


def gain_in(
    run: Measured, folder_images: int, epochs: int | None, pair: tuple[str, str]
) -> Gain | None:
    """Return the gain of the first pipeline over the second one in a run; None: not measured."""
    costs = costs_of(run.rows, run.trials, images=run.images, folder_images=folder_images)
    ours, theirs = (costs.get(label) for label in pair)
    if ours is None or theirs is None:
        return None
    return gain_of(ours, theirs, epochs, level_of(1))
