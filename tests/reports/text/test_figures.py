from __future__ import annotations

import math

import pytest

from feedbench.bench.records.conditions.usage import GpuUsage, Missing
from feedbench.bench.text import size
from feedbench.reports.text import figures
from feedbench.reports.text.figures import MISSING
from tests.support.builders import a_row


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_a_figure_that_is_missing_is_a_dash(value: float | None) -> None:
    assert figures.shown(value) == MISSING
    assert figures.shown(value, figures.seconds, "") == ""
    assert figures.interval(value, 1.0) == figures.interval(1.0, value) == MISSING


def test_a_figure_that_is_zero_is_shown() -> None:
    assert figures.shown(0.0, figures.percent) == "0.0"
    assert [figures.percent(share) for share in (-0.0004, -0.002)] == ["0.0", "-0.2"]
    assert figures.shown(0.0, size) == "0 B"


def test_seconds_under_one_are_shown_to_the_millisecond() -> None:
    assert [figures.seconds(value) for value in (0.0341, 0.5, 1.234, 1234.5)] == [
        "0.034",
        "0.500",
        "1.23",
        "1,234",
    ]


@pytest.mark.parametrize("ends", [{"rate_high": None}, {"rate_low": None}, {"rate": 0.0}])
def test_a_rate_without_both_ends_has_no_spread(ends: dict[str, float | None]) -> None:
    assert figures.spread(a_row("a", **ends)) is None


def test_the_spread_is_half_the_interval_as_a_share_of_the_rate() -> None:
    assert figures.spread(a_row("a", 1000.0, rate_low=950.0, rate_high=1070.0)) == 0.06


@pytest.mark.parametrize("said", ["no GPU", "not available"])
def test_a_gpu_that_is_not_there_is_told_in_words(said: str) -> None:
    assert figures.gpu(a_row("a", gpus=said)) == said
    assert figures.gpu(a_row("a")) == MISSING


@pytest.mark.parametrize("missing", ["not available", "not supported"])
def test_a_gpus_figures_are_each_there_or_say_why_not_by_themselves(missing: Missing) -> None:
    known = GpuUsage(name="H200", utilisation=0.34, memory_bytes=12.3e9, watts=210.4)
    other = GpuUsage(name="T4", utilisation=missing, memory_bytes=0.0, watts=missing)
    assert figures.gpu(a_row("a", gpus=[known, other])) == (
        f"H200: 34.0% active, 12.3 GB, 210 W; T4: utilisation {missing}, 0 B, power {missing}"
    )
