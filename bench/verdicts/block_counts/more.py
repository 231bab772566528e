"""About how many more blocks would decide, if estimate and spread stay the same. Pure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean, variance

import numpy as np

from feedbench.bench.records.messages import AFTERWARDS
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.verdicts.intervals import LEAST_BLOCKS, blocks_until


def block_seconds(trials: Sequence[TrialRecord], blocks: int) -> float | None:
    """Return how long a completed block took, in seconds: the mean; None without a block.

    Trials that take turns count without the time in which they were stopped.
    """
    seconds: defaultdict[int, float] = defaultdict(float)
    for trial in trials:
        if 1 <= trial.block <= blocks and trial.purpose not in AFTERWARDS:
            seconds[trial.block] += trial.seconds
    return fmean(seconds.values()) if seconds else None


def more_of_each(
    rates: Sequence[float], others: Sequence[float], level: float, border: float
) -> int | None:
    """Return about how many more blocks of each of two runs would decide between them.

    The blocks are not paired: the interval of the log ratio is Welch's, as in `unpaired`. It
    decides when it excludes `border`, a log ratio. None: a run has too few blocks for a spread, or
    it would take more than MOST_BLOCKS.
    """
    from scipy import stats

    counts = len(rates), len(others)
    if min(counts) < LEAST_BLOCKS:
        return None
    logs, other_logs = np.log(rates), np.log(others)
    spreads = variance(logs.tolist()), variance(other_logs.tolist())

    def half_width(n: int) -> float:  # n: of the run that has fewer blocks
        ns = [count + n - min(counts) for count in counts]
        errors = [spread / count for spread, count in zip(spreads, ns, strict=True)]
        total = sum(errors)
        if not total:
            return 0.0
        freedom = total**2 / sum(
            error**2 / (count - 1) for error, count in zip(errors, ns, strict=True)
        )
        return float(stats.t.ppf((1 + level) / 2, freedom)) * math.sqrt(total)

    distance = abs(float(logs.mean() - other_logs.mean()) - border)
    return blocks_until(half_width, distance, min(counts))
