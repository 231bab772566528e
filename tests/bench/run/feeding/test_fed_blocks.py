"""The blocks that feed a model, without a process: trials whose ends are scripted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from feedbench.bench.processes.limit import Limit
from feedbench.bench.processes.progress import Quiet
from feedbench.bench.records.messages import Fed, Purpose
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.run.feeding.fed_blocks import FedBlocks, Member
from feedbench.pipelines.catalog import Spec, parse
from tests.support.builders import a_record
from tests.support.clock import ClaimedClock

SECONDS = 5.0  # of a trial


class Scripted:
    """Trials of five claimed seconds each, measured unless scripted otherwise."""

    def __init__(self, clock: ClaimedClock, ends: Mapping[tuple[str, int], str]) -> None:
        self.clock = clock
        self.ends = ends
        self.trials: list[tuple[int, str]] = []
        self.limits: list[Limit] = []
        self.cores: list[tuple[int, ...]] = []

    def run(
        self,
        spec: Spec,
        purpose: Purpose,
        workload: Path,
        limit: Limit,
        block: int = 0,
        attempt: int = 1,
        *,
        fed: Fed | None = None,
        cores: tuple[int, ...] = (),
    ) -> TrialRecord:
        assert fed is not None
        self.cores.append(cores)
        self.trials.append((block, spec.label))
        self.limits.append(limit)
        self.clock.sleep(SECONDS)
        ended: Any = self.ends.get((spec.label, block), "measured")
        return a_record(label=spec.label, purpose=purpose, block=block, ended=ended)


def fed_blocks(
    ends: Mapping[tuple[str, int], str] | None = None, *, seconds: float | None = None
) -> tuple[FedBlocks, Scripted, list[Member]]:
    clock = ClaimedClock()
    trials = Scripted(clock, ends or {})
    blocks = FedBlocks(
        trials=trials,
        workload=Path("images.json"),
        listener=Quiet(),
        seed=0,
        deadline=None if seconds is None else clock.now + seconds,
        clock=clock,
        name="fed",
    )
    members = [
        Member(spec=parse(f"{label}=tfdata_naive"), purpose="model", fed=Fed, seconds=SECONDS)
        for label in "abc"
    ]
    return blocks, trials, members


def after(enough: int) -> Callable[[int], bool]:
    return lambda whole: whole >= enough


def test_each_block_has_every_member_once_in_an_order_of_its_own() -> None:
    blocks, trials, members = fed_blocks()
    assert blocks.run(members, after(6))
    by_block = [[label for block, label in trials.trials if block == n] for n in range(1, 7)]
    assert all(sorted(labels) == ["a", "b", "c"] for labels in by_block)
    assert len({tuple(labels) for labels in by_block}) > 1


def test_the_order_depends_on_the_seed_and_the_block_alone() -> None:
    first, again = fed_blocks(), fed_blocks()
    for blocks, _, members in (first, again):
        blocks.run(members, after(3))
    assert first[1].trials == again[1].trials


def test_exactly_the_requested_blocks_are_run() -> None:
    blocks, trials, members = fed_blocks()
    assert blocks.run(members, after(1), 5)
    assert blocks.whole == 5
    assert len(trials.trials) == 15


def test_a_block_that_does_not_fit_is_not_begun() -> None:
    blocks, trials, members = fed_blocks(seconds=3 * SECONDS * 2.5)
    assert not blocks.run(members, after(99))
    assert blocks.whole == 2
    assert len(trials.trials) == 6


def test_without_time_for_a_block_nothing_runs() -> None:
    blocks, trials, members = fed_blocks(seconds=2 * SECONDS)
    assert not blocks.run(members, after(1))
    assert trials.trials == []


def test_a_pipeline_that_failed_is_no_longer_fed() -> None:
    blocks, trials, members = fed_blocks({("b", 1): "failed"})
    blocks.run(members, after(2))
    assert sorted(label for block, label in trials.trials if block == 2) == ["a", "c"]


def test_a_trial_whose_time_is_up_ends_the_blocks_without_counting_its_own() -> None:
    blocks, _, members = fed_blocks({("c", 2): "time up"})
    assert not blocks.run(members, after(9))
    assert blocks.whole == 1


def test_a_resumed_run_goes_on_after_its_completed_blocks() -> None:
    blocks, trials, members = fed_blocks()
    blocks.whole = 2
    blocks.run(members, after(9), 3)
    assert {block for block, _ in trials.trials} == {3}


def test_a_trial_waits_for_a_calm_machine_only_while_all_others_still_fit() -> None:
    blocks, trials, members = fed_blocks(seconds=100.0)
    blocks.run(members, after(1))
    assert [limit.begin_by for limit in trials.limits] == [
        1000.0 + 100.0 - 1.05 * SECONDS * left for left in (3, 2, 1)
    ]


def test_a_member_is_given_its_cores_when_it_is_its_turn() -> None:
    blocks, trials, members = fed_blocks()
    pinned = replace(members[0], cores=lambda: (blocks.whole,))
    blocks.run([pinned], after(2))
    assert trials.cores == [(0,), (1,)]
