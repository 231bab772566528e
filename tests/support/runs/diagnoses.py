"""What is found out of the reasons, as the tests need it."""

from __future__ import annotations

import math

from feedbench.bench.records.diagnosis import Autotune, Ceiling, Choice, Fixed, Stage, Trace

AUTOTUNE = Autotune(
    cpu_budget=2,
    ram_budget=11_464_310_528,
    choices=[
        Choice(stage="Root", ms=0.01),
        Choice(stage="Prefetch", buffer=8, ms=0.0896),
        Choice(stage="MapAndBatch", parallelism=1, most_parallelism=2, ms=46.46),
        Choice(stage="Shuffle", ms=math.nan),
    ],
)
FIXED = Fixed(
    label="a",
    spec="tfdata_tuned:cache=none,parallel_calls=2,prefetch=2",
    rate=1030.0,
    own_rate=1000.0,
    turnover_seconds=0.02,
    own_turnover_seconds=0.64,
)
CEILINGS = [
    Ceiling(name="read", rate=15_000.0),
    Ceiling(name="decode", rate=1_050.0),
    Ceiling(name="ready", rate=7e6),
]


def a_trace(functions: list[Stage] | None = None, **ms: float) -> Trace:
    """A trace with these stages, each by its milliseconds an image."""
    stages = [Stage(name=name.replace("_", " "), ms=each) for name, each in ms.items()]
    ordered = sorted(stages, key=lambda stage: -stage.ms)
    return Trace(folder="traces/a", images=100, stages=ordered, functions=functions or [])
