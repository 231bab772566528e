"""How often the verdicts are right, beside what people do: on machines whose truth is known.

What is simulated stands in machines.py, and the rules in rules.py. Every cell is a share of 20,000
sittings; the seed is fixed, so that what is asserted holds or does not, today as tomorrow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy import stats

from feedbench.bench.verdicts.intervals import (
    LEAST_BLOCKS,
    Interval,
    Verdict,
    by_mean,
    by_ranks,
    verdict,
)
from tests.studies.decision_rules.machines import (
    BASELINE,
    CONTROL,
    OTHER,
    Array,
    Machine,
    Sittings,
    probed,
    simulate,
)
from tests.studies.decision_rules.rules import (
    LEVEL,
    MARGIN,
    RULES,
    Called,
    by_signed_ranks,
    by_students_t,
    by_trimmed_mean,
    mann_whitney,
    ours,
    pooled_t_of_trials,
    pooled_t_of_windows,
    rank_sums,
)

SEED = 20260301
SITTINGS = 20_000
CHECKED = 20  # of each cell's sittings, by the project's own functions
BLOCKS = (4, 8, 20)
FASTER = (0.0, 0.02, 0.05, 0.10)
SPREADS = (0.015, 0.025, 0.064)
TARGETED = 0.025  # the spread that the targets are for


def machines(spread: float) -> dict[str, Machine]:
    """What is tried at each spread."""
    calm = Machine(spread)
    return {
        "nothing disturbed": calm,
        "nothing disturbed, heavy tails": replace(calm, heavy=True),
        "nothing disturbed, blocks differ by twice the spread": replace(calm, between=2.0),
        "20 % disturbed, no probe": probed(calm, 0.0, retakes=False),
        "20 % disturbed, the probe sees 80 % of them, left out": probed(calm, 0.8, retakes=False),
        "20 % disturbed, the probe sees 80 % of them, retaken": probed(calm, 0.8, retakes=True),
        "20 % disturbed, the probe sees all, retaken": probed(calm, 1.0, retakes=True),
    }


@dataclass(frozen=True)
class Shares:
    """What a rule said, as shares of the sittings."""

    faster: float
    slower: float
    equal: float
    inside: float
    withheld: float


Cells = dict[tuple[str, float, int], Shares]
"""by rule, how much faster the other pipeline truly is, and blocks"""


def measured(machine: Machine, seed: int) -> Cells:
    """Return what each rule says over all of FASTER and BLOCKS."""
    cells: Cells = {}
    for blocks in BLOCKS:
        rng = np.random.default_rng([SEED, seed, blocks])
        equal = simulate(machine, blocks, SITTINGS, rng)
        for by in FASTER:
            sittings = equal.faster(by)
            assert_as_the_project_says(sittings, CHECKED)
            for name, rule in RULES.items():
                cells[name, by, blocks] = shares(rule(sittings))
    return cells


def shares(called: Called) -> Shares:
    means = (called.sign > 0, called.sign < 0, called.equal, called.inside, called.withheld)
    return Shares(*(float(np.mean(said)) for said in means))


def of_project(rates: Array) -> Verdict | None:
    """Return the project's verdict on the rates [blocks, trials] of one sitting; NaN: left out."""

    def compared(label: int) -> Interval | None:
        pairs = rates[:, [label, BASELINE]]
        pairs = pairs[~np.isnan(pairs).any(axis=1)]
        if len(pairs) < LEAST_BLOCKS:
            return None
        return by_mean(np.log(pairs[:, 0] / pairs[:, 1]).tolist(), LEVEL)

    ratio = compared(OTHER)
    return None if ratio is None else verdict(ratio, compared(CONTROL), MARGIN)


def assert_as_the_project_says(sittings: Sittings, number: int) -> None:
    """Hold `ours`, which judges all sittings at once, against the functions that runs use."""
    few = Sittings(sittings.kept[:number], sittings.taken[:number])
    called = ours(few)
    for place, rates in enumerate(few.rates):
        found = of_project(rates)
        word = None if found is None else found.word
        assert called.sign[place] == {"faster": 1, "slower": -1}.get(word or "", 0)
        assert called.equal[place] == (word == "equivalent")
        assert called.withheld[place] == (word == "withheld")
        assert called.inside[place] == (found is not None and found.within_margin)


