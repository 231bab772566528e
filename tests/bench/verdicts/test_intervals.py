from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbench.bench.verdicts.intervals import (
    LEVEL,
    Certainty,
    Interval,
    Verdict,
    best_set,
    by_mean,
    level_of,
    precise_enough,
    rate,
    threshold_of,
    verdict,
)
from feedbench.bench.verdicts.turns.block_rates import BlockRate

Noise = Callable[[np.random.Generator, tuple[int, ...]], npt.NDArray[np.float64]]

RATES = st.floats(1.0, 1e5)
PAIRS = st.lists(st.tuples(RATES, RATES), min_size=2, max_size=12)
"""(rate, other rate) of each block"""

MARGIN = 0.05


def compared(pairs: list[tuple[float, float]], level: float = LEVEL) -> Interval:
    return by_mean([math.log(rate / other) for rate, other in pairs], level)


def close(interval: Interval, other: Interval) -> bool:
    ours, theirs = ((i.estimate, i.low, i.high) for i in (interval, other))
    return ours == pytest.approx(theirs, rel=1e-6, abs=1e-9) and interval.n == other.n


def between(low: float, high: float, n: int = 8) -> Interval:
    """The interval of a ratio, such as 0.98 to 1.03, as log ratios."""
    ends = math.log(low), math.log(high)
    return Interval(sum(ends) / 2, *ends, n, LEVEL)


def blocks_of(mean: float, deviation: float, n: int, level: float = LEVEL) -> Interval:
    """The interval of n blocks whose log ratios have exactly this mean and this deviation."""
    values = np.arange(n, dtype=float)
    values = (values - values.mean()) / values.std(ddof=1)
    return by_mean(list(mean + deviation * values), level)


@given(PAIRS, st.floats(1e-3, 1e3))
def test_a_ratio_does_not_depend_on_the_unit_of_the_rates(
    pairs: list[tuple[float, float]], scale: float
) -> None:
    assert close(compared([(a * scale, b * scale) for a, b in pairs]), compared(pairs))


@given(PAIRS, st.floats(1e-3, 1e3))
def test_a_pipeline_that_is_faster_by_a_factor_has_a_ratio_that_is_larger_by_it(
    pairs: list[tuple[float, float]], factor: float
) -> None:
    before, after = compared(pairs), compared([(a * factor, b) for a, b in pairs])
    assert after.estimate == pytest.approx(before.estimate + math.log(factor), abs=1e-9)
    assert after.high - after.low == pytest.approx(before.high - before.low, rel=1e-6, abs=1e-9)


@given(st.data())
def test_the_order_of_the_blocks_is_of_no_account(data: st.DataObject) -> None:
    pairs = data.draw(PAIRS)
    assert close(compared(data.draw(st.permutations(pairs))), compared(pairs))


@given(PAIRS)
def test_an_interval_lies_around_its_estimate(pairs: list[tuple[float, float]]) -> None:
    interval = compared(pairs)
    assert interval.low <= interval.estimate <= interval.high
    middle = (interval.low + interval.high) / 2
    assert interval.estimate == pytest.approx(middle, abs=1e-9 * (1 + interval.high - interval.low))


@given(PAIRS)
def test_the_swapped_comparison_is_the_reciprocal(pairs: list[tuple[float, float]]) -> None:
    interval = compared([(b, a) for a, b in pairs])
    turned = Interval(-interval.estimate, -interval.high, -interval.low, interval.n, interval.level)
    assert close(turned, compared(pairs))


@given(PAIRS, st.integers(2, 4))
def test_further_blocks_of_the_same_spread_never_widen_the_interval(
    pairs: list[tuple[float, float]], times: int
) -> None:
    before, after = compared(pairs), compared(pairs * times)
    assert after.high - after.low <= (before.high - before.low) * (1 + 1e-9) + 1e-12
    assert after.n == times * before.n


@given(PAIRS, st.floats(0.5, 0.98))
def test_a_higher_level_never_narrows_the_interval(
    pairs: list[tuple[float, float]], level: float
) -> None:
    lower, higher = compared(pairs, level), compared(pairs, level + 0.01)
    assert higher.low <= lower.low
    assert lower.high <= higher.high
    assert (lower.level, higher.level) == (level, level + 0.01)


