"""What AUTOTUNE chose stage by stage, and what a pipeline does without it. Pure."""

from __future__ import annotations

import re

from feedbench.bench.records.diagnosis import Autotune, Choice, Fixed
from feedbench.bench.records.run import RunRecord
from feedbench.bench.text import counted, digits, size
from feedbench.reports.text.figures import MISSING, is_known, seconds, shown
from feedbench.reports.text.titles import Title

TITLES = (
    Title("stage", is_words=True),
    Title("parallel calls", "of the maximum"),
    Title("prefetched", "elements"),
    Title("time", "ms per element"),
)
_CONSUMER = "Root"  # AUTOTUNE's own node over all stages: it is none of them
_CALLS = re.compile(r"\bparallel_calls=(\d+)")


def by_stage(run: RunRecord) -> list[tuple[str, str, list[tuple[str, str, str, str]]]]:
    """Return each tf.data pipeline, its budgets, and its stages; none of those without any."""
    tables = []
    for row in run.rows:
        if row.autotune is None:
            continue
        stages = [_cells(choice) for choice in row.autotune.choices if choice.stage != _CONSUMER]
        if stages:
            tables.append((row.label, _budgets(row.autotune), stages))
    return tables


def _budgets(autotune: Autotune) -> str:
    return f"budget: {counted(autotune.cpu_budget, 'core')}, {size(autotune.ram_budget)} of memory"


def _cells(choice: Choice) -> tuple[str, str, str, str]:
    calls = MISSING
    if choice.parallelism is not None:
        most = choice.most_parallelism
        calls = f"{choice.parallelism}" if most is None else f"{choice.parallelism} of {most}"
    ahead = MISSING if choice.buffer is None else f"{choice.buffer:,}"
    return choice.stage, calls, ahead, shown(choice.ms, digits)


def without_it(fixed: Fixed) -> str | None:
    """Return what a pipeline did with AUTOTUNE off, as a clause; None if no rates are known.

    It is reported in either case: that AUTOTUNE costs nothing is worth knowing too.
    """
    if not is_known(fixed.rate) or not is_known(fixed.own_rate) or fixed.own_rate <= 0:
        return None
    calls = _CALLS.search(fixed.spec)
    values = counted(int(calls[1]), "parallel call") if calls else fixed.spec
    rates = f"{fixed.rate:,.0f} images/s instead of {fixed.own_rate:,.0f}"
    clause = f"with {values} and AUTOTUNE off: {_change(fixed.gain)} ({rates})"
    before, after = fixed.own_turnover_seconds, fixed.turnover_seconds
    if before is not None and after is not None and is_known(before) and is_known(after):
        clause += f"; a restart took {seconds(after)} s instead of {seconds(before)} s"
    return f"{clause}. Each is one trial; two trials may differ by a few percent."


def _change(gain: float) -> str:
    whole = round(100 * gain)
    return f"{whole:+d}%" if whole else "as fast"
