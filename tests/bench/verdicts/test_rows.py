from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from feedbench.bench.records.calm import Around, Counters, Share
from feedbench.bench.records.page_cache import Certificate
from feedbench.bench.records.row import Row
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.records.windows import Window
from feedbench.bench.verdicts.rows import Summary, summarise
from tests.support import builders
from tests.support.builders import measured_in

MARGIN = 0.05


def a_trial(label: str = "a", block: int = 1, rate: int = 1000, **given: Any) -> TrialRecord:
    """A trial that was measured at a steady `rate` images/s, of an epoch of 1,000 images."""
    fields: dict[str, Any] = {
        "label": label,
        "spec": f"spec of {label}",
        "purpose": "main",
        "block": block,
        "started_at": "2026-01-01T00:00:00+00:00",
        "seconds": 9.0,
        "ended": "measured",
        "open_seconds": 0.5,
        "first_batch_seconds": 0.25,
        "first_epoch_seconds": 2.0,
        "first_epoch_images": 1000,
        "epoch_seconds": [1.5],
        "turnover_seconds": [0.125],
        "windows": [Window(rate, 1.0)] * 3,
    }
    return builders.a_record(**fields | given)


def failed(
    label: str, block: int, why: str = "it raised OSError: gone", **given: Any
) -> TrialRecord:
    return a_trial(label, block, ended="failed", why=why, windows=[], **given)


def blocks(rates: Mapping[str, list[int]], second: list[int] | None = None) -> list[TrialRecord]:
    """Trials at these rates, block by block; the first is the baseline, `second` its control."""
    baseline = next(iter(rates))
    again = rates[baseline] if second is None else second
    control = [
        a_trial(baseline, block, rate, purpose="control") for block, rate in enumerate(again, 1)
    ]
    main = [
        a_trial(label, block, rate)
        for label, found in rates.items()
        for block, rate in enumerate(found, 1)
    ]
    return main + control


def summary(
    trials: list[TrialRecord], labels: str = "ab", folder_images: int = 1000, unequal: str = ""
) -> Summary:
    specs = {label: f"spec of {label}" for label in labels}
    return summarise(
        trials, specs, margin=MARGIN, folder_images=folder_images, unequal=set(unequal)
    )


def row(found: Summary, label: str) -> Row:
    (only,) = [row for row in found.rows if row.label == label]
    return only


CALM = [1000, 1010, 990, 1000]


def test_there_is_a_row_for_each_pipeline_in_the_order_asked_for() -> None:
    found = summary(blocks({"b": CALM, "a": CALM, "c": CALM}), "bac")
    assert [(row.label, row.spec) for row in found.rows] == [
        ("b", "spec of b"),
        ("a", "spec of a"),
        ("c", "spec of c"),
    ]


def test_a_trials_rate_is_the_images_of_its_steady_windows_over_their_seconds() -> None:
    ramp = [Window(10, 1.0), Window(100, 1.0), Window(100, 1.0), Window(309, 3.0)]
    assert a_trial(windows=ramp).rate == pytest.approx(509 / 5)


def test_of_a_trial_that_was_never_steady_the_last_three_windows_count() -> None:
    ramp = [Window(2**place, 1.0) for place in range(12)]
    trial = a_trial(windows=ramp)
    assert trial.rate == pytest.approx((512 + 1024 + 2048) / 3)
    assert row(summary([trial]), "a").unsteady_trials == 1


def test_a_rate_is_over_the_blocks_mean_of_seconds_an_image() -> None:
    found = row(summary(blocks({"a": [500, 1000, 1000, 2000]})), "a")
    assert found.rate == pytest.approx(4 / (1 / 500 + 2 / 1000 + 1 / 2000))
    assert found.blocks == 4


def test_a_rate_has_an_interval_from_four_blocks_on() -> None:
    three = row(summary(blocks({"a": CALM[:3]})), "a")
    assert three.rate == pytest.approx(1000, rel=1e-3)
    assert (three.rate_low, three.rate_high) == (None, None)
    four = row(summary(blocks({"a": CALM})), "a")
    assert four.rate_low is not None
    assert four.rate_high is not None
    assert four.rate is not None
    assert four.rate_low < four.rate < four.rate_high


