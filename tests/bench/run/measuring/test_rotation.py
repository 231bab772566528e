"""A block whose trials take turns: what is opened, in which order turns come, when they stop."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from feedbench.bench.processes.limit import Limit
from feedbench.bench.processes.progress import Quiet
from feedbench.bench.records.pace import USUAL
from feedbench.bench.records.run import Stopped
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.records.turns import Turn
from feedbench.bench.run.budget import Budget
from feedbench.bench.run.measuring import rotation
from feedbench.bench.run.measuring.blocks import Blocks
from feedbench.bench.run.measuring.schedule import Lineup
from feedbench.pipelines.catalog import Spec, parse
from tests.support import builders
from tests.support.clock import ClaimedClock

TURN_SECONDS = 0.6


class ClaimedTrial:
    """An open trial; each turn claims so many seconds of the clock."""

    def __init__(self, log: list[Any], key: tuple[str, str], clock: ClaimedClock) -> None:
        self.turns: list[Turn] = []
        self.is_ready = True
        self.pid = None
        self.killed = False
        self.key = key
        self._log = log
        self._clock = clock

    def take(self, number: int, _: float) -> Turn | None:
        self._clock.sleep(TURN_SECONDS)
        self._log.append((number, *self.key))
        turn = Turn(round=number, at=0.0, images=100, seconds=0.5, awake_seconds=TURN_SECONDS)
        self.turns.append(turn)
        return turn

    def kill(self) -> None:
        self.killed = True


class ClaimedTrials:
    """Opens trials as scripted: one that `fails` is not ready, one that `raises` is interrupted."""

    forkservers: tuple[()] = ()

    def __init__(
        self,
        clock: ClaimedClock,
        fails: tuple[str, ...] = (),
        raises: Mapping[str, BaseException] | None = None,
        opening_seconds: float = 0.0,
    ) -> None:
        self.records: list[TrialRecord] = []
        self.taken: list[tuple[int, str, str]] = []
        self.opened: list[ClaimedTrial] = []
        self.dropped: list[tuple[str, str]] = []
        self.alone: list[tuple[str, str]] = []
        self._clock = clock
        self._fails = fails
        self._raises = raises or {}
        self._opening_seconds = opening_seconds

    def expect(self) -> None:
        pass

    def around(self) -> None:
        return None

    def open(self, spec: Spec, purpose: str, workload: Path, limit: Limit, block: int) -> Any:
        self._clock.sleep(self._opening_seconds)
        if error := self._raises.get(spec.label):
            raise error
        trial = ClaimedTrial(self.taken, (spec.label, purpose), self._clock)
        trial.is_ready = spec.label not in self._fails
        self.opened.append(trial)
        return trial

    def close(self, trial: ClaimedTrial, limit: Limit, around: object) -> TrialRecord:
        return self._kept(trial.key, "measured" if trial.is_ready else "failed", trial.turns)

    def drop(self, trial: ClaimedTrial) -> None:
        self.dropped.append(trial.key)

    def run(self, spec: Spec, purpose: str, *_: object) -> TrialRecord:
        self.alone.append((spec.label, purpose))
        return self._kept((spec.label, purpose), "measured", [])

    def _kept(self, key: tuple[str, str], ended: str, turns: list[Turn]) -> TrialRecord:
        record = builders.a_record(
            label=key[0],
            spec=key[0],
            purpose=key[1],
            block=1,
            started_at="2026-01-01T00:00:00+00:00",
            seconds=1.0,
            ended=ended,
            turns=turns,
        )
        self.records.append(record)
        return record


class Scene:
    """One block of `a`, its second copy, and `b`."""

    def __init__(self, *, time: float | None = None, rounds: int = 6, **given: Any) -> None:
        self.clock = ClaimedClock()
        self.trials = ClaimedTrials(self.clock, **given)
        self.why: list[str] = []
        specs = {label: parse(f"{label}=tfdata_naive") for label in "ab"}
        deadline = None if time is None else self.clock.now + time
        trials: Any = self.trials
        self.blocks = Blocks(
            trials,
            Lineup(specs, dict.fromkeys(specs, 1.0)),
            Path("images.json"),
            Budget(deadline=deadline, blocks=1, clock=self.clock),
            seed=0,
            pace=replace(USUAL, rounds=rounds),
        )

    def run(self) -> Stopped:
        keeper: Any = SimpleNamespace(
            save=lambda **_: None,
            so_far=lambda: "",
            take_no_turns=self.why.append,
            reason_to_stop=lambda _: None,
        )
        return self.blocks.run(Quiet(), keeper)

    def rounds(self) -> list[list[tuple[str, str]]]:
        numbers = sorted({number for number, *_ in self.trials.taken})
        return [
            [(label, purpose) for number, label, purpose in self.trials.taken if number == each]
            for each in numbers
        ]


@pytest.fixture(autouse=True)
def _enough_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "available_bytes", lambda: 1 << 40)


def test_every_trial_has_one_turn_in_each_round_in_an_order_that_changes() -> None:
    scene = Scene()
    assert scene.run() is Stopped.BLOCKS
    rounds = scene.rounds()
    assert len(rounds) == 6
    assert all(len(each) == len(set(each)) == 3 for each in rounds)
    assert len({tuple(each) for each in rounds}) > 1


def test_the_order_depends_on_the_seed_alone() -> None:
    scenes = [Scene(), Scene()]
    for scene in scenes:
        scene.run()
    assert scenes[0].trials.taken == scenes[1].trials.taken


def test_a_turn_is_recorded_with_its_trial() -> None:
    scene = Scene()
    scene.run()
    assert [len(record.turns) for record in scene.trials.records] == [6, 6, 6]


def test_what_fails_while_it_opens_takes_no_turn_and_the_others_do() -> None:
    scene = Scene(fails=("b",))
    scene.run()
    assert [record.label for record in scene.trials.records if record.ended == "failed"] == ["b"]
    assert all({label for label, _ in each} == {"a"} for each in scene.rounds())


def test_rounds_end_when_the_time_is_up_but_not_before_the_fourth() -> None:
    scene = Scene(time=8.0, rounds=30)
    scene.run()
    assert 4 <= len(scene.rounds()) < 6
    hurried = Scene(time=1.0, rounds=30)
    hurried.run()
    assert len(hurried.rounds()) == 4


def test_a_block_whose_time_is_up_before_all_are_open_is_ended_and_not_counted() -> None:
    scene = Scene(time=5.0, opening_seconds=3.0)
    assert scene.run() is Stopped.TIME
    assert (scene.blocks.whole, scene.trials.taken) == (0, [])
    assert all(trial.killed for trial in scene.trials.opened)
    assert len(scene.trials.dropped) == len(scene.trials.opened) == 2


def test_an_interruption_records_what_was_open() -> None:
    scene = Scene(raises={"b": KeyboardInterrupt()})
    with pytest.raises(KeyboardInterrupt):
        scene.run()
    assert scene.trials.dropped == [trial.key for trial in scene.trials.opened]


def test_where_memory_lacks_trials_run_one_at_a_time_from_then_on_and_the_run_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    free = iter([1 << 40, 1 << 20])
    monkeypatch.setattr(rotation, "available_bytes", lambda: next(free))
    scene = Scene()
    scene.run()
    assert scene.why == ["all pipelines at once need more memory than is available"]
    assert len(scene.trials.opened) == 1
    assert len(scene.trials.alone) == 2
    assert scene.trials.taken == []
    assert scene.blocks.whole == 1


def test_the_memory_of_a_trial_is_judged_by_what_its_pipeline_has_used() -> None:
    measured = builders.a_trial(1, "b")
    assert measured.measured is not None
    large = replace(measured, measured=replace(measured.measured, peak_memory_bytes=1 << 41))
    assert rotation.lacks_memory([large], "b")
    assert not rotation.lacks_memory([replace(large, measured=None)], "b")