def test_an_interval_of_four_blocks_is_the_one_of_a_printed_table() -> None:
    # t(0.995, 3 degrees of freedom) = 5.841. The differences are 1, 2, 3 and 4 %: mean 0.025,
    # deviation sqrt(0.0005 / 3) = 0.01291, of the mean 0.006455; times 5.841: 0.03770.
    interval = by_mean([0.01, 0.02, 0.03, 0.04], 0.99)
    assert interval.estimate == pytest.approx(0.025)
    assert interval.high - interval.estimate == pytest.approx(0.03770, abs=1e-5)
    assert interval.estimate - interval.low == pytest.approx(0.03770, abs=1e-5)
    assert (interval.n, interval.level) == (4, 0.99)


def test_the_estimate_is_the_geometric_mean_of_the_ratios() -> None:
    assert math.exp(compared([(100, 50), (800, 100)]).estimate) == pytest.approx(4.0)


def test_blocks_are_compared_each_with_itself() -> None:
    slow_then_fast = compared([(110, 100), (1_100, 1_000), (11_000, 10_000)])
    assert slow_then_fast.low == pytest.approx(math.log(1.1))
    assert slow_then_fast.high == pytest.approx(math.log(1.1))


def test_a_rate_is_one_over_the_mean_of_the_seconds_an_image_takes() -> None:
    # 10, 8, 7 and 5 ms: mean 7.5, deviation sqrt(13 / 3) = 2.0817, of the mean 1.0408; times
    # 5.841: 6.0795. So 1.4205 to 13.5795 ms.
    interval = rate([1000 / 10, 1000 / 8, 1000 / 7, 1000 / 5], 0.99)
    assert interval.estimate == pytest.approx(1000 / 7.5)
    assert interval.low == pytest.approx(1000 / 13.5795, rel=1e-4)
    assert interval.high == pytest.approx(1000 / 1.4205, rel=1e-3)
    assert (interval.n, interval.level) == (4, 0.99)


def test_a_rate_has_no_upper_end_where_the_interval_of_the_seconds_reaches_zero() -> None:
    interval = rate([100, 200, 400, 400], 0.99)
    assert interval.estimate == pytest.approx(200)
    assert 0 < interval.low < 200
    assert interval.high == math.inf


@given(st.lists(RATES, min_size=2, max_size=12), st.floats(1e-2, 1e2))
def test_a_rate_lies_in_its_interval_between_its_blocks_and_scales_with_them(
    rates: list[float], scale: float
) -> None:
    interval, scaled = rate(rates, LEVEL), rate([r * scale for r in rates], LEVEL)
    assert interval.low <= interval.estimate <= interval.high
    assert min(rates) * (1 - 1e-9) <= interval.estimate <= max(rates) * (1 + 1e-9)
    assert scaled.estimate == pytest.approx(interval.estimate * scale)
    assert scaled.low == pytest.approx(interval.low * scale)


@pytest.mark.parametrize(
    ("comparisons", "level"),
    [(0, 0.99), (1, 0.99), (3, 0.99), (5, 0.99), (10, 0.995), (20, 0.9975)],
)
def test_the_level_grows_with_the_comparisons_and_is_never_under_99_percent(
    comparisons: int, level: float
) -> None:
    assert level_of(comparisons) == pytest.approx(level)


def test_an_interval_above_one_is_faster() -> None:
    assert verdict(between(1.2, 1.4), between(0.99, 1.01), MARGIN) == Verdict("faster")


def test_an_interval_below_one_is_slower() -> None:
    assert verdict(between(0.7, 0.8), between(0.99, 1.01), MARGIN) == Verdict("slower")


def test_an_interval_around_one_inside_the_margin_is_equivalent() -> None:
    answer = verdict(between(0.97, 1.03), between(0.99, 1.01), MARGIN)
    assert answer == Verdict("equivalent", within_margin=True)


def test_faster_by_less_than_the_margin_is_both() -> None:
    answer = verdict(between(1.01, 1.04), between(0.99, 1.01), MARGIN)
    assert answer == Verdict("faster", within_margin=True)


def test_slower_by_less_than_the_margin_is_both() -> None:
    answer = verdict(between(0.96, 0.99), between(0.99, 1.01), MARGIN)
    assert answer == Verdict("slower", within_margin=True)


@pytest.mark.parametrize(("low", "high"), [(0.951, 1.0), (1.0, 1.051), (0.953, 1.051)])
def test_the_margin_goes_from_its_reciprocal_to_itself(low: float, high: float) -> None:
    inside = verdict(between(1 / 1.0499, 1.0499), None, MARGIN)
    assert inside.word == "equivalent"
    assert verdict(between(low, high), None, MARGIN).word == "inconclusive"


