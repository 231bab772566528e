"""When a run has enough blocks: the rules that it asks after each."""

from __future__ import annotations

from feedbench.bench.records.run import Stopped
from feedbench.bench.verdicts.block_counts.stopping import (
    Rule,
    exact_blocks,
    when_precise,
    when_undisturbed,
)
from tests.support.summaries import CALM, MARGIN, blocks, probed, summary_of

NOISY = [1000, 1200, 800, 900]
LABELS = ("a", "b")


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
