"""What is known of the page cache around first epochs, in words. Pure."""

from __future__ import annotations

from feedbench.bench.records.page_cache import PageCacheUse
from feedbench.bench.records.row import Row
from feedbench.bench.text import counted, size
from feedbench.reports.text.figures import MISSING, percent, shown

_READS = 0.1  # of an epoch's bytes: under it, what the kernel drops now and then


def note(row: Row) -> str | None:
    """Return a sentence on a pipeline's first epochs; None where they were warm, as is usual."""
    use = row.page_cache
    if use is None or (use.asked == "warm" and use.certified == use.trials):
        return None
    if use.certified == use.trials:
        return f"{row.label}: its first epochs were {use.asked}, certified: {figures(use)}."
    why = f" ({use.why_not})" if use.why_not else ""
    return (
        f"{row.label}: its first epochs are not certified to be {use.asked} in"
        f" {use.trials - use.certified} of {counted(use.trials, 'trial')}{why}:"
        f" {figures(use)}{_left_out(use)}."
    )


def while_timed(row: Row, images: int) -> str | None:
    """Return that a steady rate read from the device; None where it did not, or it is not known.

    `images` are those of an epoch, whose files the pipeline reads once.
    """
    use, read = row.page_cache, row.read_bytes_per_image
    if use is None or read is None or not use.bytes:
        return None
    share = read * images / use.bytes
    if share < _READS:
        return None
    return (
        f"{row.label}: while it was timed, {percent(share)}% of its files' bytes came from the"
        " device in each epoch: they do not stay in memory, and its rate is the device's as well."
    )


def _left_out(use: PageCacheUse) -> str:
    """Return that figures are left out where the page cache is known not to have been so."""
    if not use.contradicted:
        return ""
    if use.contradicted == use.trials:
        return "; so its first batch and first epoch are not told"
    return f"; {use.contradicted} of them left out of its first batch and first epoch"


def figures(use: PageCacheUse) -> str:
    """Return what was resident before, and what was read from the device."""
    resident = shown(use.resident, lambda share: f"{percent(share)}%", "an unknown part")
    read = shown(use.read_bytes, size, "an unknown number of bytes")
    return (
        f"{resident} of the {size(use.bytes)} in {counted(use.files, 'file')} that it reads"
        f" was resident before, and {read} came from the device"
    )


def state(row: Row) -> str:
    """Return in a few words whether its first epochs were what was asked for."""
    use = row.page_cache
    if use is None:
        return MISSING
    sure = "certified" if use.certified == use.trials else "not certified"
    return f"{use.asked}, {sure}"