def test_an_upper_end_that_is_nowhere_is_not_known() -> None:
    wild = row(summary(blocks({"a": [100, 200, 400, 400]})), "a")
    assert wild.rate_low is not None
    assert wild.rate_high is None


def test_ratios_are_paired_by_block() -> None:
    machine = [1, 3, 2, 5]  # its speed in each block
    found = summary(blocks({"a": [100 * m for m in machine], "b": [150 * m for m in machine]}))
    faster = row(found, "b")
    assert faster.ratio == pytest.approx(1.5)
    assert faster.ratio_low == pytest.approx(1.5)
    assert faster.ratio_high == pytest.approx(1.5)
    assert faster.verdict == "faster"


def test_a_block_that_only_one_of_a_pair_has_is_no_part_of_their_ratio() -> None:
    trials = blocks({"a": [*CALM, 9999], "b": [2 * rate for rate in CALM]})
    trials += [a_trial("b", block=6, rate=1)]
    assert row(summary(trials), "b").ratio == pytest.approx(2.0)


def test_the_order_in_which_trials_were_run_is_of_no_account() -> None:
    trials = blocks({"a": [100, 200, 300, 400], "b": [110, 250, 310, 480]})
    ours, theirs = row(summary(trials), "b"), row(summary(trials[::-1]), "b")
    assert theirs.rate == pytest.approx(ours.rate)
    assert (theirs.ratio, theirs.ratio_low) == pytest.approx((ours.ratio, ours.ratio_low))


def test_the_baseline_has_no_ratio_and_no_verdict_of_its_own() -> None:
    baseline = row(summary(blocks({"a": CALM, "b": CALM})), "a")
    assert (baseline.ratio, baseline.ratio_low, baseline.verdict) == (None, None, None)


def test_the_level_of_the_intervals_is_told_and_grows_with_the_pipelines() -> None:
    assert row(summary(blocks({"a": CALM, "b": CALM})), "b").level == pytest.approx(0.99)
    eleven = dict.fromkeys("abcdefghijk", CALM)
    found = summary(blocks(eleven), "abcdefghijk")
    assert [row.level for row in found.rows] == pytest.approx([0.995] * 11)


def test_under_four_blocks_there_are_rates_and_ratios_and_no_verdicts() -> None:
    for count in (1, 2, 3):
        rates = {"a": CALM[:count], "b": [2 * rate for rate in CALM[:count]]}
        found = summary(blocks(rates))
        other = row(found, "b")
        assert other.rate == pytest.approx(2000, rel=1e-2)
        assert other.ratio == pytest.approx(2.0)
        assert (other.ratio_low, other.ratio_high, other.verdict) == (None, None, None)
        assert (found.best, found.control) == ([], None)


def test_a_pipeline_with_less_than_four_blocks_beside_others_has_no_verdict() -> None:
    found = summary(blocks({"a": CALM, "b": CALM, "c": CALM[:3]}), "abc")
    assert row(found, "b").verdict == "equivalent"
    assert row(found, "c").verdict is None


def test_a_pipeline_without_a_trial_has_an_empty_row() -> None:
    empty = row(summary(blocks({"a": CALM}), "ab"), "b")
    assert empty == Row(label="b", spec="spec of b", blocks=0)


def test_a_failed_trial_is_listed_and_no_part_of_the_rate() -> None:
    trials = [*blocks({"a": CALM, "b": CALM}), failed("b", 5, "it raised OSError: gone")]
    found = row(summary(trials), "b")
    assert found.failures == ["it raised OSError: gone"]
    assert found.blocks == 4
    assert found.rate == row(summary(trials[:-1]), "b").rate


def test_failures_of_pilots_and_of_the_control_are_listed_too() -> None:
    trials = [
        failed("b", 0, "its pilot failed", purpose="pilot"),
        failed("a", 1, "its control failed", purpose="control"),
    ]
    found = summary(trials)
    assert row(found, "a").failures == ["its control failed"]
    assert row(found, "b").failures == ["its pilot failed"]


