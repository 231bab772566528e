"""What a watched training is shown as: sentences, and cells of its table."""

from __future__ import annotations

from feedbench.bench.records.trainings.watch import WatchedEpoch, WatchRecord
from feedbench.bench.text import counted, digits
from feedbench.reports.text.figures import MISSING, percent, shown

TITLES = (
    ("epoch", ""),
    ("batches", ""),
    ("waited", "% of the steps' time"),
    ("wait of a step", "ms, mean"),
    ("median wait", "ms"),
    ("longest wait", "ms"),
    ("a whole step", "ms, mean"),
    ("first batch", "ms"),
    ("epoch end", "ms"),
)
"""Each column's title and unit."""


def rows(record: WatchRecord) -> list[tuple[str, ...]]:
    """Return the cells of the table, a row an epoch."""
    return [(f"{number:,}", *_cells(each)) for number, each in enumerate(record.epochs, 1)]


def _cells(epoch: WatchedEpoch) -> tuple[str, ...]:
    steps = epoch.steps
    return (
        f"{epoch.batches:,}",
        percent(epoch.waited_seconds / epoch.seconds) if epoch.seconds else MISSING,
        _ms(epoch.waited_seconds / steps if steps else None),
        _ms(epoch.median_seconds),
        _ms(epoch.longest_seconds),
        _ms(epoch.seconds / steps if steps else None),
        _ms(epoch.first_seconds),
        _ms(epoch.end_seconds),
    )


def _ms(seconds: float | None) -> str:
    return shown(None if seconds is None else 1000 * seconds, digits)


def notes(record: WatchRecord) -> list[str]:
    """Return what the figures cover, and what they cannot see."""
    where = {
        "python": f"The time within next() of {record.source}, in the thread that called it.",
        "graph": "The time within the op that takes a batch, in the function that fit compiles.",
    }
    counted_as = (
        "A step begins when the batch before it arrives, and ends when its own batch arrives."
        " So an epoch's first batch is not a step."
    )
    device = (
        "On a GPU, TensorFlow can return before the GPU is done. There, these are the waits of"
        " the program, and the GPU waits at most as long."
    )
    several = (
        f"One call runs {counted(record.steps_per_execution, 'step')}. TensorFlow can ask for a"
        " batch while it still computes the step before, so the waits are upper limits."
    )
    parts = [where[record.place], counted_as, device]
    return parts + ([several] if record.steps_per_execution > 1 else [])
