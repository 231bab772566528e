"""Comparisons of two runs as the tests need them."""

from __future__ import annotations

from typing import Any

from feedbench.bench.verdicts.comparison import Compared, Comparison

SLOWER = Compared(
    label="b",
    word="slower",
    base_rate=1000.0,
    rate=700.0,
    ratio=0.7,
    ratio_low=0.68,
    ratio_high=0.72,
    blocks=(8, 8),
)
UNSURE = Compared(label="c", word="cannot tell", why="it was not measured in the new run")
FINE = Compared(
    label="a",
    word="not slower",
    base_rate=1000.0,
    rate=1010.0,
    ratio=1.01,
    ratio_low=0.99,
    ratio_high=1.03,
)


def a_comparison(*pipelines: Compared, **given: Any) -> Comparison:
    return Comparison(
        base="base", new="new", tolerance=0.05, level=0.99, pipelines=list(pipelines), **given
    )


DIFFERING = a_comparison(FINE, UNSURE, differences=["cores: 2 and 4"], remarks=["Only x."])
