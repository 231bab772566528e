"""How much processes differ, how much turns differ, and so how many turns a block should have.

Pure. Kalibera and Jones (2013), "Rigorous benchmarking in reasonable time", ISMM: with a new
process in each block, more turns of the same processes do not help against how processes differ.
The number of turns that gives the narrowest interval in a given time follows from both variances,
and from what a block's processes and its turns cost.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, variance

from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.records.turns import Turn
from feedbench.bench.verdicts.turns.block_rates import outer_rounds, trimmed_mean

LEAST_TURNS = 4  # of a block
MOST_TURNS = 40
LEAST_DEVIATION = 0.003
"""How much the log ratios of two pipelines' processes differ at least. The estimate of a few blocks
is often zero, and then no number of turns would be too large."""
_LEAST_ROUNDS = 3  # of a block, for a variance of its trimmed mean

Rounds = Sequence[float]
"""A block's log ratios by round"""

Pair = Sequence[Rounds]
"""Two pipelines' blocks"""


@dataclass(frozen=True)
class Variances:
    """Variances of log ratios of two pipelines."""

    within: float  # of a turn, as it contributes to a block's trimmed mean
    between: float  # of the processes; an estimate, which may be negative


ASSUMED = Variances(within=0.03**2, between=0.01**2)
"""Before they can be estimated: about those of TensorFlow's pipelines on a shared machine."""


def variances(pair: Pair) -> Variances | None:
    """Estimate both variances; None if fewer than two blocks have enough rounds."""
    blocks = [rounds for rounds in pair if len(rounds) >= _LEAST_ROUNDS]
    if len(blocks) < 2:  # noqa: PLR2004
        return None
    errors = [_error(rounds) for rounds in blocks]  # squares of standard errors
    return Variances(
        within=fmean(len(rounds) * error for rounds, error in zip(blocks, errors, strict=True)),
        between=variance([trimmed_mean(rounds) for rounds in blocks]) - fmean(errors),
    )


def best_turns(pairs: Sequence[Pair], open_seconds: float, round_seconds: float) -> int | None:
    """Return how many turns a pipeline should have in a block: LEAST_TURNS to MOST_TURNS.

    `pairs` holds the blocks so far of each pair that is compared. A block costs `open_seconds` to
    open its processes, and `round_seconds` a round, in which each pipeline has a turn. The number
    is the square root of open_seconds / round_seconds * within / between (Kalibera and Jones 2013,
    section 6). None if there are too few blocks for it.
    """
    mean = mean_variances(pairs)
    if mean is None:
        return None
    turns = math.sqrt(open_seconds / max(round_seconds, 1e-3) * mean.within / mean.between)
    return min(max(round(turns), LEAST_TURNS), MOST_TURNS)


def turns_within(
    seconds: float,
    measured: Sequence[int],
    variances: Variances,
    costs: tuple[float, float],
    radius: Callable[[int], float],
) -> int:
    """Return how many turns a block should have if so many seconds are left.

    `measured` are the turns of each block so far. `costs` are the open_seconds and round_seconds of
    best_turns. `radius` is the factor of an interval by its number of blocks. With few blocks it is
    large: Student's is 5.8 for four blocks and 3.5 for eight, at a level of 99 %. So more blocks of
    fewer turns give a narrower interval than the number that costs least in the long run.
    """
    open_seconds, round_seconds = costs

    def width(turns: int) -> float:
        more = int(seconds / max(open_seconds + turns * round_seconds, 1e-3))
        n = len(measured) + more
        if not more or n < 2:  # noqa: PLR2004
            return math.inf
        within = sum(variances.within / max(each, 1) for each in measured)
        total = n * variances.between + within + more * variances.within / turns
        return radius(n) * math.sqrt(total) / n

    return min(range(LEAST_TURNS, MOST_TURNS + 1), key=width)


def mean_variances(pairs: Sequence[Pair]) -> Variances | None:
    """Return the means over pairs; None if there are too few blocks for them."""
    estimates = [found for pair in pairs if (found := variances(pair)) is not None]
    if not estimates:
        return None
    return Variances(
        within=fmean(each.within for each in estimates),
        between=max(fmean(each.between for each in estimates), LEAST_DEVIATION**2),
    )


def pairs_with(baseline: str, trials: Sequence[TrialRecord]) -> list[Pair]:
    """Return the blocks of each pipeline, and of the baseline's second copy, with the baseline."""
    sides: defaultdict[tuple[str, str], dict[int, dict[int, Turn]]] = defaultdict(dict)
    for trial in trials:
        if trial.ended == "measured" and trial.turns:
            turns = {turn.round: turn for turn in trial.turns}
            sides[trial.label, trial.purpose][trial.block] = turns
    theirs = sides.pop((baseline, "main"), {})
    return [
        [
            [
                math.log(turns[number].rate / theirs[block][number].rate)
                for number in sorted(turns.keys() & theirs[block].keys())
            ]
            for block, turns in ours.items()
            if block in theirs
        ]
        for ours in sides.values()
    ]


def _error(rounds: Rounds) -> float:
    """Return the square of the standard error of a block's trimmed mean.

    Tukey and McLaughlin (1963): from the values of which the outer ones are replaced by the
    outermost inner ones.
    """
    out = outer_rounds(len(rounds))
    inner = sorted(rounds)[out : len(rounds) - out]
    values = [inner[0]] * out + inner + [inner[-1]] * out
    kept = max(len(inner), 2)
    return variance(values) * (len(values) - 1) / (kept * (kept - 1))
