"""What is known of the page cache around first epochs, in words. Pure."""

from __future__ import annotations

from feedbench.bench.records.conditions.page_cache import PageCacheUse
from feedbench.bench.records.row import Row
from feedbench.bench.text import counted, size
from feedbench.reports.text.figures import MISSING, percent, shown

_READS = 0.1  # of an epoch's bytes: under it, what the kernel drops now and then


def note(row: Row) -> str | None:
    """Return a sentence on a pipeline's first epochs; None if they were warm, as usual."""
    use = row.page_cache
    if use is None or (use.asked == "warm" and use.certified == use.trials):
        return None
    if use.certified == use.trials:
        return f"{row.label}: its first epochs were {use.asked}, certified. {figures(use)}."
    why = f" ({use.why_not})" if use.why_not else ""
    return (
        f"{row.label}: its first epochs are not certified {use.asked} in"
        f" {use.trials - use.certified} of {counted(use.trials, 'trial')}{why}."
        f" {figures(use)}.{_left_out(use)}"
    )


def while_timed(row: Row, images: int) -> str | None:
    """Return a note if a steady rate read from the device; None if not, or if it is not known.

    `images` are those of an epoch, whose files the pipeline reads once.
    """
    use, read = row.page_cache, row.read_bytes_per_image
    if use is None or read is None or not use.bytes:
        return None
    share = read * images / use.bytes
    if share < _READS:
        return None
    return (
        f"{row.label}: in each timed epoch {percent(share)}% of its files' bytes came from the"
        " device. They do not fit in memory, so its rate includes disk reads."
    )


def _left_out(use: PageCacheUse) -> str:
    """Return a note on figures that are left out because the page cache was different."""
    if not use.contradicted:
        return ""
    if use.contradicted == use.trials:
        return " So its first batch and first epoch are not shown."
    trials = counted(use.contradicted, "trial")
    return f" Its first batch and first epoch leave out {trials}."


def figures(use: PageCacheUse) -> str:
    """Return what was in memory before, and what was read from the device, without a full stop."""
    resident = shown(use.resident, lambda share: f"{percent(share)}%", "An unknown part")
    read = shown(use.read_bytes, size, "an unknown number of bytes")
    files = f"{size(use.bytes)} in {counted(use.files, 'file')}"
    return f"{resident} of its {files} was in memory before, and {read} came from the device"


def state(row: Row) -> str:
    """Return in a few words whether its first epochs were warm or cold as requested."""
    use = row.page_cache
    if use is None:
        return MISSING
    sure = "certified" if use.certified == use.trials else "not certified"
    return f"{use.asked}, {sure}"