def test_trials_cut_short_by_the_time_are_no_failures_and_no_measurements() -> None:
    trials = blocks({"a": CALM, "b": CALM})
    cut = [a_trial("b", 5, windows=[], ended=ended) for ended in ("time up", "interrupted")]
    assert summary(trials + cut).rows == summary(trials).rows


def test_pilots_are_no_part_of_the_rate() -> None:
    trials = blocks({"a": CALM})
    pilot = a_trial("a", 0, windows=[], purpose="pilot", epoch_seconds=[], turnover_seconds=[])
    assert summary([pilot, *trials]).rows == summary(trials).rows


def test_where_the_baseline_failed_there_are_rates_and_no_ratios() -> None:
    trials = [failed("a", 1), *(a_trial("b", block, rate) for block, rate in enumerate(CALM, 1))]
    found = summary(trials)
    assert row(found, "b").rate == pytest.approx(1000, rel=1e-3)
    assert (row(found, "b").ratio, row(found, "b").verdict) == (None, None)
    assert row(found, "a").rate is None
    assert (found.best, found.control, found.intervals) == ([], None, {})


def test_a_pipeline_that_can_only_be_restarted_is_flagged() -> None:
    trials = blocks({"a": CALM})
    trials += [a_trial("b", block, continuous=False) for block in range(1, 5)]
    found = summary(trials)
    assert row(found, "a").continuous
    assert not row(found, "b").continuous


def test_the_control_is_the_ratio_of_the_baselines_second_copy_to_it() -> None:
    copy = [1020, 1030, 1010, 1020]
    found = summary(blocks({"a": [1000] * 4, "b": CALM}, second=copy))
    assert found.control is not None
    ratio, low, high = found.control
    assert ratio == pytest.approx((1020 * 1030 * 1010 * 1020) ** 0.25 / 1000)
    assert low < ratio < high
    assert math.log(high / ratio) == pytest.approx(math.log(ratio / low))


def test_the_second_copy_is_no_part_of_the_baselines_rate() -> None:
    apart = summary(blocks({"a": CALM}, second=[rate * 2 for rate in CALM]))
    assert row(apart, "a").rate == row(summary(blocks({"a": CALM})), "a").rate


