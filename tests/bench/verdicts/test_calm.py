from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from feedbench.bench.records.conditions.calm import Around, Counters, Share, Speed
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.verdicts.calm import calm_of
from feedbench.bench.verdicts.control import copy_ratios
from tests.support.builders import a_trial
from tests.support.runs.rotated import turns_of


def probed(
    label: str, block: int, before: float = 1.0, after: float = 1.0, **given: Any
) -> TrialRecord:
    counters = Counters(stolen=0.5, throttled=None, cpu_pressure=2.0)
    around = Around(
        before=Share(before, 0.8),
        after=Share(after, 0.7),
        low=Share(0.9, 0.5),
        waited_seconds=0.5,
        counters=counters,
    )
    return a_trial(block, label, around=around, **given)


def test_the_good_level_is_kept_and_is_the_median_where_a_run_was_gone_on_with() -> None:
    def at(hashed: float | None) -> TrialRecord:
        trial = probed("a", 1)
        assert trial.around is not None
        good = None if hashed is None else Speed(hashed, 2 * hashed)
        return replace(trial, around=replace(trial.around, good=good))

    calm = calm_of([at(100.0), at(100.0), at(80.0)], 0.1)
    assert calm is not None
    assert calm.good == Speed(100.0, 200.0)
    before = calm_of([at(None)], 0.1)  # of a run of a version that did not keep it
    assert before is not None
    assert before.good is None


def test_without_a_probe_nothing_is_known() -> None:
    assert calm_of([a_trial(1)], 0.0) is None
    assert not a_trial(1).is_disturbed


def test_a_block_has_the_second_copys_ratio_and_how_long_its_trials_waited_for_a_core() -> None:
    trials = [
        probed("a", 1, run_delay_seconds=0.25),
        probed("b", 1, run_delay_seconds=0.5),
        probed("a", 1, purpose="control"),  # of a system that does not tell
        probed("a", 2),
    ]
    calm = calm_of(trials, 0.1, {1: 1.02})
    assert calm is not None
    assert [(it.control, it.run_delay_seconds) for it in calm.blocks] == [
        (1.02, 0.75),
        (None, None),
    ]


def test_the_second_copys_ratio_is_that_of_undisturbed_trials_of_whole_blocks() -> None:
    trials = [
        *(probed("a", 1, rate=1000), probed("a", 1, rate=1100, purpose="control")),
        *(probed("a", 2, rate=1000), probed("a", 2, rate=500, after=0.5, purpose="control")),
        *(probed("a", 3, rate=1000), probed("a", 3, rate=100, after=0.5, purpose="control")),
        probed("a", 3, rate=900, purpose="control", attempt=2),
        *(probed("a", 4, rate=1000), probed("a", 4, rate=1000, purpose="control")),
        *(probed("b", 1, rate=10), probed("b", 1, rate=10, purpose="control")),
    ]
    assert copy_ratios(trials, 3, "a") == pytest.approx({1: 1.1, 3: 0.9})


def test_trials_probes_and_counters_are_summed_up_block_by_block() -> None:
    trials = [
        probed("a", 1),
        probed("a", 1, after=0.6, purpose="control"),
        probed("a", 1, purpose="control", attempt=2),
        probed("b", 2, before=0.8),
        a_trial(0, "b", purpose="pilot"),
    ]
    calm = calm_of(trials, 7.5)
    assert calm is not None
    assert (calm.attempts, calm.disturbed, calm.retaken) == (4, 2, 1)
    assert (calm.low, calm.lowest, calm.middle) == (
        Share(0.9, 0.5),
        Share(0.6, 0.7),
        Share(1.0, 0.75),
    )
    assert (calm.waited_seconds, calm.probe_seconds) == (2.0, 7.5)
    first, second = calm.blocks
    assert (first.block, first.disturbed) == (1, ["a (control)"])
    assert [probe.hashed for probe in first.probes] == [1.0, 1.0, 1.0, 0.6, 1.0, 1.0]
    assert [probe.copied for probe in first.probes] == [0.8, 0.7] * 3
    assert first.seconds == pytest.approx(1.0)
    assert (first.stolen_seconds, first.throttled_seconds) == (1.5, None)
    assert first.cpu_pressure_seconds == 6.0
    assert (second.block, second.disturbed) == (2, ["b"])


def test_disturbed_trials_of_a_rotation_are_counted_though_none_is_left_out() -> None:
    turns = turns_of([100.0, 90.0], others_share=0.3)
    trials = [probed("a", 1, turns=turns), probed("b", 1, after=0.5), probed("c", 1)]
    calm = calm_of(trials, 1.0)
    assert calm is not None
    assert (calm.attempts, calm.noisy, calm.disturbed) == (3, 1, 1)
    assert calm.blocks[0].disturbed == ["a", "b"]
    assert calm.others == pytest.approx(0.3)
