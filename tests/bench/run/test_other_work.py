"""A pipeline whose timed part, in one trial, was other work than was proven."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from feedbench.bench.processes.run_folder import RunFolder
from feedbench.bench.records.run import RunRecord
from feedbench.bench.records.trial import Fault, TrialRecord
from feedbench.bench.run.keeper import Keeper
from feedbench.bench.run.sources import Sources
from feedbench.bench.verdicts.block_counts.stopping import exact_blocks
from feedbench.pipelines.catalog import parse
from feedbench.reports.sentences import equal_work
from tests.support.builders import a_proof, a_run
from tests.support.pipelines.claimed_feeds import a_workload
from tests.support.runs.summaries import CALM, blocks, failed

WHY = "it delivered other images in its timed part than in the proof: 32 images match no file"


def run_of(folder: Path, last: TrialRecord) -> RunRecord:
    """A run of a and b, whose equal work is proven, with this trial after the others."""
    made = RunFolder(folder / "R")
    made.create()
    trials = [*blocks({"a": CALM, "b": [2 * rate for rate in CALM]}), last]
    performed: Any = SimpleNamespace(records=trials, probe_seconds=0.0, restore=lambda: None)
    specs = {label: parse(f"{label}=tfdata_naive") for label in "ab"}
    sources = Sources(a_workload(8), [])
    keeper = Keeper(a_run(), specs, made, performed, rule=exact_blocks, begun=0.0, sources=sources)
    keeper.add_proofs({label: a_proof("same") for label in "ab"})
    return keeper.save(blocks=len(CALM))


@pytest.mark.parametrize("label", ["a", "b"])
def test_it_has_no_verdict_however_many_blocks_it_has(label: str, tmp_path: Path) -> None:
    last = failed(label, len(CALM) + 1, WHY, fault=Fault.WRONG_WORK)
    run = run_of(tmp_path, last)
    row = run.rows[1]
    assert row.verdict == "withheld"
    assert row.withheld == ("work" if label == "b" else "baseline's work")
    assert run.best != ["b"]


def test_a_sentence_says_so_and_the_failure_says_why(tmp_path: Path) -> None:
    run = run_of(tmp_path, failed("b", len(CALM) + 1, WHY, fault=Fault.WRONG_WORK))
    assert run.rows[1].failures == [WHY]
    assert "b has no verdict: what was timed is not what was proven." in [*equal_work.warnings(run)]


@pytest.mark.parametrize("fault", [Fault.CLOCK, Fault.RAISED])
def test_another_failure_leaves_the_blocks_before_it_a_verdict(
    fault: Fault, tmp_path: Path
) -> None:
    run = run_of(tmp_path, failed("b", len(CALM) + 1, "it raised", fault=fault))
    assert run.rows[1].verdict == "faster"