def test_a_control_that_is_off_withholds_all_verdicts_and_the_best() -> None:
    trials = blocks({"a": CALM, "b": [3 * r for r in CALM]}, second=[r * 11 // 10 for r in CALM])
    found = summary(trials)
    assert row(found, "b").verdict == "withheld"
    assert row(found, "b").ratio == pytest.approx(3.0)
    assert found.best == []


def test_the_best_are_those_not_shown_slower_than_another() -> None:
    rates = {"a": CALM, "b": [2 * r for r in CALM], "c": [2010, 2000, 1990, 1995]}
    assert summary(blocks(rates), "abc").best == ["b", "c"]
    rates["c"] = [3 * r for r in CALM]
    assert summary(blocks(rates), "abc").best == ["c"]


def test_phases_are_means_over_the_trials() -> None:
    first = a_trial(block=1, open_seconds=0.25, first_batch_seconds=0.5, first_epoch_seconds=4.0)
    second = a_trial(block=2, open_seconds=0.75, first_batch_seconds=1.0, first_epoch_seconds=2.0)
    found = row(summary([first, second]), "a")
    assert found.first_batch_seconds == pytest.approx(0.5 + 0.75)
    assert found.first_epoch_seconds == pytest.approx(0.5 + 3.0)


def test_a_first_epoch_whose_page_cache_was_not_as_asked_does_not_count() -> None:
    cold = Certificate(asked="cold", files=3, bytes=1000)
    warm = replace(cold, is_contradicted=True, why_not="only 30% were read")
    phases: dict[str, Any] = {"open_seconds": 0.25, "first_batch_seconds": 0.5}
    sound = a_trial(block=1, page_cache=cold, first_epoch_seconds=4.0, **phases)
    unsound = a_trial(block=2, page_cache=warm, first_epoch_seconds=2.0, **phases)
    assert row(summary([sound, unsound], "a"), "a").first_epoch_seconds == pytest.approx(4.25)
    found = row(summary([unsound], "a"), "a")
    assert (found.first_batch_seconds, found.first_epoch_seconds) == (None, None)
    assert found.rate is not None
    assert found.page_cache is not None
    assert found.page_cache.contradicted == 1


def test_the_turnover_is_a_trials_median_and_the_epoch_its_mean() -> None:
    first = a_trial(block=1, turnover_seconds=[9, 0.1, 0.7, 0.2], epoch_seconds=[9, 1.0, 1.0, 4.0])
    second = a_trial(block=2, turnover_seconds=[0.4], epoch_seconds=[4.0])
    found = row(summary([first, second]), "a")
    assert found.turnover_seconds == pytest.approx((0.2 + 0.4) / 2)
    assert found.epoch_seconds == pytest.approx((2.0 + 4.0) / 2)


def test_the_first_restart_counts_only_where_it_is_the_only_one() -> None:
    several = row(summary([a_trial(turnover_seconds=[8.0, 0.25], epoch_seconds=[9.0, 1.5])]), "a")
    assert (several.turnover_seconds, several.epoch_seconds) == (0.25, 1.5)
    only = row(summary([a_trial(turnover_seconds=[8.0], epoch_seconds=[9.0])]), "a")
    assert (only.turnover_seconds, only.epoch_seconds) == (8.0, 9.0)


def test_the_epoch_of_the_whole_folder_is_its_images_over_the_rate_and_a_turnover() -> None:
    trials = [
        a_trial(block=1, rate=500, turnover_seconds=[0.25]),
        a_trial(block=2, rate=2000, turnover_seconds=[0.75]),
    ]
    found = row(summary(trials, folder_images=8000), "a")
    assert found.folder_epoch_seconds == pytest.approx(8000 / 800 + 0.5)


def test_where_the_whole_folder_was_measured_its_epoch_is_the_measured_one() -> None:
    """A restart and the end of an epoch overlap: their sum would be too long."""
    trials = [
        a_trial(block=block, rate=500, turnover_seconds=[0.25], epoch_seconds=[1.9])
        for block in (1, 2)
    ]
    whole = measured_in(trials[0]).first_epoch_images
    found = row(summary(trials, folder_images=whole), "a")
    assert found.folder_epoch_seconds == found.epoch_seconds == pytest.approx(1.9)


def test_the_epoch_of_the_whole_folder_has_one_turnover_where_the_rate_is_a_restarted_one() -> None:
    # 1,000 images in 2 seconds, and a turnover of 0.5 seconds before them.
    trials = [a_trial(rate=400, turnover_seconds=[0.5], epoch_seconds=[2.5], continuous=False)]
    found = row(summary(trials, folder_images=10_000), "a")
    assert found.folder_epoch_seconds == pytest.approx(10 * 2.0 + 0.5)


def test_knobs_and_remarks_of_the_trials_are_told_each_remark_once() -> None:
    trials = [
        a_trial(block=block, knobs={"cache": "none"}, remarks=["cache=none: no room", str(block)])
        for block in (1, 2)
    ]
    found = row(summary(trials), "a")
    assert found.knobs == {"cache": "none"}
    assert found.remarks == ["cache=none: no room", "1", "2"]


def test_it_is_precise_where_no_interval_is_wider_than_the_margin() -> None:
    calm = summary(blocks({"a": [1000, 1001, 999, 1000], "b": [2000] * 4}))
    assert calm.is_precise(MARGIN, "ab")
    noisy = summary(blocks({"a": [1000, 1100, 900, 1000], "b": [2000] * 4}))
    assert not noisy.is_precise(MARGIN, "ab")


def test_a_noisy_control_alone_is_reason_to_go_on() -> None:
    noisy = [1000, 1100, 900, 1000]
    found = summary(blocks({"a": [1000] * 4, "b": [2000] * 4}, second=noisy))
    assert not found.is_precise(MARGIN, "ab")
    assert not found.is_precise(MARGIN, "")


def test_nothing_is_precise_before_there_is_an_interval_and_before_four_blocks() -> None:
    assert not summary([]).is_precise(MARGIN, "ab")
    three = summary(blocks({"a": [1000] * 3, "b": [2000] * 3}))
    assert not three.is_precise(MARGIN, "ab")


def test_what_no_longer_runs_is_no_reason_to_go_on() -> None:
    found = summary(blocks({"a": [1000] * 4, "b": [2000] * 4, "c": [1000, 1200, 800, 900]}), "abc")
    assert not found.is_precise(MARGIN, "abc")
    assert found.is_precise(MARGIN, "ab")


def test_one_accident_does_not_take_a_pipeline_out_of_what_must_be_precise() -> None:
    noisy = [a_trial("b", block, rate) for block, rate in enumerate([1000, 1200, 800, 900], 1)]
    trials = [*blocks({"a": [1000] * 5}), *noisy, failed("b", 5, "it was killed by SIGKILL")]
    assert not summary(trials).is_precise(MARGIN, "ab")


def test_signed_ranks_check_the_verdict_from_eight_blocks_on() -> None:
    # One block in which something took most of the machine, from one of the two.
    steady = [1000, 1001, 999, 1002, 998, 1000, 1001, 999, 1000, 1002] * 2
    other = [1100, 1102, 1099, 1101, 1100, 1101, 1098, 1102, 1100] * 2 + [1100, 300]
    baseline, row = summary(blocks({"a": steady, "b": other})).rows
    assert (row.verdict, row.ranks_verdict) == ("inconclusive", "faster")
    assert row.ranks_low is not None
    assert row.ranks_high is not None
    assert row.ranks_low > 1
    assert 1.09 < row.ranks_high < 1.11
    assert baseline.ranks_verdict is None
    few = summary(blocks({"a": steady[:7], "b": other[:7]})).rows[1]
    assert (few.ranks_low, few.ranks_high, few.ranks_verdict) == (None, None, None)


def test_where_the_control_is_off_a_little_verdict_and_best_agree() -> None:
    # b is faster by 0.9 %; the baseline differs from itself by 1.2 %, not shown to be over 1 %.
    second = [988, 1000, 976, 988]
    found = summary(blocks({"a": [1000] * 4, "b": [1009] * 4}, second=second))
    assert row(found, "b").verdict == "equivalent"
    assert found.best == ["a", "b"]


FAST = [2000, 2020, 1980, 2000]


def test_other_work_has_a_rate_and_a_ratio_and_no_verdict_and_is_no_answer() -> None:
    found = summary(blocks({"a": CALM, "b": FAST, "c": CALM}), "abc", unequal="b")
    assert row(found, "b").ratio == pytest.approx(2, rel=1e-3)
    assert (row(found, "b").verdict, row(found, "b").withheld) == ("withheld", "work")
    assert (row(found, "c").verdict, row(found, "c").withheld) == ("equivalent", None)
    assert found.best == ["a", "c"]


def test_where_the_baselines_work_is_other_nothing_is_compared_with_it() -> None:
    slow = [500, 505, 495, 500]
    found = summary(blocks({"a": FAST, "b": CALM, "c": slow}), "abc", unequal="a")
    assert [row(found, label).withheld for label in "bc"] == ["baseline's work"] * 2
    assert found.best == ["b"]


def test_of_one_alone_whose_work_is_right_nothing_is_shown() -> None:
    assert summary(blocks({"a": CALM, "b": FAST}), unequal="b").best == []


def test_a_run_goes_on_for_no_pipeline_that_gets_no_verdict() -> None:
    wild = [1000, 4000, 100, 2000]
    found = summary(blocks({"a": CALM, "b": wild, "c": CALM}), "abc", unequal="b")
    assert found.is_precise(MARGIN, ("a", "b", "c"))
    assert not summary(blocks({"a": CALM, "b": wild, "c": CALM}), "abc").is_precise(
        MARGIN, ("a", "b", "c")
    )


def test_where_the_baseline_differs_from_itself_that_is_why_verdicts_are_withheld() -> None:
    found = summary(blocks({"a": CALM, "b": FAST}, second=[1100, 1111, 1089, 1100]))
    assert (row(found, "b").verdict, row(found, "b").withheld) == ("withheld", "control")


def around(share: float) -> Around:
    good, low = Share(1.0, 1.0), Share(0.93, 0.5)
    return Around(
        before=good, after=Share(share, 1.0), low=low, waited_seconds=0.0, counters=Counters()
    )


def probed(trials: list[TrialRecord], share: float = 1.0) -> list[TrialRecord]:
    return [replace(trial, around=around(share)) for trial in trials]


def test_a_disturbed_trial_is_left_out_and_the_one_taken_again_counts() -> None:
    calm = probed(blocks({"a": CALM, "b": CALM}))
    slow = a_trial("b", 2, 800, around=around(0.5))
    again = a_trial("b", 2, 1010, attempt=2, around=around(1.0))
    trials = [t for t in calm if (t.label, t.block) != ("b", 2)] + [slow, again]
    found = row(summary(trials), "b")
    assert found.ratio == pytest.approx(1, rel=1e-3)
    assert (found.blocks, found.attempts, found.disturbed) == (4, 5, 1)
    assert found.verdict == "equivalent"


def test_a_block_without_an_undisturbed_trial_of_both_compares_nothing() -> None:
    trials = probed(blocks({"a": [*CALM, 1000], "b": [*CALM, 100]}))
    trials = [
        replace(t, around=around(0.5)) if (t.label, t.block) == ("b", 5) else t for t in trials
    ]
    found = summary(trials)
    assert found.intervals["b"].n == 4


def test_what_depends_on_the_trials_left_out_has_no_verdict() -> None:
    rates = [1000] * 7
    trials = probed(blocks({"a": rates, "b": [1100, 1101, 1099, 1100, 1102, 500, 500]}))
    trials = [
        replace(t, around=around(0.5)) if t.label == "b" and t.block > 5 else t for t in trials
    ]
    found = summary(trials)
    assert (row(found, "b").verdict, row(found, "b").withheld) == ("withheld", "exclusions")
    assert row(found, "b").ratio == pytest.approx(1.1, rel=1e-2)
    assert found.best == []


def test_what_would_be_said_with_everything_in_as_well_is_said() -> None:
    rates = [1000] * 7
    trials = probed(blocks({"a": rates, "b": [1100, 1101, 1099, 1100, 1102, 990, 1010]}))
    trials = [
        replace(t, around=around(0.5)) if t.label == "b" and t.block > 5 else t for t in trials
    ]
    assert row(summary(trials), "b").verdict == "faster"


def test_a_pipeline_that_is_disturbed_more_often_than_the_others_has_no_verdict() -> None:
    calm = probed(blocks({"a": [1000] * 12, "b": [1000] * 12, "c": [1000] * 12}))
    trials = [replace(t, around=around(0.5)) if t.label == "b" and t.block > 6 else t for t in calm]
    found = summary(trials, "abc")
    assert row(found, "b").withheld == "exclusions"
    assert (row(found, "c").verdict, row(found, "c").withheld) == ("equivalent", None)
    assert "b" not in found.best


def test_where_the_baseline_is_disturbed_more_often_nothing_has_a_verdict() -> None:
    calm = probed(blocks({"a": [1000] * 12, "b": [1000] * 12, "c": [1000] * 12}))
    trials = [replace(t, around=around(0.5)) if t.label == "a" and t.block > 6 else t for t in calm]
    found = summary(trials, "abc")
    assert {row(found, label).withheld for label in "bc"} == {"exclusions"}
    assert found.best == []


def test_a_pipeline_whose_every_trial_was_disturbed_has_a_rate_and_depends_on_exclusions() -> None:
    calm = probed(blocks({"a": CALM, "b": CALM}))
    trials = [replace(t, around=around(0.5)) if t.label == "b" else t for t in calm]
    found = row(summary(trials), "b")
    assert found.rate == pytest.approx(1000, rel=1e-2)
    assert (found.ratio, found.disturbed) == (None, 4)
    assert (found.verdict, found.withheld) == ("withheld", "exclusions")


def test_disturbances_that_fall_on_all_alike_withhold_nothing() -> None:
    calm = probed(blocks({"a": [1000] * 12, "b": [1000] * 12}))
    trials = [replace(t, around=around(0.5)) if t.block in {3, 7} else t for t in calm]
    assert row(summary(trials), "b").verdict == "equivalent"
