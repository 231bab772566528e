"""Trials of a run, and the summary that is made of them, as the tests of verdicts need them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from feedbench.bench.records.conditions.calm import Around, Counters, Share
from feedbench.bench.records.row import Row
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.records.windows import Window
from feedbench.bench.verdicts.rows import Summary, summarise
from tests.support.builders import a_record

MARGIN = 0.05
CALM = [1000, 1010, 990, 1000]


def a_trial(label: str = "a", block: int = 1, rate: int = 1000, **given: Any) -> TrialRecord:
    """A trial that was measured at a steady `rate` images/s, of an epoch of 1,000 images."""
    fields: dict[str, Any] = {
        "label": label,
        "spec": f"spec of {label}",
        "purpose": "main",
        "block": block,
        "started_at": "2026-01-01T00:00:00+00:00",
        "seconds": 9.0,
        "ended": "measured",
        "open_seconds": 0.5,
        "first_batch_seconds": 0.25,
        "first_epoch_seconds": 2.0,
        "first_epoch_images": 1000,
        "epoch_seconds": [1.5],
        "turnover_seconds": [0.125],
        "windows": [Window(rate, 1.0)] * 3,
    }
    return a_record(**fields | given)


def failed(
    label: str, block: int, why: str = "it raised OSError: gone", **given: Any
) -> TrialRecord:
    return a_trial(label, block, ended="failed", why=why, windows=[], **given)


def blocks(rates: Mapping[str, list[int]], second: list[int] | None = None) -> list[TrialRecord]:
    """Trials at these rates, block by block; the first is the baseline, `second` its control."""
    baseline = next(iter(rates))
    again = rates[baseline] if second is None else second
    control = [
        a_trial(baseline, block, rate, purpose="control") for block, rate in enumerate(again, 1)
    ]
    main = [
        a_trial(label, block, rate)
        for label, of_label in rates.items()
        for block, rate in enumerate(of_label, 1)
    ]
    return main + control


def summary_of(
    trials: list[TrialRecord],
    labels: str = "ab",
    folder_images: int = 1000,
    unequal: str = "",
    **given: Any,
) -> Summary:
    specs = {label: f"spec of {label}" for label in labels}
    return summarise(
        trials,
        specs,
        margin=MARGIN,
        folder_images=folder_images,
        unequal=set(unequal),
        **given,
    )


def row_of(summary: Summary, label: str) -> Row:
    (row,) = [row for row in summary.rows if row.label == label]
    return row


def around(share: float) -> Around:
    good, low = Share(1.0, 1.0), Share(0.93, 0.5)
    return Around(
        before=good, after=Share(share, 1.0), low=low, waited_seconds=0.0, counters=Counters()
    )


def probed(trials: list[TrialRecord], share: float = 1.0) -> list[TrialRecord]:
    return [replace(trial, around=around(share)) for trial in trials]
