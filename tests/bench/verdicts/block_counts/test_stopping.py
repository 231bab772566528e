"""When a run has enough blocks: the rules that it asks after each."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from feedbench.bench.records.run import Stopped
from feedbench.bench.verdicts.block_counts.stopping import (
    Rule,
    exact_blocks,
    when_decided,
    when_precise,
    when_undisturbed,
)
from feedbench.bench.verdicts.intervals import LEVEL, Certainty, student
from feedbench.bench.verdicts.rows import Summary, summarise
from feedbench.bench.verdicts.sequential import radius as sequential_radius
from tests.support.runs.summaries import CALM, MARGIN, blocks, probed, summary_of

NOISY = [1000, 1200, 800, 900]
LABELS = ("a", "b")
SEQUENTIAL = Certainty(radius=sequential_radius)


def test_a_run_without_a_number_of_blocks_stops_when_its_intervals_are_narrow() -> None:
    rule = when_precise(MARGIN)
    assert rule(summary_of(blocks({"a": CALM, "b": CALM})), LABELS) is Stopped.PRECISE
    assert rule(summary_of(blocks({"a": CALM, "b": NOISY})), LABELS) is None


def test_a_run_of_exactly_so_many_blocks_is_not_stopped_by_narrow_intervals() -> None:
    summary = summary_of(blocks({"a": CALM, "b": CALM}))
    assert summary.is_precise(MARGIN, LABELS)
    rule: Rule = exact_blocks
    assert rule(summary, LABELS) is None


def test_a_run_of_undisturbed_blocks_goes_on_until_each_pipeline_has_them() -> None:
    rule = when_undisturbed(4)
    trials = blocks({"a": CALM, "b": CALM})
    of_b = [trial for trial in trials if trial.label == "b"]
    others = [trial for trial in trials if trial.label == "a"]
    assert len({trial.block for trial in of_b}) == 4
    assert rule(summary_of(trials), LABELS) is Stopped.BLOCKS
    assert rule(summary_of([*others, *probed(of_b[:1], 0.5), *of_b[1:]]), LABELS) is None
    assert rule(summary_of([*others, *probed(of_b, 0.5)]), LABELS) is None
    assert rule(summary_of([*others, *probed(of_b, 0.5)]), ("a",)) is Stopped.BLOCKS


def sequential(rates: dict[str, list[int]], **given: Any) -> Summary:
    return summarise(
        blocks(rates),
        {label: label for label in rates},
        margin=MARGIN,
        folder_images=1000,
        certainty=SEQUENTIAL,
        **given,
    )


def test_a_run_until_it_is_told_goes_on_while_any_verdict_is_inconclusive() -> None:
    rule, slow = when_decided(MARGIN), [500, 505, 495, 500]
    assert rule(sequential({"a": CALM, "b": slow}), LABELS) is Stopped.DECIDED
    undecided = sequential({"a": CALM, "b": slow, "c": NOISY})
    assert [row.verdict for row in undecided.rows] == [None, "slower", "inconclusive"]
    assert rule(undecided, ("a", "b", "c")) is None
    assert rule(undecided, LABELS) is Stopped.DECIDED  # c is no longer measured


def test_it_goes_on_under_four_blocks_and_while_the_machine_hides_the_verdict() -> None:
    rule = when_decided(MARGIN)
    assert rule(sequential({"a": [1000] * 3, "b": [500] * 3}), LABELS) is None
    assert rule(sequential({"a": [1000] * 4, "b": [500] * 4}), LABELS) is Stopped.DECIDED
    copies = blocks({"a": [1000] * 4, "b": [500] * 4}, second=[800] * 4)
    withheld = summarise(
        copies, {"a": "a", "b": "b"}, margin=MARGIN, folder_images=1000, certainty=SEQUENTIAL
    )
    assert withheld.rows[1].withheld == "control"
    assert rule(withheld, LABELS) is None


def test_it_does_not_wait_for_a_pipeline_whose_work_is_not_equal() -> None:
    summary = sequential({"a": CALM, "b": NOISY}, unequal={"b"})
    assert summary.rows[1].withheld == "work"
    assert when_decided(MARGIN)(summary, LABELS) is Stopped.DECIDED


def test_if_only_the_baseline_still_runs_narrow_intervals_end_the_run() -> None:
    rule = when_decided(MARGIN)
    assert rule(sequential({"a": CALM, "b": NOISY}), ("a",)) is Stopped.PRECISE
    assert rule(sequential({"a": [1000] * 3, "b": NOISY[:3]}), ("a",)) is None


def test_of_equal_pipelines_hardly_a_run_in_a_hundred_is_told_a_difference() -> None:
    """The rule asks after each of 4 to 24 blocks, and stops at the first answer."""
    logs = np.random.default_rng(5).normal(0, 0.06, (3000, 24))
    wrong = {"sequential": 0, "fixed": 0}
    for name, radius in (("sequential", SEQUENTIAL.radius), ("fixed", student)):
        radii = {n: radius(n, LEVEL) for n in range(4, 25)}
        for run in logs:
            for n in range(4, 25):
                low, high = interval(run[:n], radii[n])
                if low > 0 or high < 0:
                    wrong[name] += 1
                    break
                if max(high, -low) < math.log1p(MARGIN):
                    break
    assert wrong["sequential"] <= 0.01 * len(logs)
    assert wrong["fixed"] > 0.03 * len(logs)


def interval(logs: npt.NDArray[np.float64], radius: float) -> tuple[float, float]:
    half = radius * float(logs.std(ddof=1)) / math.sqrt(len(logs))
    return float(logs.mean()) - half, float(logs.mean()) + half
