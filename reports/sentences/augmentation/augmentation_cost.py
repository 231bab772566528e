"""What augmentation costs a pipeline, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from feedbench.reports.text.figures import percent, shown

if TYPE_CHECKING:
    from feedbench.bench.records.row import Row
    from feedbench.bench.records.run import RunRecord


def sentences(row: Row, run: RunRecord) -> Iterator[str]:
    """Yield what augmentation costs a pipeline, or why that is not known; nothing without it."""
    if not row.is_augmented:
        yield (
            f"{row.label} delivers images as they are, and the model augments them. It is compared"
            " only with pipelines that do so too."
        )
    elif row.withheld == "augmentation":
        yield (
            f"{row.label} has no verdict: it augments its images, and {run.rows[0].label} leaves"
            " that to the model."
        )
    cost = row.unaugmented
    if cost is None:
        return
    if cost.share is None:
        yield f"What augmentation costs {row.label} is not known: {cost.why}."
        return
    both = f"{shown(row.rate)} images/s with it, {shown(cost.rate)} without"
    disturbed = ", from disturbed trials" if cost.is_disturbed else ""
    yield f"Augmentation costs {row.label} {_of_its_rate(row)}: {both}{disturbed}."


def cell(row: Row) -> str:
    """Return the share of the rate that augmentation takes, in percent, with its interval."""
    cost = row.unaugmented
    if cost is None or cost.share is None or cost.share_low is None or cost.share_high is None:
        return shown(None if cost is None else cost.share, percent)
    return f"{percent(cost.share)} ({percent(cost.share_low)} to {percent(cost.share_high)})"


def _of_its_rate(row: Row) -> str:
    cost = row.unaugmented
    assert cost is not None
    assert cost.share is not None
    if cost.share_low is None or cost.share_high is None:
        return f"about {cost.share:.0%} of its rate"
    interval = f"{cost.share_low:.0%} to {cost.share_high:.0%}"
    if cost.share_low <= 0 <= cost.share_high:
        return f"nothing measurable ({interval} of its rate)"
    return f"{cost.share:.0%} of its rate ({interval})"
