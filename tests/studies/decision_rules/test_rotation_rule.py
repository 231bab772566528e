"""How the turns of a rotation are best judged, on simulated machines whose truth is known.

What is simulated is in rotations.py, and what is tried in turns.py. Every cell is a share of 20,000
sittings, and the seed is fixed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from feedbench.bench.records.turns import Turn
from feedbench.bench.verdicts.turns.block_rates import TRIMMED, BlockRate, log_ratios
from tests.studies.decision_rules.machines import BASELINE, CONTROL, OTHER, Array
from tests.studies.decision_rules.rotations import Bustle, one_by_one, rotated
from tests.studies.decision_rules.rules import Intervals, by_signed_ranks, by_students_t, decided
from tests.studies.decision_rules.turns import (
    ESTIMATORS,
    as_runs_do,
    by_the_shorter,
    of_all_turns,
    paired,
    trimmed_by,
)

SEED = 20261128
SITTINGS = 20_000
CHUNK = 1000  # sittings that are simulated at once
BLOCKS = (4, 6, 8, 12, 20)
FASTER = (0.0, 0.05, 0.10)
ROUNDS = (5, 10, 20)

CALM = Bustle(0.02, 0.005)
MACHINES = {
    "turns 1 %, processes 0.5 %": Bustle(0.01, 0.005),
    "turns 2 %, processes 0.5 %": CALM,
    "turns 4 %, heavy tails, processes 0.3 %": Bustle(0.04, 0.003, heavy=True),
    "turns 4 %, processes 1.5 %": Bustle(0.04, 0.015),
    "turns 2 %, processes 0.5 %, 5 % disturbed": replace(CALM, disturbed=0.05),
    "the same, 20 % disturbed": replace(CALM, disturbed=0.2),
    "the same, seven pipelines": replace(CALM, disturbed=0.2, pipelines=7),
    "20 % disturbed, for 0.1 s each": replace(CALM, disturbed=0.2, lasting=(0.1,)),
    "for 1 s": replace(CALM, disturbed=0.2, lasting=(1.0,)),
    "for 10 s": replace(CALM, disturbed=0.2, lasting=(10.0,)),
    "for 60 s": replace(CALM, disturbed=0.2, lasting=(60.0,)),
    "turns 4 %, processes 1.5 %, 20 % disturbed": Bustle(0.04, 0.015, disturbed=0.2),
}
Stall = tuple[float, float]
"""The share of a pipeline's turns in which it stalls, and how many times slower these are"""
NEVER: Stall = (0.0, 1.0)
STALLS: dict[str, tuple[Stall, Stall]] = {  # of the other pipeline, and of the baseline
    "none": (NEVER, NEVER),
    "a tenth of its turns, 1.5 times slower": ((0.1, 1.5), NEVER),
    "a fifth, 1.3 times": ((0.2, 1.3), NEVER),
    "a fifth, 3 times": ((0.2, 3.0), NEVER),
    "a fifth, 3 times; the baseline's 1.5 times": ((0.2, 3.0), (0.2, 1.5)),
}
STALLED_SITTINGS = 4000
STALLED = (  # machines
    "turns 2 %, processes 0.5 %",
    "turns 2 %, processes 0.5 %, 5 % disturbed",
    "the same, 20 % disturbed",
)


def chunks(bustle: Bustle, sittings: int = SITTINGS) -> Iterator[Array]:
    """Yield log rates of turns, some sittings at a time."""
    rng = np.random.default_rng(SEED)
    for _ in range(0, sittings, CHUNK):
        yield rotated(bustle, max(BLOCKS), min(CHUNK, sittings), rng)


def in_one_piece(bustle: Bustle, sittings: int = SITTINGS) -> Array:
    rng = np.random.default_rng(SEED)
    return np.concatenate(
        [
            one_by_one(bustle, max(BLOCKS), min(CHUNK, sittings), rng)
            for _ in range(0, sittings, CHUNK)
        ]
    )


