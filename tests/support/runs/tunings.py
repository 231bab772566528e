"""Folders of tunings, claimed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from feedbench.bench.records.tuning.tuning import (
    Allowance,
    Gain,
    Total,
    TuningRecord,
    write_tuning,
)
from tests.support.builders import a_row, a_run, a_run_folder, trials_of

RATES = {"a": [1000, 1004, 998, 1001], "b": [1500, 1490, 1510, 1505]}


def a_tuning(**given: Any) -> TuningRecord:
    fields: dict[str, Any] = {
        "status": "complete",
        "command": ["feedbench", "tune", "photos"],
        "started_at": "2026-01-01T00:00:00Z",
        "time_seconds": 900.0,
        "folder": "photos",
        "folder_images": 600,
        "images": 256,
        "allowance": Allowance(epochs=30),
        "default": "a",
        "winner": "b",
        "challenger": "b",
        "before": Gain(times=1.6, low=1.5, high=1.7, blocks=4),
        "after": Gain(times=1.5, low=1.45, high=1.55, blocks=6),
        "winner_total": Total(prepare=2.0, first_epoch=1.0, other_epochs=7.0),
        "default_total": Total(prepare=0.0, first_epoch=1.0, other_epochs=14.0),
        "run": "final",
    }
    return TuningRecord(**fields | given)


def a_tuning_folder(folder: Path, **given: Any) -> Path:
    """A tuning with a rung and a last run."""
    run = a_run(*(a_row(label, sum(rates) / 4) for label, rates in RATES.items()))
    for name in ("rung-1", "final"):
        (folder / name).mkdir(parents=True)
        a_run_folder(folder / name, run, trials_of(RATES))
    write_tuning(folder, a_tuning(**given))
    return folder
