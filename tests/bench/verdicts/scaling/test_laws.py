"""Laws of scaling, fitted to rates that follow one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbench.bench.verdicts.scaling.laws import fitted, largest_error
from tests.support.runs.scalings import usl

COUNTS = (1, 2, 4, 8)
SHARES = st.floats(0.0, 0.9)


@given(one=st.floats(0.1, 1e5), contention=SHARES, crosstalk=st.floats(0.0, 0.1))
def test_the_universal_scalability_law_is_recovered_from_rates_that_follow_it(
    one: float, contention: float, crosstalk: float
) -> None:
    rate = usl(one, contention, crosstalk)
    law = fitted("USL", {count: rate(count) for count in COUNTS})
    assert law is not None
    assert law.one == pytest.approx(one, rel=1e-6)
    assert law.contention == pytest.approx(contention, abs=1e-6)
    assert law.crosstalk == pytest.approx(crosstalk, abs=1e-6)
    assert law.rate(100) == pytest.approx(rate(100), rel=1e-3)


@given(one=st.floats(0.1, 1e5), contention=SHARES)
def test_amdahls_law_is_recovered_from_two_rates(one: float, contention: float) -> None:
    rate = usl(one, contention)
    law = fitted("Amdahl", {1: rate(1), 4: rate(4)})
    assert law is not None
    assert law.one == pytest.approx(one, rel=1e-6)
    assert law.contention == pytest.approx(contention, abs=1e-6)
    assert largest_error(law, {2: rate(2)}) < 1e-6


def test_errors_are_relative_so_that_a_small_count_weighs_as_much_as_a_large_one() -> None:
    rates = {1: 100.0, 2: 170.0, 4: 400.0}
    law = fitted("Amdahl", rates)
    assert law is not None

    def errors(one: float, contention: float) -> float:
        rate = usl(one, contention)
        return sum((measured / rate(count) - 1) ** 2 for count, measured in rates.items())

    best = errors(law.one, law.contention)
    for factor, more in ((1.01, 0.0), (0.99, 0.0), (1.0, 0.01), (1.0, -0.01)):
        assert errors(law.one * factor, law.contention + more) > best
    assert largest_error(law, rates) > 0.05


def test_growth_beyond_the_count_shows_no_negative_contention() -> None:
    law = fitted("USL", {1: 100.0, 2: 230.0, 4: 500.0})
    assert law is not None
    assert (law.contention, law.crosstalk) == (0.0, 0.0)


def test_a_rate_that_falls_is_one_that_does_not_grow_and_is_never_extrapolated_below() -> None:
    law = fitted("Amdahl", {1: 100.0, 2: 80.0})
    assert law is not None
    assert law.contention == 1.0
    assert law.rate(1) == law.rate(64) == pytest.approx(91.1, abs=0.1)


def test_too_few_counts_have_no_law() -> None:
    assert fitted("Amdahl", {1: 100.0}) is None
    assert fitted("USL", {1: 100.0, 2: 180.0}) is None