def stalled(logs: Array, stalls: tuple[Stall, Stall], rng: np.random.Generator) -> Array:
    """Slow down a share of the turns of the other pipeline, and of the baseline."""
    logs = logs.copy()
    for label, (share, times) in zip((OTHER, BASELINE, CONTROL), (*stalls, stalls[1]), strict=True):
        slow = rng.random(logs.shape[:-1]) < share
        logs[..., label] -= np.where(slow, math.log(times), 0.0)
    return logs


def log_rate(stall: Stall) -> float:
    share, times = stall
    return math.log(1 - share + share / times)


def misses(interval: Intervals, truth: float = 0.0) -> float:
    """Return the share of the intervals that miss the truth; NaN if there are none."""
    known = ~np.isnan(interval.low)
    missed = (interval.low > truth) | (interval.high < truth)
    return float(missed[known].mean()) if known.any() else math.nan


def found(ratio: Array, control: Array, by: float, *, has_both: bool = False) -> float:
    """Return how often a pipeline that is faster by this share is called so.

    A ratio to both copies of the baseline has no threshold. Of equal ones, how often one is called
    faster or slower.
    """
    logs = np.zeros((*ratio.shape, 3))
    logs[..., OTHER] = ratio + math.log1p(by)
    logs[..., CONTROL] = control
    sign = decided(np.exp(logs), by_students_t, has_threshold=not has_both).sign
    return float(np.mean(sign > 0 if by else sign != 0))


def cells(values: list[float], digits: int = 1) -> str:
    texts = ["-" if math.isnan(value) else f"{100 * value:.{digits}f}" for value in values]
    return " / ".join(texts)


def print_table(title: str, heads: list[str], rows: list[list[str]]) -> None:
    print(f"\n{title}\n")
    for row in (heads, ["---"] * len(heads), *rows):
        print(f"| {' | '.join(row)} |")


def test_what_is_tried_is_what_runs_do_sitting_by_sitting() -> None:
    rng = np.random.default_rng(SEED)
    logs = rotated(replace(CALM, disturbed=0.1), 6, 20, rng)
    logs = np.concatenate([logs, stalled(logs, ((0.2, 1.5), NEVER), rng)])
    values = as_runs_do(logs, OTHER)
    for place, sitting in enumerate(logs):
        ours = {block: BlockRate(1.0, turns_of(each, OTHER)) for block, each in enumerate(sitting)}
        theirs = {
            block: BlockRate(1.0, turns_of(each, BASELINE), turns_of(each, CONTROL))
            for block, each in enumerate(sitting)
        }
        expected = [*log_ratios(ours, theirs).values()]
        assert values[place].tolist() == pytest.approx(expected, abs=1e-6)


def turns_of(logs: Array, label: int) -> dict[int, Turn]:
    """Return a label's turns in a block, from log rates [rounds, trials]."""
    return {
        number: Turn(round=number, at=0.0, images=int(1e9 * rate), seconds=1e9)
        for number, rate in enumerate(np.exp(logs[:, label]).tolist())
    }


def test_a_simulated_machine_is_slowed_for_the_stated_share_of_the_time() -> None:
    for lasting in (0.1, 1.0, 10.0):
        bustle = Bustle(0.0, 0.0, wander=0.0, disturbed=0.2, lasting=(lasting,))
        logs = rotated(bustle, 8, 500, np.random.default_rng(SEED))
        kept = (1 / 1.2 - 1 / 5) / math.log(5 / 1.2)  # of the speed, while slowed
        assert np.exp(logs).mean() == pytest.approx(1 - 0.2 * (1 - kept), abs=0.01)


