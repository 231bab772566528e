"""The loop of blocks without a process: trials whose ends are scripted."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from feedbench.bench.processes.limit import Limit
from feedbench.bench.processes.progress import Quiet
from feedbench.bench.records.conditions.calm import Around, Counters, Share
from feedbench.bench.records.pace import USUAL
from feedbench.bench.records.run import Stopped
from feedbench.bench.records.trial import Fault, TrialRecord
from feedbench.bench.run.budget import Budget, Cost, trial_seconds
from feedbench.bench.run.measuring.blocks import Blocks
from feedbench.bench.run.measuring.schedule import Lineup
from feedbench.pipelines.catalog import Spec, parse
from tests.support import builders
from tests.support.clock import ClaimedClock

Fields = Mapping[str, Any]

MEASURED: Fields = {"ended": "measured"}
RAISED: Fields = {"ended": "failed", "why": "it raised OSError: gone", "exit_code": 0}
KILLED: Fields = {"ended": "failed", "why": "it was killed by SIGKILL", "signal": signal.SIGKILL}
SEGFAULT: Fields = {"ended": "failed", "why": "it was killed by SIGSEGV", "signal": signal.SIGSEGV}
SERVER_DIED: Fields = {"ended": "failed", "fault": Fault.FORKSERVER_DIED}
CLOCK: Fields = {"ended": "failed", "fault": Fault.CLOCK}
TIME_UP: Fields = {"ended": "time up"}
HUNG: Fields = {"ended": "failed", "why": "it exceeded its limit of 18 s and was ended"}


class ScriptedTrials:
    """Ends the trials of each label as scripted, one after another, and then has them measured.

    Each claims so many seconds of the clock.
    """

    def __init__(
        self,
        ends: Mapping[str, list[Fields | BaseException]],
        clock: ClaimedClock,
        seconds: float = 0.0,
    ) -> None:
        self._clock = clock
        self._ends = {label: iter(each) for label, each in ends.items()}
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
        self._clock.sleep(self._seconds)
        end = next(self._ends.get(spec.label, iter(())), MEASURED)
        if isinstance(end, BaseException):
            raise end
        return a_record(spec.label, block, end, purpose=purpose, attempt=attempt)

    def labels_of(self, block: int) -> list[str]:
        return sorted(label for number, label in self.run_of if number == block)


class Kept:
    """Takes what is saved, and has a reason to stop from some block on."""

    def __init__(self, enough_from: int | None = None, reason: Stopped = Stopped.PRECISE) -> None:
        self.saved: list[int] = []
        self.asked: list[tuple[str, ...]] = []
        self._enough_from = enough_from
        self._reason = reason

    def save(self, *, blocks: int) -> None:
        self.saved.append(blocks)

    def take_no_turns(self, why: str) -> None:
        """Keep nothing."""

    def so_far(self) -> str:
        return f"the answer after {self.saved[-1]}"

    def reason_to_stop(self, labels: tuple[str, ...]) -> Stopped | None:
        self.asked.append(labels)
        is_enough = self._enough_from is not None and self.saved[-1] >= self._enough_from
        return self._reason if is_enough else None


def a_record(label: str, block: int, end: Fields, **given: Any) -> TrialRecord:
    fields: dict[str, Any] = {
        "label": label,
        "spec": label,
        "purpose": "main",
        "block": block,
        "started_at": "2026-01-01T00:00:00+00:00",
        "seconds": 1.0,
    }
    return builders.a_record(**fields | given | dict(end))


def a_lineup(image_seconds: float = 0.001) -> Lineup:
    specs = {label: parse(f"{label}=tfdata_naive") for label in "ab"}
    seconds = trial_seconds(Cost(image_seconds), 100, 8, replace(USUAL, rounds=0))
    return Lineup(specs, dict.fromkeys(specs, seconds))


class ScriptedBlocks:
    """Blocks over `a`, the baseline, and `b`."""

    def __init__(
        self,
        ends: Mapping[str, list[Fields | BaseException]] | None = None,
        *,
        blocks: int | None = None,
        spare_blocks: int = 0,
        time: float | None = None,
        enough_from: int | None = None,
        reason: Stopped = Stopped.PRECISE,
        seconds: float = 0.0,
        image_seconds: float = 0.001,
        earlier: Sequence[TrialRecord] = (),
    ) -> None:
        self.clock = ClaimedClock()
        self.trials = ScriptedTrials(ends or {}, self.clock, seconds)
        self.kept = Kept(enough_from, reason)
        deadline = None if time is None else self.clock.now + time
        trials: Any = self.trials
        self.blocks = Blocks(
            trials,
            a_lineup(image_seconds).after(earlier),
            Path("images.json"),
            Budget(deadline=deadline, blocks=blocks, spare_blocks=spare_blocks, clock=self.clock),
            seed=0,
            one_at_a_time="the test says so",
        )

    def run(self) -> Stopped:
        keeper: Any = self.kept
        return self.blocks.run(Quiet(), keeper)


GOOD = Share(1.0, 1.0)
CALM = Around(
    before=GOOD, after=GOOD, low=Share(0.93, 0.5), waited_seconds=0.0, counters=Counters()
)
DISTURBED: Fields = {"ended": "measured", "around": replace(CALM, after=Share(0.5, 0.5))}


def test_a_disturbed_trial_is_taken_again_at_the_end_of_its_block() -> None:
    scripted = ScriptedBlocks({"b": [DISTURBED]}, blocks=2)
    scripted.run()
    *first, again = [turn for turn in scripted.trials.attempts if turn[0] == 1]
    assert [attempt for *_, attempt in first] == [1, 1, 1]
    assert again == (1, "b", "main", 2)
    assert [attempt for block, *_, attempt in scripted.trials.attempts if block == 2] == [1, 1, 1]


def test_a_trial_is_taken_again_once_whatever_the_machine_does_then() -> None:
    scripted = ScriptedBlocks({"b": [DISTURBED] * 9}, blocks=3)
    scripted.run()
    for block in (1, 2, 3):
        assert scripted.trials.labels_of(block).count("b") == 2


def test_where_most_trials_are_disturbed_half_of_them_are_taken_again_and_no_more() -> None:
    scripted = ScriptedBlocks({label: [DISTURBED] * 99 for label in "ab"}, blocks=1)
    scripted.run()
    assert len(scripted.trials.attempts) == 3 + 2


def test_the_controls_trial_is_taken_again_as_the_control() -> None:
    scripted = ScriptedBlocks({"a": [DISTURBED, DISTURBED]}, blocks=1)
    scripted.run()
    assert {turn[2] for turn in scripted.trials.attempts if turn[3] == 2} == {"main", "control"}


def test_nothing_is_taken_again_where_the_time_would_not_do() -> None:
    scripted = ScriptedBlocks({"b": [DISTURBED]}, seconds=0.4, time=1.3)
    scripted.run()
    assert {attempt for *_, attempt in scripted.trials.attempts} == {1}
    assert scripted.blocks.whole == 1


def test_a_failed_trial_is_not_taken_again() -> None:
    scripted = ScriptedBlocks({"b": [{**KILLED, "around": DISTURBED["around"]}]}, blocks=1)
    scripted.run()
    assert {attempt for *_, attempt in scripted.trials.attempts} == {1}


def test_a_block_is_whole_though_the_time_is_up_while_a_trial_is_taken_again() -> None:
    scripted = ScriptedBlocks({"b": [DISTURBED, TIME_UP]}, blocks=1)
    scripted.run()
    assert scripted.blocks.whole == 1


def test_a_block_holds_every_pipeline_and_the_baseline_twice() -> None:
    scripted = ScriptedBlocks(blocks=2)
    assert scripted.run() is Stopped.BLOCKS
    assert scripted.trials.labels_of(1) == scripted.trials.labels_of(2) == ["a", "a", "b"]
    assert scripted.kept.saved == [1, 2]


@pytest.mark.parametrize("end", [RAISED, SEGFAULT, HUNG])
def test_a_failure_of_its_own_strikes_a_pipeline_out_at_once(end: Fields) -> None:
    scripted = ScriptedBlocks({"b": [end]}, blocks=3)
    scripted.run()
    assert scripted.blocks.lineup.labels == ("a",)
    assert scripted.trials.labels_of(2) == scripted.trials.labels_of(3) == ["a", "a"]


@pytest.mark.parametrize("end", [KILLED, SERVER_DIED, CLOCK])
def test_one_accident_leaves_a_pipeline_in(end: Fields) -> None:
    scripted = ScriptedBlocks({"b": [end]}, blocks=2)
    scripted.run()
    assert scripted.blocks.lineup.labels == ("a", "b")
    assert scripted.trials.labels_of(2) == ["a", "a", "b"]


@pytest.mark.parametrize("first", [KILLED, SERVER_DIED])
def test_a_second_accident_strikes_it_out(first: Fields) -> None:
    scripted = ScriptedBlocks({"b": [first, MEASURED, KILLED]}, blocks=4)
    scripted.run()
    assert [scripted.trials.labels_of(block).count("b") for block in (1, 2, 3, 4)] == [1, 1, 1, 0]


def test_what_a_loader_says_of_killed_workers_is_no_accident() -> None:
    words = {"ended": "failed", "why": "it raised OSError: worker killed by SIGKILL"}
    assert a_lineup().after([a_record("b", 0, words)]).labels == ("a",)


def test_a_baseline_that_is_struck_out_in_a_block_is_not_run_again_in_it() -> None:
    scripted = ScriptedBlocks({"a": [RAISED]}, blocks=2)
    scripted.run()
    assert scripted.trials.labels_of(1) == ["a", "b"]
    assert scripted.trials.labels_of(2) == ["b"]


def test_the_pilots_may_have_struck_all_out_before_the_first_block() -> None:
    failed = [a_record(label, 0, RAISED) for label in "ab"]
    scripted = ScriptedBlocks(blocks=2, earlier=failed)
    assert scripted.run() is Stopped.FAILED
    assert scripted.trials.run_of == []


def test_it_stops_where_every_pipeline_has_failed_in_the_blocks() -> None:
    scripted = ScriptedBlocks({"a": [KILLED, KILLED], "b": [RAISED]}, blocks=9)
    assert scripted.run() is Stopped.FAILED
    assert scripted.kept.saved == [1]


def test_it_stops_where_the_rule_has_a_reason() -> None:
    scripted = ScriptedBlocks(enough_from=3)
    assert scripted.run() is Stopped.PRECISE
    assert scripted.blocks.whole == 3
    assert scripted.kept.asked == [("a", "b")] * 3


def test_the_rule_is_asked_about_what_still_runs() -> None:
    scripted = ScriptedBlocks({"b": [RAISED]}, enough_from=2)
    scripted.run()
    assert scripted.kept.asked == [("a",)] * 2


def test_no_more_blocks_are_run_than_were_asked_for_even_if_the_rule_wants_more() -> None:
    scripted = ScriptedBlocks(enough_from=9, blocks=3)
    assert scripted.run() is Stopped.BLOCKS
    assert scripted.kept.saved == [1, 2, 3]


@pytest.mark.parametrize(
    ("enough_from", "stopped", "whole"),
    [(3, Stopped.BLOCKS, 3), (4, Stopped.SPARE, 4), (9, Stopped.SPARE, 5)],
)
def test_spare_blocks_are_run_only_while_the_rule_wants_more(
    enough_from: int, stopped: Stopped, whole: int
) -> None:
    scripted = ScriptedBlocks(
        enough_from=enough_from, reason=Stopped.BLOCKS, blocks=3, spare_blocks=2
    )
    assert scripted.run() is stopped
    assert scripted.blocks.whole == whole


def test_no_block_is_begun_that_would_not_fit_in_what_is_left() -> None:
    scripted = ScriptedBlocks(seconds=0.125, time=0.9375)
    begun = scripted.clock.now
    assert scripted.run() is Stopped.TIME
    assert scripted.clock.now - begun == 0.75
    assert scripted.blocks.whole == 2
    assert len(scripted.trials.run_of) == 6


def test_without_any_time_no_trial_is_begun() -> None:
    scripted = ScriptedBlocks(time=-1.0)
    assert scripted.run() is Stopped.TIME
    assert scripted.trials.run_of == []


def test_a_block_in_which_the_time_is_up_is_not_counted_whole() -> None:
    scripted = ScriptedBlocks({"b": [MEASURED, TIME_UP]}, time=60.0)
    assert scripted.run() is Stopped.TIME
    assert scripted.blocks.whole == 1
    assert scripted.kept.saved == [1]
    assert scripted.blocks.lineup.labels == ("a", "b")


def test_a_block_that_is_interrupted_is_not_counted_whole() -> None:
    scripted = ScriptedBlocks({"b": [MEASURED, KeyboardInterrupt()]}, blocks=5)
    with pytest.raises(KeyboardInterrupt):
        scripted.run()
    assert scripted.blocks.whole == 1
    assert scripted.kept.saved == [1]


def test_a_trial_is_limited_to_three_times_what_it_should_take_and_30_seconds_at_least() -> None:
    quick, slow = ScriptedBlocks(blocks=1), ScriptedBlocks(blocks=1, image_seconds=0.1)
    quick.run()
    slow.run()
    assert [limit.seconds for limit in quick.trials.limits] == [30.0] * 3
    # Start 0.7 s, two epochs of 10 s, and four windows of 4 s.
    assert [limit.seconds for limit in slow.trials.limits] == pytest.approx([3 * 36.7] * 3)


def test_a_trial_is_limited_by_the_end_of_the_runs_time_where_that_is_nearer() -> None:
    scripted = ScriptedBlocks(blocks=1, time=10.0, seconds=2.0)
    scripted.run()
    assert [limit.seconds for limit in scripted.trials.limits] == [10.0, 8.0, 6.0]
    assert all(limit.is_deadline for limit in scripted.trials.limits)


def test_a_calm_machine_is_waited_for_while_there_is_time_for_the_rest_of_the_block() -> None:
    scripted = ScriptedBlocks({"b": [DISTURBED]}, image_seconds=0.1, blocks=1, time=200.0)
    scripted.run()  # a trial takes 36.7 s
    kept = [(it.ends_at or 0.0) - (it.begin_by or 0.0) for it in scripted.trials.limits]
    assert kept == pytest.approx([1.05 * 36.7 * trials for trials in (3, 2, 1, 1)])


def test_without_a_deadline_a_calm_machine_is_waited_for_as_long_as_ever() -> None:
    scripted = ScriptedBlocks(blocks=1)
    scripted.run()
    assert [(it.ends_at, it.begin_by) for it in scripted.trials.limits] == [(None, None)] * 3


class Told(Quiet):
    """Keeps what is shown after each block."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def block_ended(self, answer: str, to_come: str) -> None:
        self.lines.append((answer, to_come))


def test_after_each_block_the_answer_so_far_is_shown_with_what_the_blocks_have_really_taken() -> (
    None
):
    scripted = ScriptedBlocks(seconds=10.0, time=100.0)
    told, keeper = Told(), scripted.kept
    scripted.blocks.run(told, keeper)
    assert told.lines == [
        ("the answer after 1", "time for about 2 more blocks of about 30 s"),
        ("the answer after 2", "time for about 1 more block of about 30 s"),
        ("the answer after 3", "no time for another block of about 30 s"),
    ]