def test_an_interval_over_both_one_and_the_margin_is_inconclusive() -> None:
    assert verdict(between(0.9, 1.3), between(0.99, 1.01), MARGIN).word == "inconclusive"


@pytest.mark.parametrize("mean", [0.0, 0.01, 0.04, 0.1, -0.1, -0.03])
def test_after_so_many_more_blocks_of_the_same_spread_there_is_a_verdict(mean: float) -> None:
    deviation = 0.08
    more = verdict(blocks_of(mean, deviation, 4), None, MARGIN).more_blocks
    assert more is not None
    again = Certainty(reports=2).level_of(1)
    after = blocks_of(mean, deviation, 4 + more, again)
    assert verdict(after, None, MARGIN).word != "inconclusive"
    if more > 1:
        fewer = verdict(blocks_of(mean, deviation, 4 + more - 1, again), None, MARGIN)
        assert fewer.word == "inconclusive"


def test_no_number_of_blocks_is_named_where_none_would_decide() -> None:
    # 6 % faster, where the baseline differs from itself by 8 % and nobody can tell: beyond the
    # margin, and within what the control allows.
    answer = verdict(between(0.99, 1.135), between(0.9, 1.3), MARGIN)
    assert answer == Verdict("inconclusive", more_blocks=None)


@pytest.mark.parametrize("control", [(1.011, 1.05), (0.95, 0.989)])
def test_a_control_that_excludes_one_by_over_one_percent_withholds_every_verdict(
    control: tuple[float, float],
) -> None:
    for ratio in ((1.2, 1.4), (0.7, 0.8), (0.99, 1.01), (0.5, 2.0)):
        assert verdict(between(*ratio), between(*control), MARGIN) == Verdict("withheld")


@pytest.mark.parametrize("control", [(1.009, 1.01), (0.991, 0.999)])
def test_a_control_that_excludes_one_by_less_than_one_percent_withholds_nothing(
    control: tuple[float, float],
) -> None:
    assert verdict(between(1.2, 1.4), between(*control), MARGIN).word == "faster"


@pytest.mark.parametrize("control", [(0.96, 1.1), (1 / 1.1, 1 / 0.96)])
def test_a_difference_counts_only_beyond_what_the_baseline_differs_from_itself(
    control: tuple[float, float],
) -> None:
    off = between(*control)
    by = math.exp(abs(off.estimate))
    assert by == pytest.approx(1.0276, abs=1e-4)
    assert verdict(between(by - 0.001, 1.2), off, MARGIN).word == "inconclusive"
    assert verdict(between(by + 0.001, 1.2), off, MARGIN).word == "faster"
    assert verdict(between(0.8, 1 / (by - 0.001)), off, MARGIN).word == "inconclusive"
    assert verdict(between(0.8, 1 / (by + 0.001)), off, MARGIN).word == "slower"


def test_a_control_that_is_off_by_less_than_one_percent_moves_nothing() -> None:
    off = between(0.95, 1.069)  # estimate 1.0077
    assert verdict(between(1.001, 1.2), off, MARGIN).word == "faster"


def test_a_difference_within_the_controls_own_and_the_margin_is_equivalent() -> None:
    answer = verdict(between(1.01, 1.02), between(0.96, 1.1), MARGIN)
    assert answer == Verdict("equivalent", within_margin=True)


def test_without_a_control_the_interval_alone_decides() -> None:
    assert verdict(between(1.001, 1.2), None, MARGIN).word == "faster"


def rates_of(**rates: list[float]) -> dict[str, dict[int, BlockRate]]:
    """Rates by label and by block, the blocks counted from 1."""
    return {label: by_block(of_label) for label, of_label in rates.items()}


def by_block(rates: list[float]) -> dict[int, BlockRate]:
    return {block: BlockRate(rate) for block, rate in enumerate(rates, 1)}


def test_one_that_beats_all_others_is_best_alone() -> None:
    rates = rates_of(a=[100, 101, 99, 100], b=[200, 202, 198, 201], c=[150, 149, 151, 150])
    assert best_set(rates) == ("b",)


def test_two_that_cannot_be_told_apart_are_both_best_in_the_order_given() -> None:
    rates = rates_of(a=[200, 198, 203, 200], b=[100, 101, 99, 100], c=[201, 202, 198, 201])
    assert best_set(rates) == ("a", "c")