@pytest.mark.study
def test_estimators_of_a_blocks_log_ratio() -> None:
    """The standard deviation of a block's value, per cent, at 5, 10 and 20 rounds."""
    rows = []
    for name, bustle in MACHINES.items():
        spreads: dict[str, list[float]] = {each: [] for each in (*ESTIMATORS, "one piece")}
        for rounds in ROUNDS:
            machine = replace(bustle, rounds=rounds)
            rng = np.random.default_rng(SEED)
            d = paired(rotated(machine, 8, 2500, rng), OTHER)
            for each, estimator in ESTIMATORS.items():
                spreads[each].append(float(estimator(d).std()))
            piece = paired(one_by_one(machine, 8, 2500, rng), OTHER)
            spreads["one piece"].append(float(np.nanstd(piece)))
        rows.append([name, *(cells(values) for values in spreads.values())])
    print_table("estimators", ["machine", *ESTIMATORS, "in one piece, probed"], rows)


@pytest.mark.study
def test_rules_over_blocks() -> None:
    """Per cent at 4, 6, 8, 12 and 20 blocks of ten rounds; the level is 99 %."""
    rules = {"Student": by_students_t, "ranks": by_signed_ranks, "the shorter": by_the_shorter}
    heads = [f"{rule} misses" for rule in rules]
    heads += ["called different", *(f"{by:.0%} found" for by in FASTER[1:])]
    heads += [f"{head} in one piece" for head in heads[-len(FASTER) :]]
    rows = []
    for name, bustle in MACHINES.items():
        missed: dict[str, list[list[float]]] = {rule: [[] for _ in BLOCKS] for rule in rules}
        power: list[list[list[float]]] = [[[] for _ in BLOCKS] for _ in FASTER]
        for logs in chunks(bustle):
            for place, blocks in enumerate(BLOCKS):
                some = logs[:, :blocks]
                ratio, control = as_runs_do(some, OTHER), as_runs_do(some, CONTROL)
                for rule, by in rules.items():
                    missed[rule][place].append(misses(by(ratio)))
                for gain, into in zip(FASTER, power, strict=True):
                    into[place].append(found(ratio, control, gain, has_both=True))
        pieces = in_one_piece(bustle)
        ratio, control = paired(pieces, OTHER), paired(pieces, CONTROL)
        before = [[found(ratio[:, :n], control[:, :n], by) for n in BLOCKS] for by in FASTER]
        columns = [[float(np.mean(each)) for each in column] for column in missed.values()]
        columns += [[float(np.mean(each)) for each in column] for column in power]
        rows.append([name, *map(cells, columns[: len(rules)])])
        for called, *found_ones in (columns[len(rules) :], before):
            rows[-1] += [cells(called), *(cells(column, 0) for column in found_ones)]
        error = 3 * math.sqrt(0.01 * 0.99 / SITTINGS)
        assert max(columns[0]) <= 0.015 + error, name
    print_table("rules", ["machine", *heads], rows)


@pytest.mark.study
def test_pipelines_that_stall_by_themselves() -> None:
    """Intervals that miss the true ratio of the throughputs, per cent, at 4, 8 and 20 blocks."""
    judged = {
        "trimmed": lambda logs: trimmed_by(TRIMMED)(paired(logs, OTHER)),
        "all turns": lambda logs: of_all_turns(logs, OTHER),
        "as runs do": lambda logs: as_runs_do(logs, OTHER),
    }
    rows = []
    for name, (stall, stalls) in product(STALLED, STALLS.items()):
        truth = log_rate(stalls[0]) - log_rate(stalls[1])
        rng = np.random.default_rng(SEED)
        missed = {each: [0.0] * 3 for each in judged}
        for calm in chunks(MACHINES[name], STALLED_SITTINGS):
            logs = stalled(calm, stalls, rng)
            for (each, by), (place, blocks) in product(judged.items(), enumerate((4, 8, 20))):
                share = misses(by_students_t(by(logs[:, :blocks])), truth)
                missed[each][place] += share * len(calm) / STALLED_SITTINGS
        rows.append([name, stall, *map(cells, missed.values())])
    print_table("stalls", ["machine", "stalls", *judged], rows)
