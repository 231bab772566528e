"""The self-test's lines, from scripted trials: each fails if what it is about is not as known."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from feedbench.bench.records.checks.selftest import Expectation
from feedbench.bench.records.conditions.calm import Around, Counters, Share
from feedbench.bench.records.conditions.usage import Latency
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.records.windows import Window
from feedbench.bench.selftest import pipelines
from feedbench.bench.selftest.expected import ALONE, MOST_BLOCKS, REAL, is_enough, lines
from tests.support.builders import a_trial, measured_in, with_measured

BATCH = 32
GOOD = Around(
    before=Share(1.0, 1.0),
    after=Share(1.0, 1.0),
    low=Share(0.85, 0.5),
    waited_seconds=0.0,
    counters=Counters(),
)
DISTURBED = replace(GOOD, after=Share(0.5, 0.5))
RATES = {
    **dict.fromkeys(("metronome", "copy", "neighbour", "ahead"), 1600.0),
    "slower": 1454.5,
}


def latency(batches: int, longest: float = 0.02) -> Latency:
    return Latency(batches=batches, p50=0.02, p95=longest, p99=longest, longest=longest)


def trial_of(label: str, block: int = 0, rate: float = 1600.0, **given: Any) -> TrialRecord:
    windows = [Window(round(1000 * rate), 1000.0)] * 3
    fields: dict[str, Any] = {"windows": windows, "around": GOOD, "latency": latency(150_000)}
    fields |= {"consumer_seconds": 10e-6, "epoch_seconds": [0.1], "turnover_seconds": [0.02]}
    return a_trial(block, label, **fields | given)


def alone() -> dict[str, TrialRecord]:
    made = {label: trial_of(label) for label in (*ALONE, REAL)}
    made["bursts"] = trial_of(
        "bursts", latency=latency(150_000, pipelines.BURST * pipelines.PERIOD)
    )
    made["teardown"] = trial_of("teardown", turnover_seconds=[0.3201, 0.321, 0.3202])
    # A batch a millisecond, and one in 20 microseconds, of each of which 10 are the harness's.
    made[REAL] = trial_of(REAL, rate=32_000.0, latency=latency(3_000_000), consumer_seconds=9e-6)
    made["ready"] = trial_of("ready", rate=1_600_000.0, latency=latency(150_000_000))
    return made


def in_blocks(count: int = 4) -> list[TrialRecord]:
    trials = []
    for block in range(1, count + 1):
        nearly = 1 + block / 1e4
        for label, rate in RATES.items():
            around = DISTURBED if label == "neighbour" else GOOD
            trials.append(trial_of(label, block, rate * nearly, around=around))
        trials.append(trial_of("metronome", block, 1600.0, purpose="control"))
    return trials


def lines_of(*changed: TrialRecord, blocks: list[TrialRecord] | None = None) -> list[Expectation]:
    by_label = alone() | {trial.label: trial for trial in changed}
    return lines([*by_label.values(), *(in_blocks() if blocks is None else blocks)], BATCH)


def failing(*changed: TrialRecord, blocks: list[TrialRecord] | None = None) -> list[str]:
    return [line.name for line in lines_of(*changed, blocks=blocks) if not line.passed]


def test_everything_passes_where_all_is_as_known() -> None:
    assert failing() == []
    assert len(lines_of()) == 13


def test_what_is_expected_and_what_was_measured_stand_in_each_line() -> None:
    first = lines_of()[0]
    assert first.expected == "1,600 images/s within 1%"
    assert first.measured == "1,600.1 images/s (+0.00%)"


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("prefetcher", "a loader that works 16 batches ahead"),
        ("bursts", "a loader of bursts of 8 batches"),
        ("teardown", "a loader whose iterator ends slowly: its rate"),
    ],
)
@pytest.mark.parametrize("rate", [1580.0, 1620.0])
def test_a_rate_that_is_over_a_hundredth_off_fails(label: str, name: str, rate: float) -> None:
    trial = alone()[label]
    off = with_measured(trial, windows=measured_in(trial_of(label, rate=rate)).windows)
    assert failing(off) == [name]


def test_a_ramp_may_read_a_little_low() -> None:
    assert failing(trial_of("ramp", rate=1600 * 0.975)) == []
    assert failing(trial_of("ramp", rate=1600 * 0.96)) == [
        "a loader that becomes faster for 4 s: its last rate"
    ]


def test_a_turnover_without_the_slow_end_fails() -> None:
    assert failing(trial_of("teardown", turnover_seconds=[0.02])) == ["the slow end, as turnover"]


def test_bursts_that_are_not_seen_fail() -> None:
    assert failing(trial_of("bursts", latency=latency(150_000))) == [
        "the wait between bursts (p99)"
    ]


def test_a_harness_that_costs_too_much_and_one_that_hides_it_fail() -> None:
    costly = with_measured(alone()[REAL], consumer_seconds=60e-6)
    assert failing(costly) == ["the harness's own share of tfdata_tuned's time"]
    hidden = with_measured(alone()["ready"], consumer_seconds=1e-6)
    assert failing(hidden) == ["the harness's own share with ready batches"]


def test_verdicts_that_are_not_the_known_ones_fail() -> None:
    swapped = [
        replace(t, label={"copy": "slower", "slower": "copy"}.get(t.label, t.label))
        for t in in_blocks()
    ]
    assert failing(blocks=swapped) == ["a copy of a pipeline", "one that takes 10% longer"]


def test_a_right_verdict_of_a_wrong_ratio_fails() -> None:
    blocks = [
        with_measured(t, windows=measured_in(trial_of("slower", rate=1400.0 + t.block)).windows)
        if t.label == "slower"
        else t
        for t in in_blocks()
    ]
    assert failing(blocks=blocks) == ["one that takes 10% longer"]


def test_a_neighbour_that_no_probe_sees_fails() -> None:
    unseen = [replace(trial, around=GOOD) for trial in in_blocks()]
    assert failing(blocks=unseen) == ["one that brings a neighbour"]


def test_what_was_not_measured_fails_and_says_so() -> None:
    nothing = lines([], BATCH)
    assert not any(line.passed for line in nothing)
    assert nothing[0].measured == "not measured"


def test_there_are_enough_blocks_when_four_of_each_were_undisturbed_or_at_the_limit() -> None:
    assert not is_enough([])
    assert not is_enough(in_blocks(3))
    assert is_enough(in_blocks(4))
    disturbed = [replace(t, around=DISTURBED) if t.label == "copy" else t for t in in_blocks(4)]
    assert not is_enough(disturbed)
    disturbed = [
        replace(t, around=DISTURBED) if t.label == "copy" else t for t in in_blocks(MOST_BLOCKS)
    ]
    assert is_enough(disturbed)
