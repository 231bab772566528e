"""How many more blocks would decide, how long they take, and the command that adds them. Pure."""

from __future__ import annotations

import math
import shlex
from typing import TYPE_CHECKING

from feedbench.bench.records.proof import is_equal
from feedbench.bench.text import counted, listed
from feedbench.bench.verdicts.intervals import LEAST_BLOCKS

if TYPE_CHECKING:
    from feedbench.bench.records.run import RunRecord
    from feedbench.bench.verdicts.comparison import Comparison

RUN = "RUN"
"""A run's folder, where a text does not know it."""
_MINUTE, _HOUR = 60, 3600
_FEW = 90  # of a unit, up to which it is used


def undecided(run: RunRecord, folder: str = RUN) -> str | None:
    """Return a line on what would decide the pipelines without a verdict; None if there is none."""
    blocks = {row.label: row.more_blocks for row in run.rows if row.more_blocks is not None}
    if not blocks:
        return None
    most = max(blocks.values())
    about = amount(most, run.block_seconds)
    return f"About {about} would decide {listed([*blocks])}: {adds(most, folder)}"


def without_verdict(run: RunRecord, folder: str = RUN) -> str | None:
    """Return a line on what would give verdicts to pipelines that were disturbed too often.

    It assumes that as large a share of the blocks stays undisturbed. None: no pipeline lacks them.
    """
    lacking = {
        row.label: math.ceil((LEAST_BLOCKS - row.blocks) * run.blocks / row.blocks)
        for row in run.rows[1:]
        if row.verdict is None
        and row.disturbed < row.attempts
        and not row.failures
        and (row.proof is None or is_equal(row.proof))
        and 0 < row.blocks < LEAST_BLOCKS <= run.blocks
    }
    if not lacking:
        return None
    most = max(lacking.values())
    about, labels = amount(most, run.block_seconds), listed([*lacking])
    return f"About {about} would give {labels} enough undisturbed blocks: {adds(most, folder)}"


def of_comparison(comparison: Comparison) -> str | None:
    """Return a line on what would decide a comparison; None if nothing is known to."""
    blocks = {
        pipeline.label: pipeline.more_blocks
        for pipeline in comparison.pipelines
        if pipeline.more_blocks is not None
    }
    if not blocks:
        return None
    most, labels = max(blocks.values()), listed([*blocks])
    if comparison.is_paired:
        about = amount(most, comparison.block_seconds[1])
        if all(each.ratio is None for each in comparison.pipelines if each.label in blocks):
            return f"At least {about} are needed for {labels}: {adds(most)}"
        return f"About {about} would decide {labels}: {adds(most)}"
    names = [shlex.quote(name) for name in (comparison.base, comparison.new)]
    times = [_about(most * seconds) for seconds in comparison.block_seconds if seconds is not None]
    takes = f" ({' and '.join(times)})" if len(times) == len(names) else ""
    commands = "; ".join(adds(most, name) for name in names)
    each = counted(most, "more block")
    return f"About {each} of each run{takes} would decide {labels}: {commands}"


def amount(blocks: int, block_seconds: float | None) -> str:
    """Return a number of more blocks, and how long they take if that is known: ... (4 min)."""
    time = "" if block_seconds is None else f" ({_about(blocks * block_seconds)})"
    return f"{counted(blocks, 'more block')}{time}"


def adds(blocks: int, folder: str = RUN) -> str:
    """Return the command that adds blocks to the run in a folder; in a shell's words."""
    return f"feedbench run --resume {folder} --blocks +{blocks}"


def _about(seconds: float) -> str:
    if seconds < _FEW:
        return f"{max(round(seconds), 1)} s"
    if seconds < _FEW * _MINUTE:
        return f"{round(seconds / _MINUTE)} min"
    return f"{round(seconds / _HOUR):,} h"
