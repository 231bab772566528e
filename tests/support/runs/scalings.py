"""Runs of `feedbench scale` whose rates follow a law that is known."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from feedbench.bench.records.demand.demand import Estimate
from feedbench.bench.records.scaling.scaling import Arm, Axis, Curve, ScalingRecord, Sharing
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.records.windows import Window
from feedbench.bench.text import counted
from feedbench.bench.verdicts.rows import summarise
from feedbench.bench.verdicts.scaling.curves import curve_of
from tests.support.builders import a_trial

_SECONDS = 1000.0  # of a window: so many that a whole number of images has any rate

Rate = Callable[[int], float]
"""Images/s of a number of workers or cores."""


def usl(one: float, contention: float, crosstalk: float = 0.0) -> Rate:
    def rate(count: int) -> float:
        lost = contention * (count - 1) + crosstalk * count * (count - 1)
        return one * count / (1 + lost)

    return rate


def arms(counts: Sequence[int], axis: Axis = "workers", alone: int = 1000) -> list[Arm]:
    """Arms of a machine with `alone` cores."""

    def sharing(count: int) -> Sharing:
        if axis == "cores" or count < alone:
            return "none"
        return "client" if count == alone else "workers"

    return [
        Arm(
            label=counted(count, axis.removesuffix("s")),
            spec=f"tfdata_service:workers={count}",
            axis=axis,
            count=count,
            sharing=sharing(count),
        )
        for count in counts
    ]


def trials(
    of: Sequence[Arm], rate: Rate, blocks: int = 8, noise: float = 0.0, **given: Any
) -> list[TrialRecord]:
    """A trial of each arm in each block; `noise` is the standard deviation of a rate, a share."""
    chance = random.Random(7)

    def images(arm: Arm) -> int:
        return round(_SECONDS * rate(arm.count) * (1 + chance.gauss(0.0, noise)))

    return [
        a_trial(
            block,
            arm.label,
            windows=[Window(images(arm), _SECONDS)] * 4,
            **{"epoch_seconds": [1.0], "turnover_seconds": [0.1], **given},
        )
        for block in range(1, blocks + 1)
        for arm in of
    ]


def a_curve(
    of: Sequence[Arm], measured: Sequence[TrialRecord], needed: float | None = None
) -> Curve:
    specs = {arm.label: arm.spec for arm in of}
    rows = summarise(measured, specs, margin=0.05, folder_images=512).rows
    return curve_of(of[0].axis, of, {row.label: row for row in rows}, measured, needed)


def a_record(*curves: Curve, **given: Any) -> ScalingRecord:
    fields: dict[str, Any] = {
        "status": "complete",
        "command": ["feedbench", "scale"],
        "started_at": "2026-01-01T00:00:00+00:00",
        "seconds": 300.0,
        "folder": "/photos",
        "images": 512,
        "image_bytes": 224 * 224 * 3 * 4,
        "pipeline": "tfdata_service",
        "cores": 2.0,
        "blocks": 8,
        "curves": [*curves],
        "margin": 0.05,
    }
    return ScalingRecord(**fields | given)


def an_appetite(value: float) -> dict[str, Any]:
    return {"model": f"{value:g}", "appetite": Estimate(value=value, blocks=0)}