def test_one_that_is_slower_than_any_other_is_out_even_if_the_baseline_is_noisy() -> None:
    rates = rates_of(noisy=[50, 400, 90, 210], b=[100, 101, 99, 100], c=[150, 149, 151, 150])
    assert best_set(rates) == ("noisy", "c")


def test_pairs_are_compared_block_by_block() -> None:
    machine = [1.0, 3.0, 0.5, 2.0]  # its speed in each block
    rates = rates_of(a=[100 * m for m in machine], b=[110 * m for m in machine])
    assert best_set(rates) == ("b",)


def test_what_was_measured_in_less_than_four_blocks_is_not_among_the_best() -> None:
    rates = rates_of(a=[100, 101, 99, 100, 100], b=[200, 202, 198])
    assert best_set(rates) == ("a",)
    rates["b"][5] = BlockRate(199)
    assert best_set(rates) == ("b",)


def test_a_single_pipeline_is_best_and_of_none_there_is_none() -> None:
    assert best_set(rates_of(a=[1, 2, 3, 4])) == ("a",)
    assert best_set({}) == ()


def test_the_best_of_two_is_one_whose_verdict_is_faster() -> None:
    # At 1 - 0.05/1 it would be best alone, and "inconclusive" at the 0.99 of verdicts.
    assert best_set(rates_of(a=[100, 100, 100, 100], b=[103, 107, 104, 106])) == ("a", "b")


def test_a_difference_within_the_threshold_shows_nothing() -> None:
    rates = rates_of(a=[100, 100, 100, 100], b=[102, 102, 102, 102])
    assert best_set(rates, threshold=math.log(1.019)) == ("b",)
    assert best_set(rates, threshold=math.log(1.021)) == ("a", "b")


def test_a_baseline_that_is_within_a_percent_of_itself_asks_for_no_threshold() -> None:
    assert threshold_of(None) == 0.0
    assert threshold_of(between(0.98, 1.03)) == 0.0
    assert threshold_of(between(1.0, 1.04)) == pytest.approx(math.log(1.04) / 2)
    assert threshold_of(between(0.96, 1.0)) == pytest.approx(-math.log(0.96) / 2)


def test_a_pair_among_many_must_differ_more_clearly() -> None:
    # 5 % between a and b, at a spread that shows it for one pair and not for one among 45.
    pair = rates_of(a=[100, 100, 100, 100], b=[104, 106, 104.5, 105.5])
    assert best_set(pair) == ("b",)
    others = {f"slow{number}": by_block([float(number)] * 4) for number in range(1, 9)}
    assert best_set(pair | others) == ("a", "b")


def half_as_wide_as(margin: float, n: int = 4) -> Interval:
    half = math.log1p(margin) / 2
    return Interval(0.3, 0.3 - half * 0.999, 0.3 + half * 0.999, n, LEVEL)


def test_it_is_precise_enough_where_every_half_width_is_at_most_half_the_margin() -> None:
    assert precise_enough([half_as_wide_as(MARGIN)] * 3, MARGIN)
    assert not precise_enough([half_as_wide_as(MARGIN), half_as_wide_as(MARGIN * 1.1)], MARGIN)


def test_less_than_four_blocks_are_never_precise_enough() -> None:
    assert not precise_enough([half_as_wide_as(MARGIN, n=3)], MARGIN)


def test_significance_is_no_reason_to_stop() -> None:
    assert not precise_enough([between(2.0, 2.2)], MARGIN)


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    return rng.normal(0, 0.03, shape)


def heavy_tailed(rng: np.random.Generator, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    return 0.02 * rng.standard_t(3, shape)


def bursty(rng: np.random.Generator, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    slowed = np.where(rng.random(shape) < 0.1, -0.1, 0.0)
    return rng.normal(0, 0.02, shape) + slowed


@pytest.mark.parametrize("noise", [normal, heavy_tailed, bursty])
def test_of_pairs_of_equal_pipelines_hardly_one_in_a_hundred_is_called_different(
    noise: Noise,
) -> None:
    rng = np.random.default_rng(20260101)
    rates = 1000 * np.exp(noise(rng, (2000, 2, 4)))
    ratios = [by_mean(np.log(ours / theirs).tolist(), LEVEL) for ours, theirs in rates]
    words = [verdict(ratio, None, MARGIN).word for ratio in ratios]
    assert sum(word in {"faster", "slower"} for word in words) <= 0.015 * len(words)
