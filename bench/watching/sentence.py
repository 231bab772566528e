"""What is reported at the end of a training, on standard error and at the top of the page."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from feedbench.bench.records.trainings.watch import WatchRecord
from feedbench.bench.text import counted, digits


def report(record: WatchRecord) -> str:
    """Return how long the training waited for its input, and what is not counted."""
    return " ".join(filter(None, [sentence(record), apart(record)]))


def sentence(record: WatchRecord) -> str:
    """Return how long the training waited for its input."""
    if record.blind:
        return f"{record.name}: the waits cannot be seen, because {record.blind}."
    if not record.epochs:
        return f"{record.name}: no batch was read, so there is no wait."
    if record.share is None:
        firsts = fmean(epoch.first_seconds for epoch in record.epochs)
        return (
            f"{record.name}: the first batch took {milliseconds(firsts)}. No second one was read,"
            " so there is no step."
        )
    most = "up to " if record.steps_per_execution > 1 else ""
    mean = record.waited_seconds / record.steps
    return (
        f"{record.name}: the training waited {most}{100 * record.share:.1f}% of its time"
        f" for input, {milliseconds(mean)} of each {milliseconds(record.seconds / record.steps)}"
        f" step ({counted(record.steps, 'step')})."
    )


def apart(record: WatchRecord) -> str:
    """Return what is not in the share: first batches, and the ends of epochs; "" without one."""
    if record.share is None:
        return ""
    firsts = [epoch.first_seconds for epoch in record.epochs]
    ends = [epoch.end_seconds for epoch in record.epochs if epoch.end_seconds is not None]
    parts = [_mean(firsts, "first batch", "first batches"), _mean(ends, "epoch end", "epoch ends")]
    return f"Not counted: {', '.join(filter(None, parts))}."


def _mean(seconds: Sequence[float], singular: str, plural: str) -> str:
    if not seconds:
        return ""
    each = " each" if len(seconds) > 1 else ""
    return f"{counted(len(seconds), singular, plural)} of {milliseconds(fmean(seconds))}{each}"


def milliseconds(seconds: float) -> str:
    """Return seconds in milliseconds with their unit: 20.1 ms."""
    return f"{digits(1000 * seconds)} ms"
