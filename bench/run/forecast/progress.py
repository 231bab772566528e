"""What the blocks of a run show so far, and how many more there is time for. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

from feedbench.bench.records.row import Row
from feedbench.bench.text import counted, digits, duration
from feedbench.bench.verdicts.intervals import LEAST_BLOCKS, first_width
from feedbench.bench.verdicts.turns.block_rates import Rates, log_ratios

_PAIR = 2  # pipelines


def blocks_that_fit(seconds_left: float, kept_seconds: float, block_seconds: float) -> int:
    """Return how many blocks fit, at least 1.

    The blocks that verdicts need may use the seconds kept for the diagnosis as well.
    """
    without, with_kept = (
        int(seconds / block_seconds) for seconds in (seconds_left, seconds_left + kept_seconds)
    )
    return max(without, min(with_kept, LEAST_BLOCKS), 1)


def to_come(
    blocks: Sequence[float],
    wanted: int | None,
    seconds_left: float | None,
    *,
    whole: int,
    spare: int = 0,
) -> str:
    """Return in words what is still to come after `whole` blocks.

    `blocks` are the seconds of those that this process has measured, at least one. `wanted` is how
    many were asked for, and `spare` how many more there may be while pipelines are disturbed;
    `seconds_left` are those for further blocks.
    """
    each = max(fmean(blocks), 1e-3)
    if wanted is not None:
        more = wanted - whole
        if more <= 0 < more + spare:
            up_to = counted(more + spare, "more block")
            return f"up to {up_to} of about {duration(each)} while pipelines are disturbed"
        if more <= 0:
            return "that was the last block"
    elif seconds_left is None:
        return f"a block takes about {duration(each)}"
    fit = math.inf if seconds_left is None else int(max(seconds_left, 0.0) / each)
    if not fit:
        return f"no time for another block of about {duration(each)}"
    if wanted is None:
        return f"time for about {counted(int(fit), 'more block')} of about {duration(each)}"
    more = int(min(more, fit))
    return f"{counted(more, 'block')} to come, in about {duration(more * each)}"


def so_far(rows: Sequence[Row], rates: Rates, unequal: frozenset[str] = frozenset()) -> str:
    """Return the answer so far, in a few words; "" if nothing counts yet.

    `rows` are those of the run, the baseline first, and `rates` each one's by block. It is the
    pipeline with the highest rate, of those whose work is equal, compared with the baseline. Of
    two, as in a gate, it is always the second one.
    """
    alike = (row for row in rows if row.withheld != "augmentation")
    rated = {row.label: row.rate for row in alike if row.rate is not None}
    judged = [label for label in rated if label not in unequal]
    if not judged:
        return ""
    best = max(judged, key=lambda label: rated[label] or 0.0)
    baseline = rows[0].label
    if len(judged) == _PAIR and baseline in judged and _times(rates, judged[1], baseline):
        best = judged[1]
    if best == baseline or baseline not in judged:
        return f"{best}: about {rated[best]:,.0f} images/s so far"
    times = _times(rates, best, baseline)
    return f"{best}: about {times} the rate of {baseline} so far" if times else ""


def _times(rates: Rates, label: str, baseline: str) -> str:
    """Return the ratio of two pipelines' rates as text, with its width if that is known."""
    ratios = [*log_ratios(rates.get(label, {}), rates.get(baseline, {})).values()]
    if not ratios:
        return ""
    times = f"{digits(math.exp(fmean(ratios)), 2)} times"
    width = first_width(ratios)
    return times if width is None else f"{times} (±{width:.0%})"
