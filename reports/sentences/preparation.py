"""What pipelines wrote in advance, and when that has paid for itself, in words. Pure."""

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
    """Return what was written, compared with the photos' own files: 1.3% less than ...

    Only of records, which hold these files: anything else is no more or less of the same.
    """
    record = row.preparation
    if record is None or "compression" not in row.knobs or record.source_bytes <= 0:
        return MISSING
    share = record.bytes / record.source_bytes - 1
    if abs(share) < _SAME:
        return "as much as the photos' own files"
    word = "less" if share < 0 else "more"
    return f"{abs(share):.1%} {word} than the photos' own files"


def made(record: Preparation) -> str:
    """Return when it was made, and whether by this run."""
    try:
        at = f"{datetime.fromisoformat(record.made_at):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        at = MISSING
    return f"{at}, by an earlier run" if record.was_found else f"{at}, by this run"


def epochs(break_even: BreakEven) -> str:
    """Return after how many epochs it has paid for itself: 12 epochs, or never."""
    if break_even.epochs is None:
        return "never"
    return shown(break_even.epochs, lambda value: counted(max(math.ceil(value), 1), "epoch"))


def pays_off(record: Preparation) -> str:
    """Return after how many epochs it has paid for itself, against each pipeline."""
    words = [
        f"{epochs(break_even)}, compared with {break_even.against}"
        for break_even in record.break_even
        if break_even.epochs is not None
    ]
    words += [f"never, compared with {listed(labels)}: {why}" for why, labels in _never(record)]
    return "; ".join(words) or MISSING


def pays_off_briefly(record: Preparation) -> str:
    """Return the least and the most of these epochs, without their labels: 3 to never."""
    break_evens = [
        break_even
        for break_even in record.break_even
        if break_even.epochs is None or is_known(break_even.epochs)
    ]
    break_evens.sort(
        key=lambda break_even: math.inf if break_even.epochs is None else break_even.epochs
    )
    if not break_evens:
        return MISSING
    words = dict.fromkeys(
        epochs(break_even).partition(" ")[0] for break_even in (break_evens[0], break_evens[-1])
    )
    return " to ".join(words)


def note(row: Row, folder_images: int) -> str | None:
    """Return what a pipeline's preparation cost, and when it has paid for itself."""
    record = row.preparation
    if record is None:
        return None
    earlier = ", reused from an earlier run," if record.was_found else ""
    against = _against(record)
    part = ""
    if record.images < folder_images:
        part = f" for {record.images:,} of the {folder_images:,} images"
    sentence = (
        f"{row.label}: its preparation{earlier} took {shown(record.seconds, seconds)} s and wrote"
        f" {size(record.bytes)}{part}"
    )
    beside = beside_the_photos(row)
    if beside != MISSING:
        sentence += f", {beside}"
    if part and against:
        against.append(f"These epochs are of all {folder_images:,} images")
    return ". ".join([sentence, *against]) + "."


_STORE = ("store", "stored_format", "stored_size", "quality")
"""The knobs that say what records hold."""


def gzip_note(rows: Iterable[Row]) -> str | None:
    """Return what GZIP saved, if the same images were written with and without it.

    They are those of the first pipeline: others may store images smaller.
    """
    plain: Preparation | None = None
    packed: Preparation | None = None
    stored: list[object] | None = None
    for row in rows:
        if row.preparation is None:
            continue
        store = [row.knobs.get(knob) for knob in _STORE]
        stored = store if stored is None else stored
        if store != stored:
            continue
        if row.knobs.get("compression") == "none":
            plain = plain or row.preparation
        if row.knobs.get("compression") == "gzip":
            packed = packed or row.preparation
    if plain is None or packed is None or plain.images != packed.images or plain.bytes <= 0:
        return None
    saved = plain.bytes - packed.bytes
    share = f"{abs(saved) / plain.bytes:.1%}"
    if saved < 0:
        return f"GZIP made the records {size(-saved)} larger ({share})."
    return f"GZIP saved {size(saved)} ({share}) of {size(plain.bytes)} of records."


def _never(record: Preparation) -> list[tuple[str, list[str]]]:
    """Return each reason why it never pays for itself, and the pipelines that it is about."""
    never = [break_even for break_even in record.break_even if break_even.epochs is None]
    reasons = [
        (
            "it is not shown to be faster",
            [break_even.against for break_even in never if not break_even.is_faster],
        ),
        (
            "it is faster, but its epochs are no shorter",
            [break_even.against for break_even in never if break_even.is_faster],
        ),
    ]
    return [(why, labels) for why, labels in reasons if labels]


def _against(record: Preparation) -> list[str]:
    clauses = [
        f"It pays for itself after {epochs(break_even)} compared with {break_even.against}"
        for break_even in record.break_even
        if is_known(break_even.epochs)
    ]
    clauses += [
        f"It never pays for itself compared with {listed(labels)}: {why}"
        for why, labels in _never(record)
    ]
    return clauses