def table(cells: Cells) -> str:
    """Return the figures in per cent, each at 4 / 8 / 20 blocks, as a markdown table."""
    heads = ["rule", "false", *(f"{by:.0%} found" for by in FASTER[1:]), "5% called equal"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for rule in RULES:
        said = [[cells[rule, by, blocks] for blocks in BLOCKS] for by in FASTER]
        columns = [[cell.faster + cell.slower for cell in said[0]]]
        columns += [[cell.faster for cell in column] for column in said[1:]]
        columns += [[cell.equal for cell in said[FASTER.index(MARGIN)]]]
        texts = [" / ".join(map(per_cent, column)) for column in columns]
        lines.append("| " + " | ".join([rule, *texts]) + " |")
    return "\n".join(lines)


def per_cent(share: float) -> str:
    return f"{100 * share:.1f}" if share < 0.0995 or share > 0.9895 else f"{100 * share:.0f}"


def error_of(share: float) -> float:
    return math.sqrt(share * (1 - share) / SITTINGS)


def print_error() -> None:
    errors = ", ".join(f"{error_of(share):.2%} at {share:.0%}" for share in (0.01, 0.1, 0.5))
    print(f"\n{SITTINGS:,} sittings a cell; their standard error: {errors}")


def test_the_simulated_pairs_have_the_stated_spread() -> None:
    for machine in (Machine(0.025), Machine(0.064, heavy=True), Machine(0.015, between=2.0)):
        logs = np.log(simulate(machine, 8, 4000, np.random.default_rng(SEED)).rates)
        for label in (OTHER, CONTROL):
            deviation = np.std(logs[..., label] - logs[..., BASELINE])
            assert deviation == pytest.approx(machine.spread, rel=0.03)


def test_the_probe_leaves_out_what_it_sees_and_a_second_attempt_brings_most_of_it_back() -> None:
    rng = np.random.default_rng(SEED)
    once = simulate(probed(Machine(0.025), 0.8, retakes=False), 8, 2000, rng).rates
    again = simulate(probed(Machine(0.025), 0.8, retakes=True), 8, 2000, rng).rates
    flagged = 0.2 * 0.8 + 0.8 * 0.01
    assert np.isnan(once).mean() == pytest.approx(flagged, abs=0.01)
    assert np.isnan(again).mean() == pytest.approx(flagged**2, abs=0.005)


def test_the_rule_that_is_tried_is_the_projects_own_sitting_by_sitting() -> None:
    rng = np.random.default_rng(SEED)
    machine = probed(Machine(0.025), 0.8, retakes=False)
    words = set()
    for blocks, by, off in ((4, 0.05, 0.0), (8, 0.0, 0.0), (8, 0.1, 0.03), (8, -0.1, -0.03)):
        sittings = simulate(machine, blocks, 60, rng).faster(by)
        sittings.kept[:, :, CONTROL] += off  # a baseline that differs from itself
        assert_as_the_project_says(sittings, 60)
        words |= {getattr(of_project(rates), "word", None) for rates in sittings.rates}
    assert words == {"faster", "slower", "equivalent", "inconclusive", "withheld", None}


def test_the_intervals_that_are_tried_are_the_projects_own_value_by_value() -> None:
    rates = simulate(Machine(0.025), 8, 50, np.random.default_rng(SEED)).rates
    found = by_students_t(np.log(rates[..., OTHER] / rates[..., BASELINE]))
    for place, block in enumerate(rates):
        expected = by_mean(np.log(block[:, OTHER] / block[:, BASELINE]).tolist(), LEVEL)
        assert found.estimate[place] == pytest.approx(expected.estimate)
        assert found.low[place] == pytest.approx(expected.low)
        assert found.high[place] == pytest.approx(expected.high)


def test_the_intervals_by_ranks_that_are_tried_are_the_projects_own_value_by_value() -> None:
    rates = simulate(Machine(0.025), 12, 50, np.random.default_rng(SEED)).rates
    rates[::2, 3:5] = np.nan  # left out
    rates[0, :7] = np.nan  # so that five are left
    found = by_signed_ranks(np.log(rates[..., OTHER] / rates[..., BASELINE]))
    for place, block in enumerate(rates):
        kept = block[~np.isnan(block).any(axis=1)]
        expected = by_ranks(np.log(kept[:, OTHER] / kept[:, BASELINE]).tolist(), LEVEL)
        if expected is None:
            assert np.isnan(found.low[place])
            continue
        ends = found.estimate[place], found.low[place], found.high[place]
        assert ends == pytest.approx((expected.estimate, expected.low, expected.high))
    assert np.isnan(found.low[0])


def test_the_other_rules_are_those_of_scipy() -> None:
    rng = np.random.default_rng(SEED)
    sittings = simulate(probed(Machine(0.025), 0.8, retakes=False), 8, 50, rng).faster(0.02)
    by_t, by_rank_sums = pooled_t_of_windows(sittings), mann_whitney(sittings)
    by_trials = pooled_t_of_trials(sittings)
    for place in range(50):
        windows = [np.exp(sittings.kept[place, :, label]).ravel() for label in (OTHER, BASELINE)]
        mine, others = (values[~np.isnan(values)] for values in windows)
        p = stats.mannwhitneyu(mine, others, method="asymptotic").pvalue
        assert rank_sums(mine[np.newaxis], others[np.newaxis])[1][0] == pytest.approx(p)
        assert (by_rank_sums.sign[place] != 0) == (p < 0.01)
        assert (by_t.sign[place] != 0) == (stats.ttest_ind(mine, others).pvalue < 0.01)
        trials = sittings.rates[place, :, OTHER], sittings.rates[place, :, BASELINE]
        found = stats.ttest_ind(*trials, nan_policy="omit").pvalue
        assert (by_trials.sign[place] != 0) == (found < 0.01)


def test_the_interval_of_a_trimmed_mean_is_that_of_scipy() -> None:
    d = np.random.default_rng(SEED).standard_t(3, (20, 12))
    d[:, 10:] = np.nan
    found = by_trimmed_mean(d)
    for place, values in enumerate(d):
        low, high = stats.mstats.trimmed_mean_ci(values[:10], (0.2, 0.2), alpha=1 - LEVEL)
        assert (found.low[place], found.high[place]) == pytest.approx((low, high))


def test_the_verdicts_hold_where_values_pooled_over_all_windows_cry_wolf() -> None:
    sittings = simulate(Machine(0.025), 8, 400, np.random.default_rng(SEED))
    words = [getattr(of_project(rates), "word", None) for rates in sittings.rates]
    assert sum(word in {"faster", "slower"} for word in words) <= 0.03 * len(words)
    assert words.count("equivalent") >= 0.8 * len(words)
    assert np.mean(pooled_t_of_windows(sittings).sign != 0) > 0.05
    tenth = [getattr(of_project(rates), "word", None) for rates in sittings.faster(0.1).rates[:100]]
    assert tenth.count("faster") >= 90


@pytest.mark.study
@pytest.mark.parametrize("spread", SPREADS)
def test_verdicts_beside_what_people_do(spread: float) -> None:
    """False at most 1 %; a true 5 % found in at least 90 % at 20 blocks, a true 10 % at 8.

    The last two are asserted at a spread of 2.5 % where nothing is disturbed: with a probe that
    misses a fifth of what is disturbed they do not hold, as the tables show. At smaller spreads the
    control hardly ever asks for more than the interval does, so that the false share is the 1 % of
    the interval itself; there it is allowed the simulation's own error.
    """
    most_false = 0.01 if spread == TARGETED else 0.01 + 3 * error_of(0.01)
    print_error()
    for seed, (name, machine) in enumerate(machines(spread).items()):
        cells = measured(machine, seed)
        print(f"\nspread {spread:.1%}, {name}\n\n{table(cells)}")
        mine = {(by, blocks): cells["ours", by, blocks] for by in FASTER for blocks in BLOCKS}
        withheld = " / ".join(f"{mine[0.0, blocks].withheld:.1%}" for blocks in BLOCKS)
        inside = " / ".join(f"{mine[0.05, blocks].inside:.1%}" for blocks in BLOCKS)
        print(f"\nours: withheld {withheld}; a true 5 % inside the margin {inside}")
        for blocks in BLOCKS:
            assert mine[0.0, blocks].faster + mine[0.0, blocks].slower <= most_false
            assert mine[0.05, blocks].equal <= 0.01
        if spread == TARGETED and not machine.disturbed:
            assert mine[0.05, 20].faster >= 0.9
            assert mine[0.10, 8].faster >= 0.9


@pytest.mark.study
@pytest.mark.parametrize("mildest", [False, True])
@pytest.mark.parametrize("rule", ["ours", "(ours by trimmed means)", "(ours by signed ranks)"])
def test_how_much_the_probe_must_see(rule: str, mildest: bool) -> None:
    """At a spread of 2.5 % with a fifth disturbed: the target is 90 % in both columns."""
    print_error()
    print(f"\n{rule}, the probe misses {'the mildest' if mildest else 'any'}\n")
    print("| the probe sees | 10% found, 8 | 5% found, 20 | false, 20 |")
    print("|---|---|---|---|")
    for seen in (0.8, 0.9, 0.95, 0.98, 0.99, 1.0):
        machine = probed(Machine(TARGETED, misses_mildest=mildest), seen, retakes=True)
        rng = np.random.default_rng(SEED)
        tenth = shares(RULES[rule](simulate(machine, 8, SITTINGS, rng).faster(0.1))).faster
        equal = simulate(machine, 20, SITTINGS, rng)
        none, fifth = (shares(RULES[rule](equal.faster(by))) for by in (0.0, 0.05))
        found = tenth, fifth.faster, none.faster + none.slower
        print(f"| {seen:.0%} | " + " | ".join(map(per_cent, found)) + " |")


@pytest.mark.study
def test_how_often_the_estimate_with_everything_in_lies_outside_the_interval() -> None:
    """To demand that it lies inside would cost so many verdicts, though no exclusion did harm."""
    for seen in (0.8, 1.0):
        machine = probed(Machine(TARGETED), seen, retakes=True)
        for blocks in BLOCKS:
            sittings = simulate(machine, blocks, SITTINGS, np.random.default_rng(SEED))
            kept, taken = (np.log(rates) for rates in (sittings.rates, sittings.all_rates))
            found = by_students_t(kept[..., OTHER] - kept[..., BASELINE])
            whole = (taken[..., OTHER] - taken[..., BASELINE]).mean(axis=-1)
            outside = np.mean((whole < found.low) | (whole > found.high))
            print(f"probe sees {seen:.0%}, {blocks} blocks: outside in {outside:.1%}")
