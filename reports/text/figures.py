"""Figures as text, for every form of the report: digits, units, and the sign for a missing one.

Nothing else writes a figure: so none is ever shown as nan, inf, None, or as a zero that nobody
measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from feedbench.bench.records.conditions.usage import GpuUsage
from feedbench.bench.records.row import Row
from feedbench.bench.text import digits, size
from feedbench.pipelines.knobs import as_text

MISSING = "\N{EN DASH}"
_THOUSAND = 1000


def is_known(value: float | None) -> bool:
    """Whether there is a figure."""
    return value is not None and math.isfinite(value)


def shown(
    value: float | None, form: Callable[[float], str] = digits, missing: str = MISSING
) -> str:
    """Return a figure in its form; `missing` if there is none."""
    return form(value) if value is not None and math.isfinite(value) else missing


def seconds(value: float) -> str:
    """Return seconds to the millisecond, or with three significant digits: 0.034, 12.3."""
    return f"{value:.3f}" if value < 1 else digits(value)


def milliseconds(value: float) -> str:
    """Return seconds as milliseconds, without their unit: 1.31."""
    return digits(_THOUSAND * value)


def percent(share: float) -> str:
    """Return a share in percent, without its unit: 3.4. What rounds to zero is 0.0, never -0.0."""
    return f"{100 * share:z.1f}"


def spread(row: Row) -> float | None:
    """Return half the width of the rate's interval as a share of the rate."""
    if not row.rate or row.rate_low is None or row.rate_high is None:
        return None
    return (row.rate_high - row.rate_low) / 2 / row.rate


def no_rate(row: Row) -> str:
    """Return why a row without a rate has none: its time may have run out before its turn."""
    return "failed" if row.failures else "not measured"


def interval(low: float | None, high: float | None, missing: str = MISSING) -> str:
    """Return the two ends of a ratio's interval: 2.85-3.04."""
    if not is_known(low) or not is_known(high):
        return missing
    return f"{shown(low)}-{shown(high)}"


def level(rows: Iterable[Row]) -> str:
    """Return the confidence of these rows' intervals, such as 99%; "" if there is none."""
    return next((f"{100 * row.level:.4g}%" for row in rows if row.level), "")


def knobs(row: Row) -> list[str]:
    """Return the knobs in effect as they are written in a SPEC: deterministic=true."""
    return [f"{name}={as_text(value)}" for name, value in row.knobs.items()]


def gpu(row: Row) -> str:
    """Return the figures of each GPU, or why they are not known; never a zero instead."""
    if row.gpus is None:
        return MISSING
    if isinstance(row.gpus, str):
        return row.gpus
    return "; ".join(_one_gpu(usage) for usage in row.gpus) or MISSING


def _one_gpu(usage: GpuUsage) -> str:
    active = _sensor("utilisation", usage.utilisation, lambda share: f"{percent(share)}% active")
    memory = _sensor("memory", usage.memory_bytes, size)
    power = _sensor("power", usage.watts, lambda watts: f"{digits(watts)} W")
    return f"{usage.name}: {active}, {memory}, {power}"


def _sensor(name: str, value: float | str, form: Callable[[float], str]) -> str:
    return f"{name} {value}" if isinstance(value, str) else shown(value, form, f"{name} {MISSING}")
