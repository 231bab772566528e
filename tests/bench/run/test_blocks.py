"""The loop of blocks without a process: trials whose ends are told beforehand."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from feedbench.bench.processes.client import FORKSERVER_DIED
from feedbench.bench.processes.progress import Quiet
from feedbench.bench.processes.trials import Limit
from feedbench.bench.records.calm import Around, Counters, Share
from feedbench.bench.records.run import Stopped
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.run.blocks import Allowance, Blocks
from feedbench.bench.run.budget import Cost
from feedbench.pipelines.catalog import Spec, parse

Fields = Mapping[str, Any]

MEASURED: Fields = {"ended": "measured"}
RAISED: Fields = {"ended": "failed", "why": "it raised OSError: gone", "exit_code": 0}
KILLED: Fields = {"ended": "failed", "why": "it was killed by SIGKILL", "signal": signal.SIGKILL}
SEGFAULT: Fields = {"ended": "failed", "why": "it was killed by SIGSEGV", "signal": signal.SIGSEGV}
SERVER_DIED: Fields = {"ended": "failed", "why": FORKSERVER_DIED}
TIME_UP: Fields = {"ended": "time up"}
HUNG: Fields = {"ended": "failed", "why": "it was ended after its limit of 18 s"}


class ToldTrials:
    """Ends the trials of each label as told, one after another, and then has them measured."""

    def __init__(
        self, ends: Mapping[str, list[Fields | BaseException]], seconds: float = 0.0
    ) -> None:
        self._ends = {label: iter(told) for label, told in ends.items()}
        self._seconds = seconds
        self.run_of: list[tuple[int, str]] = []
        self.attempts: list[tuple[int, str, str, int]] = []
        self.limits: list[Limit] = []

    def run(
        self, spec: Spec, purpose: str, workload: Path, limit: Limit, block: int, attempt: int
    ) -> TrialRecord:
        self.run_of.append((block, spec.label))
        self.attempts.append((block, spec.label, purpose, attempt))
        self.limits.append(limit)
        time.sleep(self._seconds)
        end = next(self._ends.get(spec.label, iter(())), MEASURED)
        if isinstance(end, BaseException):
            raise end
        return a_record(spec.label, block, end, purpose=purpose, attempt=attempt)

    def labels_of(self, block: int) -> list[str]:
        return sorted(label for number, label in self.run_of if number == block)


class Kept:
    """Takes what is saved, and calls it precise from some block on."""

    def __init__(self, precise_from: int | None = None) -> None:
        self.saved: list[int] = []
        self.asked: list[tuple[str, ...]] = []
        self._precise_from = precise_from

    def save(self, *, blocks: int) -> None:
        self.saved.append(blocks)

    def is_precise(self, labels: tuple[str, ...]) -> bool:
        self.asked.append(labels)
        return self._precise_from is not None and self.saved[-1] >= self._precise_from


def a_record(label: str, block: int, end: Fields, **given: Any) -> TrialRecord:
    fields: dict[str, Any] = {
        "label": label,
        "spec": label,
        "purpose": "main",
        "block": block,
        "started_at": "2026-01-01T00:00:00+00:00",
        "seconds": 1.0,
    }
    return TrialRecord(**fields | given | dict(end))


class Told:
    """Blocks over `a`, the baseline, and `b`."""

    def __init__(
        self,
        ends: Mapping[str, list[Fields | BaseException]] | None = None,
        precise_from: int | None = None,
        seconds: float = 0.0,
        image_seconds: float = 0.001,
    ) -> None:
        self.trials = ToldTrials(ends or {}, seconds)
        self.kept = Kept(precise_from)
        specs = {label: parse(f"{label}=tfdata_naive") for label in "ab"}
        trials: Any = self.trials
        costs = dict.fromkeys(specs, Cost(image_seconds))
        self.blocks = Blocks(
            trials, specs, costs, Path("images.json"), images=100, batch_size=8, seed=0
        )

    def run(self, blocks: int | None = None, seconds: float | None = None) -> Stopped:
        deadline = None if seconds is None else time.monotonic() + seconds
        keeper: Any = self.kept
        return self.blocks.run(Allowance(deadline=deadline, blocks=blocks), Quiet(), keeper)


GOOD = Share(1.0, 1.0)
CALM = Around(
    before=GOOD, after=GOOD, low=Share(0.93, 0.5), waited_seconds=0.0, counters=Counters()
)
DISTURBED: Fields = {"ended": "measured", "around": replace(CALM, after=Share(0.5, 0.5))}


def test_a_disturbed_trial_is_taken_again_at_the_end_of_its_block() -> None:
    told = Told({"b": [DISTURBED]})
    told.run(blocks=2)
    *first, again = [turn for turn in told.trials.attempts if turn[0] == 1]
    assert [attempt for *_, attempt in first] == [1, 1, 1]
    assert again == (1, "b", "main", 2)
    assert [attempt for block, *_, attempt in told.trials.attempts if block == 2] == [1, 1, 1]


def test_a_trial_is_taken_again_once_whatever_the_machine_does_then() -> None:
    told = Told({"b": [DISTURBED] * 9})
    told.run(blocks=3)
    for block in (1, 2, 3):
        assert told.trials.labels_of(block).count("b") == 2


def test_where_most_trials_are_disturbed_half_of_them_are_taken_again_and_no_more() -> None:
    told = Told({label: [DISTURBED] * 99 for label in "ab"})
    told.run(blocks=1)
    assert len(told.trials.attempts) == 3 + 2


def test_the_controls_trial_is_taken_again_as_the_control() -> None:
    told = Told({"a": [DISTURBED, DISTURBED]})
    told.run(blocks=1)
    assert {turn[2] for turn in told.trials.attempts if turn[3] == 2} == {"main", "control"}


def test_nothing_is_taken_again_where_the_time_would_not_do() -> None:
    told = Told({"b": [DISTURBED]}, seconds=0.4)
    told.run(seconds=1.3)
    assert {attempt for *_, attempt in told.trials.attempts} == {1}
    assert told.blocks.whole == 1


def test_a_failed_trial_is_not_taken_again() -> None:
    told = Told({"b": [{**KILLED, "around": DISTURBED["around"]}]})
    told.run(blocks=1)
    assert {attempt for *_, attempt in told.trials.attempts} == {1}


def test_a_block_is_whole_though_the_time_is_up_while_a_trial_is_taken_again() -> None:
    told = Told({"b": [DISTURBED, TIME_UP]})
    told.run(blocks=1)
    assert told.blocks.whole == 1


def test_a_block_holds_every_pipeline_and_the_baseline_twice() -> None:
    told = Told()
    assert told.run(blocks=2) is Stopped.BLOCKS
    assert told.trials.labels_of(1) == told.trials.labels_of(2) == ["a", "a", "b"]
    assert told.kept.saved == [1, 2]


@pytest.mark.parametrize("end", [RAISED, SEGFAULT, HUNG])
def test_a_failure_of_its_own_strikes_a_pipeline_out_at_once(end: Fields) -> None:
    told = Told({"b": [end]})
    told.run(blocks=3)
    assert told.blocks.labels == ("a",)
    assert told.trials.labels_of(2) == told.trials.labels_of(3) == ["a", "a"]


@pytest.mark.parametrize("end", [KILLED, SERVER_DIED])
def test_one_accident_leaves_a_pipeline_in(end: Fields) -> None:
    told = Told({"b": [end]})
    told.run(blocks=2)
    assert told.blocks.labels == ("a", "b")
    assert told.trials.labels_of(2) == ["a", "a", "b"]


@pytest.mark.parametrize("first", [KILLED, SERVER_DIED])
def test_a_second_accident_strikes_it_out(first: Fields) -> None:
    told = Told({"b": [first, MEASURED, KILLED]})
    told.run(blocks=4)
    assert [told.trials.labels_of(block).count("b") for block in (1, 2, 3, 4)] == [1, 1, 1, 0]


def test_what_a_loader_says_of_killed_workers_is_no_accident() -> None:
    told = Told()
    words = {"ended": "failed", "why": "it raised OSError: worker killed by SIGKILL"}
    told.blocks.strike(a_record("b", 0, words))
    assert told.blocks.labels == ("a",)


def test_a_baseline_that_is_struck_out_in_a_block_is_not_run_again_in_it() -> None:
    told = Told({"a": [RAISED]})
    told.run(blocks=2)
    assert told.trials.labels_of(1) == ["a", "b"]
    assert told.trials.labels_of(2) == ["b"]


def test_the_pilots_may_have_struck_all_out_before_the_first_block() -> None:
    told = Told()
    for label in "ab":
        told.blocks.strike(a_record(label, 0, RAISED))
    assert told.run(blocks=2) is Stopped.FAILED
    assert told.trials.run_of == []


def test_it_stops_where_every_pipeline_has_failed_in_the_blocks() -> None:
    told = Told({"a": [KILLED, KILLED], "b": [RAISED]})
    assert told.run(blocks=9) is Stopped.FAILED
    assert told.kept.saved == [1]


def test_it_stops_where_every_interval_is_narrow_enough() -> None:
    told = Told(precise_from=3)
    assert told.run() is Stopped.PRECISE
    assert told.blocks.whole == 3
    assert told.kept.asked == [("a", "b")] * 3


def test_only_what_still_runs_must_be_narrow() -> None:
    told = Told({"b": [RAISED]}, precise_from=2)
    told.run()
    assert told.kept.asked == [("a",)] * 2


def test_exactly_so_many_blocks_are_run_as_were_asked_for_however_narrow_they_are() -> None:
    told = Told(precise_from=1)
    assert told.run(blocks=3) is Stopped.BLOCKS
    assert told.kept.saved == [1, 2, 3]


def test_no_block_is_begun_that_would_not_fit_in_what_is_left() -> None:
    told = Told(seconds=0.1)
    begun = time.monotonic()
    assert told.run(seconds=0.75) is Stopped.TIME
    assert time.monotonic() - begun < 0.75
    assert told.blocks.whole == 2
    assert len(told.trials.run_of) == 6


def test_without_any_time_no_trial_is_begun() -> None:
    told = Told()
    assert told.run(seconds=-1.0) is Stopped.TIME
    assert told.trials.run_of == []


def test_a_block_in_which_the_time_is_up_is_not_counted_whole() -> None:
    told = Told({"b": [MEASURED, TIME_UP]})
    assert told.run(seconds=60.0) is Stopped.TIME
    assert told.blocks.whole == 1
    assert told.kept.saved == [1]
    assert told.blocks.labels == ("a", "b")


def test_a_block_that_is_interrupted_is_not_counted_whole() -> None:
    told = Told({"b": [MEASURED, KeyboardInterrupt()]})
    with pytest.raises(KeyboardInterrupt):
        told.run(blocks=5)
    assert told.blocks.whole == 1
    assert told.kept.saved == [1]


def test_a_trial_is_limited_to_three_times_what_it_should_take_and_30_seconds_at_least() -> None:
    quick, slow = Told(), Told(image_seconds=0.1)
    quick.run(blocks=1)
    slow.run(blocks=1)
    assert [limit.seconds for limit in quick.trials.limits] == [30.0] * 3
    # Start 1.1 s, two epochs of 10 s, and four windows of 4 s.
    assert [limit.seconds for limit in slow.trials.limits] == pytest.approx([3 * 37.1] * 3)


def test_a_trial_is_limited_by_the_end_of_the_runs_time_where_that_is_nearer() -> None:
    told = Told()
    told.run(blocks=1, seconds=10.0)
    assert all(limit.is_deadline and 9 < limit.seconds <= 10 for limit in told.trials.limits)


def test_a_calm_machine_is_waited_for_while_there_is_time_for_the_rest_of_the_block() -> None:
    told = Told({"b": [DISTURBED]}, image_seconds=0.1)  # a trial takes 37.1 s
    told.run(blocks=1, seconds=200.0)
    kept = [(it.ends_at or 0.0) - (it.begin_by or 0.0) for it in told.trials.limits]
    assert kept == pytest.approx([1.05 * 37.1 * trials for trials in (3, 2, 1, 1)])


def test_without_a_deadline_a_calm_machine_is_waited_for_as_long_as_ever() -> None:
    told = Told()
    told.run(blocks=1)
    assert [(it.ends_at, it.begin_by) for it in told.trials.limits] == [(None, None)] * 3


def test_the_blocks_that_verdicts_need_may_take_the_time_that_is_kept_and_no_others() -> None:
    allowance = Allowance(deadline=time.monotonic() + 10.0, blocks=None, kept_seconds=60.0)
    first, fourth, fifth = (allowance.left(whole) for whole in (0, 3, 4))
    assert first is not None
    assert fourth is not None
    assert fifth is not None
    assert 69 < fourth <= first <= 70
    assert 9 < fifth <= 10
    assert Allowance(deadline=None, blocks=None, kept_seconds=60.0).left(0) is None
