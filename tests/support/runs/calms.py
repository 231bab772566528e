"""How calm machines were, as the tests need them."""

from __future__ import annotations

from typing import Any

from feedbench.bench.records.conditions.calm import BlockCalm, Calm, Share


def a_calm(disturbed: int = 0, **given: Any) -> Calm:
    """One block of 48 trials, so many of them disturbed."""
    block: dict[str, Any] = {
        "block": 1,
        "seconds": 300.0,
        "probes": [Share(1.0, 1.0)],
        "disturbed": [],
        "stolen_seconds": given.pop("stolen", 0.1),
        "throttled_seconds": given.pop("throttled", None),
        "cpu_pressure_seconds": 250.0,  # the pipelines' own threads
        "io_pressure_seconds": 0.0,
        "memory_pressure_seconds": None,
    }
    fields: dict[str, Any] = {
        "low": Share(0.9, 0.5),
        "lowest": Share(0.97, 0.81),
        "middle": Share(1.0, 1.0),
        "attempts": 48,
        "disturbed": disturbed,
        "retaken": 0,
        "waited_seconds": 0.0,
        "probe_seconds": 5.0,
        "blocks": [BlockCalm(**block)],
    }
    return Calm(**fields | given)


def with_probes(*probes: list[Share], **given: float | None) -> Calm:
    """Blocks with these probes."""
    fields: dict[str, float | None] = dict.fromkeys(
        ("stolen", "throttled", "cpu_pressure", "io_pressure", "memory_pressure")
    )
    counters = {f"{name}_seconds": value for name, value in (fields | given).items()}
    whole = Share(1.0, 1.0)
    return Calm(
        low=Share(0.85, 0.5), lowest=whole, middle=whole, attempts=4, disturbed=0, retaken=0,
        waited_seconds=0.0, probe_seconds=1.0,
        blocks=[
            BlockCalm(block=number, seconds=10.0, probes=each, disturbed=["b"] * (number == 2),
                      **counters)
            for number, each in enumerate(probes, 1)
        ],
    )  # fmt: skip


PROBED = with_probes([Share(0.9, 1.1), Share(1.0, 0.6)], [Share(0.7, 1.0)], cpu_pressure=0.5)
