"""What pipelines wrote beforehand, and when that has paid for itself, in words. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime

from feedbench.bench.records.row import Row
from feedbench.bench.records.trial import BreakEven, Preparation
from feedbench.bench.text import counted, listed, size
from feedbench.reports.text.figures import MISSING, is_known, seconds, shown

_SAME = 0.0005  # a share of the bytes that rounds to 0.0%


def beside_the_photos(row: Row) -> str:
    """Return what was written beside the photos' own files: 1.3% less than ...

    Only of records, which hold these files: anything else is no more or less of the same.
    """
    found = row.preparation
    if found is None or "compression" not in row.knobs or found.source_bytes <= 0:
        return MISSING
    share = found.bytes / found.source_bytes - 1
    if abs(share) < _SAME:
        return "as much as the photos' own files"
    word = "less" if share < 0 else "more"
    return f"{abs(share):.1%} {word} than the photos' own files"


def made(found: Preparation) -> str:
    """Return when it was made, and whether by this run."""
    try:
        at = f"{datetime.fromisoformat(found.made_at):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        at = MISSING
    return f"{at}, by an earlier run" if found.was_found else f"{at}, by this run"


def epochs(found: BreakEven) -> str:
    """Return after how many epochs it has paid for itself: 12 epochs, or never."""
    if found.epochs is None:
        return "never"
    return shown(found.epochs, lambda value: counted(max(math.ceil(value), 1), "epoch"))


def pays_off(found: Preparation) -> str:
    """Return after how many epochs it has paid for itself against whom."""
    words = [
        f"{epochs(one)}, against {one.against}"
        for one in found.break_even
        if one.epochs is not None
    ]
    words += [f"never, against {listed(labels)}: {why}" for why, labels in _never(found)]
    return "; ".join(words) or MISSING


def pays_off_briefly(found: Preparation) -> str:
    """Return the least and the most of these epochs, without their labels: 3 to never."""
    known = [one for one in found.break_even if one.epochs is None or is_known(one.epochs)]
    known.sort(key=lambda one: math.inf if one.epochs is None else one.epochs)
    if not known:
        return MISSING
    words = dict.fromkeys(epochs(one).partition(" ")[0] for one in (known[0], known[-1]))
    return " to ".join(words)


def note(row: Row, folder_images: int) -> str | None:
    """Return a sentence on what a pipeline's preparation took, and when it has paid for itself."""
    found = row.preparation
    if found is None:
        return None
    earlier = ", found from an earlier run," if found.was_found else ""
    against = _against(found)
    part = ""
    if found.images < folder_images:
        part = f" (for {found.images:,} of the {folder_images:,} images"
        part += "; the epochs are of all of them)" if against else ")"
    sentence = (
        f"{row.label}: its preparation{earlier} took {shown(found.seconds, seconds)} s and"
        f" {size(found.bytes)} to write{part}"
    )
    beside = beside_the_photos(row)
    if beside != MISSING:
        sentence += f", {beside}"
    return "; ".join([sentence, *against]) + "."


def gzip_note(rows: Iterable[Row]) -> str | None:
    """Return what GZIP saved, where records with and without it were written of the same images."""
    plain: Preparation | None = None
    packed: Preparation | None = None
    for row in rows:
        if row.knobs.get("compression") == "none":
            plain = plain or row.preparation
        if row.knobs.get("compression") == "gzip":
            packed = packed or row.preparation
    if plain is None or packed is None or plain.images != packed.images or plain.bytes <= 0:
        return None
    saved = plain.bytes - packed.bytes
    share = f"{abs(saved) / plain.bytes:.1%}"
    if saved < 0:
        return f"GZIP made the records larger by {size(-saved)}, {share} of the uncompressed ones."
    return f"GZIP saved {size(saved)} of the {size(plain.bytes)} of uncompressed records, {share}."


def _never(found: Preparation) -> list[tuple[str, list[str]]]:
    """Return why it never pays for itself, and against whom, for each reason that there is."""
    never = [one for one in found.break_even if one.epochs is None]
    reasons = [
        ("not shown to be faster", [one.against for one in never if not one.is_faster]),
        ("faster, but in epochs that are no shorter", [o.against for o in never if o.is_faster]),
    ]
    return [(why, labels) for why, labels in reasons if labels]


def _against(found: Preparation) -> list[str]:
    clauses = [
        f"against {one.against} it pays for itself after {epochs(one)}"
        for one in found.break_even
        if is_known(one.epochs)
    ]
    clauses += [f"against {listed(labels)} it never does: {why}" for why, labels in _never(found)]
    return clauses
