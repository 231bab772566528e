"""When a run has enough blocks: the rules that it asks after each."""

from __future__ import annotations

from feedbench.bench.records.run import Stopped
from feedbench.bench.verdicts.stopping import Rule, exact_blocks, when_precise
from tests.support.summaries import CALM, MARGIN, blocks, summary_of

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
